"""Admission webhooks that nobody answers."""

from __future__ import annotations

from neuroscale.kubernetes.refs import Object
from neuroscale.settings import APPS_NAMESPACE


def unanswered_webhook(configuration: str, webhook: str, api_group: str, resource: str) -> Object:
    """A webhook with failure policy Fail whose Service does not exist: it refuses every new object of one kind.

    Only in the workloads' namespace, since the platform itself must stay able to recover.

    Args:
        configuration: Name of the ValidatingWebhookConfiguration.
        webhook: Name of the webhook in it; a refusal names it.
        api_group: Empty for the core group.
        resource: Plural, for example ``deployments``.
    """
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": configuration},
        "webhooks": [
            {
                "name": webhook,
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 2,
                "clientConfig": {"service": {"name": "nobody", "namespace": APPS_NAMESPACE, "path": "/"}},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": APPS_NAMESPACE}},
                "rules": [
                    {"apiGroups": [api_group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource]}
                ],
            }
        ],
    }
