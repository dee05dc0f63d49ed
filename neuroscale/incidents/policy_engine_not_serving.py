"""D1: the policy engine is registered and does not serve, so nobody may create anything."""

from neuroscale.chaos.fault import FieldsEdited
from neuroscale.cluster.refs import Object
from neuroscale.incidents.model import Incident
from neuroscale.incidents.new_model import MANIFEST
from neuroscale.probes import guardrails
from neuroscale.probes.symptoms import NoEndpoint, Unwelcome
from neuroscale.serving.handsoff import hands_off

#: The compliant model without the label that says who pays: one field apart.
UNPAID: Object = {**MANIFEST, "metadata": {**MANIFEST["metadata"], "labels": {"owner": "platform-team"}}}

INCIDENT = Incident(
    number="d1",
    slug="policy_engine_not_serving",
    title="The policy engine is registered and does not serve: what keeps to every rule is refused as well",
    milestone="d",
    faults=(
        *hands_off(guardrails.APPLICATION),
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
    symptom=(
        NoEndpoint(guardrails.SERVICE),
        Unwelcome(MANIFEST, 'failed calling webhook "vpol.'),
        Unwelcome(
            UNPAID,
            guardrails.denial("require-standard-labels-inferenceservice", "check-owner-and-cost-center-on-isvc"),
        ),
    ),
    shows_within=90,
    remedy="take what keeps its pods from being Ready out of the Deployment, in Git",
    recovers_within=180,
    claim="policy-engine-recovery",
)
