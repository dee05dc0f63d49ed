"""Somebody who answers in the gateway's place."""

from __future__ import annotations

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.probes import serving


def stranger(app: str) -> ObjectCreated:
    """A web server beside the gateway, on the gateway's port, with this label ``app``; it knows no model.

    With the gateway's own label the gateway's Service sends it every other connection. The gateway's ReplicaSet leaves
    it alone, since it selects by one more label.
    """
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "stranger",
            "namespace": GATEWAY_SERVICE.namespace,
            "labels": {"app": app, "owner": "platform-team", "cost-center": "cc-platform"},
        },
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [
                {
                    "name": "web",
                    "image": "docker.io/nginxinc/nginx-unprivileged:1.27.5",
                    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"cpu": "100m", "memory": "64Mi"},
                    },
                    "securityContext": {"runAsNonRoot": True},
                }
            ],
        },
    }
    return ObjectCreated(manifest=pod, ready=True)


#: A new endpoint is there for the control plane at once, and for connections once kube-proxy has heard of it.
ROUTED = 3.0
EVERY_OTHER = (stranger(serving.GATEWAY.name),)
SOME_WRONG = r"\d+ of 20 answers in a row are wrong.*no prediction, but 40[45]"
