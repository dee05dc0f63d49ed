"""A pod that holds all the CPU of the node; the test application has to leave for it."""

from neuroscale.chaos.faults import CpuTaken, ObjectCreated
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes.reference_app import IMAGE, NGINX


def filler(name: str) -> Ref:
    """The pod, in a namespace of this name."""
    return Ref("Pod", "filler", name)


def node_filled(name: str, priority: int, what_for: str) -> tuple[ObjectCreated, ObjectCreated, CpuTaken]:
    """The filler with its namespace and its priority class, both of this name; ``priority`` says who may evict it."""
    return (
        ObjectCreated(manifest={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        ObjectCreated(
            manifest={
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": priority,
                "description": what_for,
            }
        ),
        CpuTaken(
            target=filler(name),
            priority_class=name,
            image=IMAGE,
            short_of=NGINX,
        ),
    )
