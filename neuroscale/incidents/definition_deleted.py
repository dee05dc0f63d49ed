"""D3: the definition of InferenceServices is deleted, and every model with it."""

from neuroscale.chaos.fault import ObjectDeleted
from neuroscale.incidents.model import Incident
from neuroscale.probes import argo, serving
from neuroscale.probes.generated import knative_service
from neuroscale.probes.symptoms import NotFound
from neuroscale.serving.handsoff import hands_off
from neuroscale.serving.versions import MODEL

INCIDENT = Incident(
    number="d3",
    slug="definition_deleted",
    title="The definition of InferenceServices is deleted, and every model with it",
    milestone="b",
    faults=(*hands_off(serving.APPLICATION), ObjectDeleted(target=serving.CRD)),
    symptom=(
        argo.Gone(serving.CRD),
        argo.Gone(knative_service(MODEL)),
        NotFound(MODEL, f"{MODEL}-predictor.default.{serving.DOMAIN}"),
        argo.shows_error(MODEL, ("ComparisonError", "SyncError", "OperationFailed", "SyncFailed"), "InferenceService"),
    ),
    shows_within=90,
    remedy="let Argo CD sync the serving stack again: it restores the definition, and the models follow",
    recovers_within=240,
    claim="definition-recovery",
)
