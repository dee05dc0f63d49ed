"""F2: the namespace wants more CPU for each container than Knative's sidecar asks for."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import DEPLOYMENT, MANIFEST, NEW_MODEL
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.probes.reference_app import CHILD
from neuroscale.probes.symptom_probes import Shows
from neuroscale.settings import APPS_NAMESPACE

LIMIT_RANGE = Ref("LimitRange", "default-namespace-limits", APPS_NAMESPACE, "v1")
#: What Git says, but for the least CPU: a merge patch replaces lists whole.
LIMIT: Object = {
    "type": "Container",
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
    "max": {"cpu": "2", "memory": "4Gi"},
    "min": {"cpu": "50m", "memory": "32Mi"},
}

INCIDENT = Incident(
    number="f2",
    slug="minimum_above_sidecar",
    title="The least CPU of a container is above what Knative's sidecar asks for: a new model gets no pod",
    milestone="b",
    faults=(
        *disable_automated_sync(CHILD),
        FieldsEdited(target=LIMIT_RANGE, patch={"spec": {"limits": [LIMIT]}}),
        ObjectCreated(manifest=MANIFEST),
    ),
    sees="the pod of a new model is rejected for too little CPU",
    symptom=(
        Shows(
            DEPLOYMENT,
            "ReplicaFailure",
            ("True",),
            "FailedCreate",
            "minimum cpu usage per Container is 50m, but request",
        ),
        Shows(NEW_MODEL, "Ready", ("Unknown", "False")),
    ),
    shows_within=60,
    remedy="lower the minimum in the LimitRange below 25m, in Git",
    recovers_within=120,
    slo="guardrail-recovery",
)
