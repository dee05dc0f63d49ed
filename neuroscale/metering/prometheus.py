"""Prometheus: what it scrapes, whether it did, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neuroscale.cluster.client import Cluster
from neuroscale.metering.opencost import PRICES
from neuroscale.metering.service import MeteringError, Service
from neuroscale.metering.window import Window

#: What it scrapes, by the names of its configuration, as often as it says there.
OPENCOST_JOB, KUBELET_JOB, OWN_JOB = "opencost", "kubelet-cadvisor", "prometheus"
SCRAPE_SECONDS = 15


@dataclass(frozen=True)
class Target:
    """What is scraped.

    Attributes:
        job: The configuration's name for it.
        instance: Which one of those that the job finds.
        health: ``up``, ``down`` or ``unknown``.
        error: Why it is down.
    """

    job: str
    instance: str
    health: str
    error: str = ""


class Prometheus:
    """The Prometheus that OpenCost asks."""

    def __init__(self, cluster: Cluster) -> None:
        self._service = Service(cluster, "prometheus")

    def targets(self) -> list[Target]:
        """All that is scraped at present.

        Raises:
            MeteringError: It did not say.
        """
        found = self._service.data("/api/v1/targets", state="active")
        return [
            Target(one["labels"]["job"], one["labels"]["instance"], one["health"], one.get("lastError", ""))
            for one in found["activeTargets"]
        ]

    def scrapes(self, window: Window) -> dict[tuple[str, str], tuple[int, bool]]:
        """(Job, instance) -> how often it was scraped in a window, and whether each scrape succeeded.

        Raises:
            MeteringError: It did not say.
        """
        counted = self._at_end(f"count_over_time(up[{window.range}])", window)
        lowest = self._at_end(f"min_over_time(up[{window.range}])", window)
        return {key: (int(count), lowest.get(key) == 1) for key, count in counted.items()}

    def prices(self, window: Window) -> dict[str, float]:
        """Resource -> price of a vCPU or of a GiB for an hour, on average over a window's samples and over nodes.

        Raises:
            MeteringError: It did not say, or has none.
        """
        found = {}
        for metric, resource in PRICES.items():
            values = [float(one["value"][1]) for one in self._query(f"avg_over_time({metric}[{window.range}])", window)]
            if not values or max(values) != min(values):
                raise MeteringError(
                    f"Prometheus should have one price of {resource} from {window}, but has {sorted(set(values))}. "
                    "Next: neuroscale check cost"
                )
            found[resource] = values[0]
        return found

    def _at_end(self, query: str, window: Window) -> dict[tuple[str, str], float]:
        return {_target(one["metric"]): float(one["value"][1]) for one in self._query(query, window)}

    def _query(self, query: str, window: Window) -> list[Any]:
        found = self._service.data("/api/v1/query", query=query, time=window.end.isoformat())
        return list(found["result"])


def _target(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels["job"], labels["instance"]
