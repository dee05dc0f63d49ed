"""A2: a webhook left over from an experiment, whose Service is long gone, refuses every new Deployment."""

from neuroscale.chaos.fault import ObjectCreated, ObjectDeleted
from neuroscale.drift import NGINX, TEST_APP
from neuroscale.incidents.model import Incident
from neuroscale.probes import argo
from neuroscale.settings import APPS_NAMESPACE

_NAME = "left-over.experiment.neuroscale.io"

INCIDENT = Incident(
    number="a2",
    slug="stale_webhook",
    title="A stale Fail webhook whose Service is gone blocks creation",
    milestone="a",
    faults=(
        ObjectCreated(
            manifest={
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "left-over-experiment"},
                "webhooks": [
                    {
                        "name": _NAME,
                        "failurePolicy": "Fail",
                        "sideEffects": "None",
                        "admissionReviewVersions": ["v1"],
                        "timeoutSeconds": 2,
                        "clientConfig": {"service": {"name": "left-over", "namespace": APPS_NAMESPACE, "path": "/"}},
                        # Only the workloads' namespace: the platform itself must stay able to recover.
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": APPS_NAMESPACE}},
                        "rules": [
                            {
                                "apiGroups": ["apps"],
                                "apiVersions": ["v1"],
                                "operations": ["CREATE"],
                                "resources": ["deployments"],
                            }
                        ],
                    }
                ],
            }
        ),
        ObjectDeleted(target=NGINX),
    ),
    symptom=(argo.shows_error(TEST_APP, ("SyncError", "OperationFailed", "SyncFailed"), _NAME), argo.Gone(NGINX)),
    shows_within=90,
    remedy="kubectl delete validatingwebhookconfiguration left-over-experiment",
    recovers_within=180,
    claim="webhook-recovery",
)
