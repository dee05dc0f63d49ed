"""F6: the policies judge what controllers make of a model as if somebody had written it."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import DEPLOYMENT, MANIFEST, NEW_MODEL, REVISION
from neuroscale.kubernetes.refs import Object
from neuroscale.probes import argo, guardrails
from neuroscale.probes.symptom_probes import HasEvent, Shows
from neuroscale.settings import APPS_NAMESPACE

#: The three that the reference platform's generated Deployments met. The first of them does reject: Knative's sidecar
#: has no memory of its own, it gets that from the namespace's LimitRange, and a LimitRange completes nothing but pods.
_POLICIES = ("require-resource-requests-limits", "disallow-root-containers", "require-standard-labels-deployment")
#: Where, and no longer who asks.
_ANYBODY: Object = {
    "spec": {
        "matchConditions": [
            {
                "name": "in-a-tenants-namespace",
                "expression": f"request.?namespace.orValue('') == '{APPS_NAMESPACE}'",
            }
        ]
    }
}

INCIDENT = Incident(
    number="f6",
    slug="controllers_rejected",
    title="The policies no longer let controllers through: Knative's Deployment of a new model is rejected",
    milestone="d",
    faults=(
        *disable_automated_sync(guardrails.APPLICATION),
        # The API server's first. It takes up to a second to follow, which is over by the time the model is made.
        *(FieldsEdited(target=guardrails.admission_policy(name), patch=_ANYBODY) for name in _POLICIES),
        *(FieldsEdited(target=guardrails.policy(name), patch=_ANYBODY) for name in _POLICIES),
        ObjectCreated(manifest=MANIFEST),
    ),
    sees="the Deployment of a new model is rejected by a policy",
    symptom=(
        HasEvent(
            REVISION,
            "InternalError",
            guardrails.denial("require-resource-requests-limits", "validate-deployment-container-resources"),
        ),
        argo.Gone(DEPLOYMENT),
        Shows(NEW_MODEL, "Ready", ("Unknown", "False")),
    ),
    shows_within=60,
    remedy="put the match condition that knows controllers by their service account back, in Git",
    recovers_within=120,
    slo="guardrail-recovery",
)
