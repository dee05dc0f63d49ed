"""D1: the policy engine is registered and does not serve, so nobody may create anything."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST
from neuroscale.kubernetes.refs import Object
from neuroscale.probes import guardrails
from neuroscale.probes.symptom_probes import NoEndpoint, WouldBeRejected

#: The compliant model without the label that says who pays: one field apart.
UNPAID: Object = {**MANIFEST, "metadata": {**MANIFEST["metadata"], "labels": {"owner": "platform-team"}}}

INCIDENT = Incident(
    number="d1",
    slug="policy_engine_not_serving",
    title="The policy engine is registered and does not serve: what keeps to every rule is rejected as well",
    milestone="d",
    faults=(
        *disable_automated_sync(guardrails.APPLICATION),
        # Its pod runs and is never Ready. To take the pod out of the Service would not do: the API server may go on
        # using the connections that it has. To scale it to nothing would not do either: it takes its webhooks along.
        FieldsEdited(
            target=guardrails.ADMISSION_CONTROLLER,
            patch={
                "spec": {
                    "strategy": {"type": "Recreate", "rollingUpdate": None},
                    "template": {"spec": {"readinessGates": [{"conditionType": "incident.neuroscale.io/serving"}]}},
                }
            },
        ),
    ),
    sees="Kyverno's Service has no endpoint and compliant objects are rejected",
    symptom=(
        NoEndpoint(guardrails.SERVICE),
        WouldBeRejected(MANIFEST, 'failed calling webhook "vpol.'),
        WouldBeRejected(
            UNPAID,
            guardrails.denial("require-standard-labels-inferenceservice", "check-owner-and-cost-center-on-isvc"),
        ),
    ),
    shows_within=90,
    remedy="take what keeps its pods from being Ready out of the Deployment, in Git",
    recovers_within=180,
    slo="policy-engine-recovery",
)
