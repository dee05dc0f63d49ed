"""B7: the CRD is left out of what Git renders; a cluster that lacks it will never get it."""

from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, serving
from neuroscale.serving.crd_deletion import left_out
from neuroscale.serving.model_rollouts import MODEL

INCIDENT = Incident(
    number="b7",
    slug="crd_left_out_of_git",
    title="Git leaves the InferenceService CRD out: all is Synced, and no model can exist",
    milestone="b",
    faults=(*left_out(), ObjectDeleted(target=serving.CRD)),
    sees="the CRD is gone and the serving stack is Synced and Healthy without it",
    symptom=(
        argo.Gone(serving.CRD),
        argo.shows_error(MODEL, ("ComparisonError", "SyncError", "OperationFailed", "SyncFailed"), "InferenceService"),
        argo.good(serving.APPLICATION),
    ),
    shows_within=90,
    remedy="take the patch that leaves it out of the render, in Git",
    recovers_within=240,
    slo="crd-recovery",
)
