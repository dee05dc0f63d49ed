"""C7: another gateway has port 80 of the node, and sends whoever asks a model on to HTTPS."""

from neuroscale.chaos.faults import ObjectCreated
from neuroscale.chaos.web_server import web_server
from neuroscale.incidents.gateway_ports_taken import ARRIVES, BEHIND, NAMESPACE
from neuroscale.incidents.incident import Incident
from neuroscale.kubernetes.refs import Object
from neuroscale.probes import gateway
from neuroscale.probes.symptom_probes import Redirected
from neuroscale.serving.model_rollouts import MODEL

_SETTINGS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "traefik", "namespace": NAMESPACE},
    # As Traefik answers whom it is told to send to its entry point "websecure".
    "data": {"default.conf": "server { listen 8080; return 307 https://$host$request_uri; }\n"},
}
_ANSWERS = web_server(
    {"name": "traefik", "namespace": NAMESPACE, "labels": BEHIND},
    "web",
    "/etc/nginx/conf.d",
    {"configMap": {"name": "traefik"}},
)
POD = _ANSWERS.target

INCIDENT = Incident(
    number="c7",
    slug="redirected_to_https",
    title="Another gateway has port 80 and redirects to HTTPS: no request reaches a model",
    milestone="b",
    faults=(*ARRIVES, ObjectCreated(manifest=_SETTINGS), _ANSWERS),
    sees="the gateway has no address and a request to a model is redirected to HTTPS by somebody else",
    symptom=(gateway.PortsTaken(), Redirected(MODEL)),
    shows_within=90,
    remedy="remove the other gateway",
    recovers_within=120,
    slo="serving-recovery",
)
