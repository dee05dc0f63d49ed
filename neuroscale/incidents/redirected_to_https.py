"""C7: another gateway has port 80 of the node, and sends whoever asks a model on to HTTPS."""

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.incidents.gateway_ports_taken import ARRIVES, BEHIND, NAMESPACE
from neuroscale.incidents.incident import Incident
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.probes import gateway
from neuroscale.probes.symptom_probes import Redirected
from neuroscale.serving.model_rollouts import MODEL

_LABELS = {**BEHIND, "owner": "platform-team", "cost-center": "cc-platform"}
_SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "traefik", "namespace": NAMESPACE},
    # As Traefik answers whom it is told to send to its entry point "websecure".
    "data": {"default.conf": "server { listen 8080; return 307 https://$host$request_uri; }\n"},
}
_POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "traefik", "namespace": NAMESPACE, "labels": _LABELS},
    "spec": {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {
                "name": "web",
                "image": "docker.io/nginxinc/nginx-unprivileged:1.27.5",
                "ports": [{"name": "web", "containerPort": 8080}],
                "readinessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 1},
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"cpu": "100m", "memory": "64Mi"},
                },
                "securityContext": {"runAsNonRoot": True},
                "volumeMounts": [{"name": "settings", "mountPath": "/etc/nginx/conf.d"}],
            }
        ],
        "volumes": [{"name": "settings", "configMap": {"name": "traefik"}}],
    },
}

POD = Ref.to(_POD)

INCIDENT = Incident(
    number="c7",
    slug="redirected_to_https",
    title="Another gateway has port 80 and redirects to HTTPS: no request reaches a model",
    milestone="b",
    faults=(*ARRIVES, ObjectCreated(manifest=_SETTINGS), ObjectCreated(manifest=_POD, ready=True)),
    sees="the gateway has no address and a request to a model is redirected to HTTPS by somebody else",
    symptom=(gateway.PortsTaken(), Redirected(MODEL)),
    shows_within=90,
    remedy="remove the other gateway",
    recovers_within=120,
    slo="serving-recovery",
)
