"""A web server in a pod of its own, that somebody brings to answer in another one's place."""

from __future__ import annotations

from neuroscale.chaos.creation_faults import ObjectCreated
from neuroscale.kubernetes.refs import Object
from neuroscale.probes.reference_app import IMAGE

#: The guardrails ask for them.
_OWNED = {"owner": "platform-team", "cost-center": "cc-platform"}


def web_server(metadata: Object, port: str, folder: str = "", content: Object | None = None) -> ObjectCreated:
    """The pod; nothing has happened until it is Ready.

    Args:
        metadata: Of the pod, with the labels by which a Service finds it.
        port: Name of its port 8080.
        folder: Where ``content`` is mounted: of pages, or of settings.
        content: Source of that volume. Without it there is nginx as it comes.
    """
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "labels": {**metadata["labels"], **_OWNED}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "web",
                    "image": IMAGE,
                    "ports": [{"name": port, "containerPort": 8080}],
                    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "100m", "memory": "64Mi"},
                    },
                    "securityContext": {"runAsNonRoot": True},
                    "volumeMounts": [{"name": "content", "mountPath": folder}] if content else [],
                }
            ],
            "volumes": [{"name": "content", **content}] if content else [],
        },
    }
    return ObjectCreated(manifest=pod, ready=True)
