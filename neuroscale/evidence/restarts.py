"""Restarts of the platform's own containers: how often each has, and which faults may have provoked it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from neuroscale.chaos.faults import Fault
from neuroscale.cluster.client import Cluster
from neuroscale.components import PLATFORM_NAMESPACES


@dataclass(frozen=True)
class Container:
    """A container of one pod; a pod that takes another's place begins to count anew."""

    namespace: str
    pod: str
    name: str


def restart_counts(cluster: Cluster) -> dict[Container, int]:
    """How often each container of the platform has restarted.

    Raises:
        ClusterUnreachable: The API server does not answer.
        ApiError: It refuses.
    """
    return {
        Container(pod["metadata"]["namespace"], pod["metadata"]["name"], container["name"]): container["restartCount"]
        for pod in cluster.list("Pod")
        if pod["metadata"]["namespace"] in PLATFORM_NAMESPACES
        for container in (pod.get("status") or {}).get("containerStatuses") or []
    }


def restarts(before: Mapping[Container, int], after: Mapping[Container, int], faults: Sequence[Fault]) -> Iterator[str]:
    """The restarts between two counts, in words, with what may have provoked them.

    What restarts in the namespace of a fault is that fault's doing. Elsewhere a fault may have had a hand in it, as
    without DNS or a webhook; only a restart in a scenario without any fault is certainly unprovoked.

    Args:
        before: Counts before the scenario.
        after: Counts after its rollback.
        faults: What was injected between them.
    """
    broken = {fault.target.namespace for fault in faults if fault.target is not None}
    injected = "; ".join(dict.fromkeys(fault.description for fault in faults))
    for one, count in after.items():
        more = count - before.get(one, 0)
        if more > 0 and one.namespace not in broken:
            times = "once" if more == 1 else f"{more} times"
            provoked = f"perhaps provoked by: {injected}" if faults else "unprovoked, no fault was injected"
            yield f"container {one.name} of pod {one.namespace}/{one.pod} restarted {times}, {provoked}"
