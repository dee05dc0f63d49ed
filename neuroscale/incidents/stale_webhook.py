"""A2: a webhook left over from an experiment, whose Service is long gone, rejects every new Deployment."""

from neuroscale.chaos.faults import ObjectCreated, ObjectDeleted
from neuroscale.chaos.webhooks import unanswered_webhook
from neuroscale.incidents.incident import Incident
from neuroscale.probes import argo
from neuroscale.probes.reference_app import NGINX, TEST_APP

_NAME = "left-over.experiment.neuroscale.io"

INCIDENT = Incident(
    number="a2",
    slug="stale_webhook",
    title="A stale Fail webhook whose Service is gone blocks creation",
    milestone="a",
    faults=(
        ObjectCreated(manifest=unanswered_webhook("left-over-experiment", _NAME, "apps", "deployments")),
        ObjectDeleted(target=NGINX),
    ),
    sees="the Deployment cannot be created and its sync fails",
    symptom=(argo.shows_error(TEST_APP, ("SyncError", "OperationFailed", "SyncFailed"), _NAME), argo.Gone(NGINX)),
    shows_within=90,
    remedy="delete the webhook configuration that was left behind",
    recovers_within=180,
    slo="webhook-recovery",
)
