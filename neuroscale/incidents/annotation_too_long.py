"""B2: a client-side apply keeps the whole object in an annotation, and the CRD is larger than one may be."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ApplicationEdited, FieldsEdited
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo, serving

INCIDENT = Incident(
    number="b2",
    slug="annotation_too_long",
    title="Applied by the client, the InferenceService CRD is too long for its own annotation",
    milestone="b",
    faults=(
        disable_automated_sync(serving.APPLICATION)[0],
        ApplicationEdited(
            target=argo.application(serving.APPLICATION),
            patch={"spec": {"syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}}},
        ),
        FieldsEdited(
            target=serving.CRD, patch={"metadata": {"annotations": {"controller-gen.kubebuilder.io/version": "v0"}}}
        ),
    ),
    sees="the sync of the CRD fails because its annotation is too long",
    symptom=(
        argo.shows_error(serving.APPLICATION, ("SyncError", "OperationFailed", "SyncFailed"), "Too long"),
        argo.ApplicationProbe(serving.APPLICATION, "is OutOfSync", argo.evaluate_out_of_sync),
    ),
    shows_within=90,
    remedy="put ServerSideApply=true back into the sync options, in Git, end the operation under way, begin a new one",
    recovers_within=120,
    slo="serving-recovery",
    retrying=serving.APPLICATION,
)
