"""D3: the InferenceService CRD is deleted, and every model with it."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import knative_service
from neuroscale.probes.symptom_probes import NotFound
from neuroscale.serving.model_rollouts import MODEL

INCIDENT = Incident(
    number="d3",
    slug="crd_deleted",
    title="The InferenceService CRD is deleted, and every model with it",
    milestone="b",
    faults=(*disable_automated_sync(serving.APPLICATION), ObjectDeleted(target=serving.CRD)),
    sees="the CRD is gone and no model answers",
    symptom=(
        argo.Gone(serving.CRD),
        argo.Gone(knative_service(MODEL)),
        NotFound(MODEL, f"{MODEL}-predictor.default.{serving.DOMAIN}"),
        argo.shows_error(MODEL, ("ComparisonError", "SyncError", "OperationFailed", "SyncFailed"), "InferenceService"),
    ),
    shows_within=90,
    remedy="let Argo CD sync the serving stack again: it restores the CRD, and the models follow",
    recovers_within=240,
    slo="crd-recovery",
)
