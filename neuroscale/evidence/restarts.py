"""Restarts of the platform's own containers: how often each has, and which of them nobody caused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

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


def unprovoked(
    before: Mapping[Container, int], after: Mapping[Container, int], broken: Collection[str | None]
) -> Iterable[str]:
    """The restarts between two counts in namespaces where nothing was broken, in words.

    Args:
        before: Counts before the scenario.
        after: Counts after its rollback.
        broken: Namespaces of what the scenario broke.
    """
    for one, count in after.items():
        more = count - before.get(one, 0)
        if more > 0 and one.namespace not in broken:
            times = "once" if more == 1 else f"{more} times"
            yield f"container {one.name} of pod {one.namespace}/{one.pod} restarted {times}"
