"""A3: the Deployment is healed, but its pod finds no room."""

from neuroscale.chaos.fault import CpuTaken, ObjectCreated, ObjectDeleted
from neuroscale.cluster.refs import Ref
from neuroscale.drift import NGINX
from neuroscale.incidents.model import Incident
from neuroscale.probes.workloads import PodUnschedulable

_NAMESPACE = "incident-node-full"
_PRIORITY = "incident-node-full"
#: Above the test application, which gives way (-10), and below everything else (0): nobody else has to leave.
_VALUE = -5

INCIDENT = Incident(
    number="a3",
    slug="node_full",
    title="The healed pod stays Pending: the node has no CPU left",
    milestone="a",
    faults=(
        ObjectCreated(manifest={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}),
        ObjectCreated(
            manifest={
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": _PRIORITY},
                "value": _VALUE,
                "description": "Lets the filler of incident A3 evict the test application's pod",
            }
        ),
        CpuTaken(
            target=Ref("Pod", "filler", _NAMESPACE),
            priority_class=_PRIORITY,
            image="docker.io/nginxinc/nginx-unprivileged:1.27.5",
            short_of=NGINX,
        ),
        ObjectDeleted(target=NGINX),
    ),
    symptom=(PodUnschedulable(NGINX, "cpu"),),
    shows_within=60,
    remedy="make room: remove what fills the node, or lower the requests",
    recovers_within=120,
    claim="pending-recovery",
)
