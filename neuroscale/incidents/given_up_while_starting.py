"""B10: a model's first pod came later than Knative would wait, and the model never comes."""

import copy

from neuroscale.chaos.fault import CpuTaken, ObjectCreated
from neuroscale.cluster.refs import Object, Ref
from neuroscale.drift import NGINX
from neuroscale.incidents.model import Incident
from neuroscale.incidents.new_model import MANIFEST, NEW_MODEL, REVISION
from neuroscale.probes.symptoms import Shows

_NAMESPACE = "incident-given-up"
_PRIORITY = "incident-given-up"
#: Above the models (0), so that the new one cannot make room for itself; the test application (-10) has to leave.
_VALUE = 5
FILLER = Ref("Pod", "filler", _NAMESPACE)


def _in_a_hurry() -> Object:
    manifest = copy.deepcopy(MANIFEST)
    # Knative adds half a minute of its own before it takes the pods away.
    manifest["metadata"]["annotations"] = {"serving.knative.dev/progress-deadline": "5s"}
    return manifest


INCIDENT = Incident(
    number="b10",
    slug="given_up_while_starting",
    title="A model whose first pod was late is given up for good",
    milestone="b",
    faults=(
        ObjectCreated(manifest={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}),
        ObjectCreated(
            manifest={
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": _PRIORITY},
                "value": _VALUE,
                "description": "Keeps the new model of incident B10 from evicting the filler",
            }
        ),
        CpuTaken(
            target=FILLER,
            priority_class=_PRIORITY,
            image="docker.io/nginxinc/nginx-unprivileged:1.27.5",
            short_of=NGINX,
        ),
        ObjectCreated(manifest=_in_a_hurry()),
    ),
    symptom=(
        Shows(REVISION, "Ready", ("False",), "ProgressDeadlineExceeded", "Initial scale was never achieved"),
        Shows(NEW_MODEL, "Ready", ("False",)),
    ),
    shows_within=90,
    remedy="make room, give the model a longer progress-deadline, and have it made anew",
    recovers_within=120,
    claim="serving-recovery",
)
