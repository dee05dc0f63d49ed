"""B10: a model's first pod came later than Knative would wait, and the model never comes."""

import copy

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.incidents.filler import filler, node_filled
from neuroscale.incidents.incident import Incident
from neuroscale.incidents.new_model import MANIFEST, NEW_MODEL, REVISION
from neuroscale.kubernetes.refs import Object
from neuroscale.probes.symptom_probes import Shows

_NAME = "incident-given-up"
#: Above the models (0), so that the new one cannot make room for itself; the test application (-10) has to leave.
_PRIORITY = 5
FILLER = filler(_NAME)


def _in_a_hurry() -> Object:
    manifest = copy.deepcopy(MANIFEST)
    # Knative adds half a minute of its own before it takes the pods away.
    manifest["metadata"]["annotations"] = {"serving.knative.dev/progress-deadline": "5s"}
    return manifest


INCIDENT = Incident(
    number="b10",
    slug="progress_deadline_exceeded",
    title="A model whose first pod was late is given up for good",
    milestone="b",
    faults=(
        *node_filled(_NAME, _PRIORITY, "Keeps the new model of incident B10 from evicting the filler"),
        ObjectCreated(manifest=_in_a_hurry()),
    ),
    sees="a new model failed because its progress deadline was exceeded",
    symptom=(
        Shows(REVISION, "Ready", ("False",), "ProgressDeadlineExceeded", "Initial scale was never achieved"),
        Shows(NEW_MODEL, "Ready", ("False",)),
    ),
    shows_within=90,
    remedy="make room, give the model a longer progress-deadline, and let KServe create its Knative Service again",
    recovers_within=120,
    slo="serving-recovery",
)
