"""E3: another load balancer has ports 80 and 443 of the node, and the gateway's waits for them."""

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectCreated
from neuroscale.incidents.incident import Incident
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.probes import gateway, serving

NAMESPACE = "incident-second-gateway"
#: Of the pods behind it; there are none unless somebody brings them.
BEHIND = {"app.kubernetes.io/name": "traefik"}
#: As Traefik's, which k3s deploys where nobody tells it not to.
_PORTS = {"web": 80, "websecure": 443}
_MANIFEST: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "traefik", "namespace": NAMESPACE},
    "spec": {
        "type": "LoadBalancer",
        "selector": BEHIND,
        "ports": [{"name": name, "port": port, "targetPort": name, "protocol": "TCP"} for name, port in _PORTS.items()],
    },
}
SECOND = Ref.to(_MANIFEST)

#: It comes, and the gateway loses its ports.
ARRIVES: tuple[Fault, ...] = (
    *disable_automated_sync(serving.APPLICATION),
    # Who comes first keeps the ports. The gateway's was here first, and so it gives way to who comes now.
    FieldsEdited(
        target=GATEWAY_SERVICE,
        patch={"metadata": {"annotations": {gateway.PRIORITY: "system-cluster-critical"}}},
    ),
    ObjectCreated(manifest={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
    ObjectCreated(manifest=_MANIFEST),
)

INCIDENT = Incident(
    number="e3",
    slug="gateway_ports_taken",
    title="Another load balancer has ports 80 and 443: the gateway gets no address, and no model is reached",
    milestone="b",
    faults=ARRIVES,
    sees="the gateway has no address and its load balancer waits for ports that another one has",
    symptom=(gateway.PortsTaken(),),
    shows_within=90,
    remedy="remove the other Service of type LoadBalancer",
    recovers_within=120,
    slo="serving-recovery",
)
