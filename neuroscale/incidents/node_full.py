"""A3: the Deployment is healed, but its pod finds no room."""

from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.incidents.filler import node_filled
from neuroscale.incidents.incident import Incident
from neuroscale.probes.reference_app import NGINX
from neuroscale.probes.workloads import PodUnschedulable

_NAME = "incident-node-full"
#: Above the test application, which gives way (-10), and below everything else (0): nobody else has to leave.
_PRIORITY = -5

INCIDENT = Incident(
    number="a3",
    slug="node_full",
    title="The healed pod stays Pending: the node has no CPU left",
    milestone="a",
    faults=(
        *node_filled(_NAME, _PRIORITY, "Lets the filler of incident A3 evict the test application's pod"),
        ObjectDeleted(target=NGINX),
    ),
    sees="the restored pod stays Pending for lack of CPU",
    symptom=(PodUnschedulable(NGINX, "cpu"),),
    shows_within=60,
    remedy="make room: remove what fills the node, or lower the requests",
    recovers_within=120,
    slo="pending-recovery",
)
