"""OpenCost: who used what, and what it takes a vCPU and a GiB to cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neuroscale.cluster.client import Cluster
from neuroscale.metering.service import MeteringError, Service
from neuroscale.metering.window import Window

#: What it calls whatever has no such label.
UNALLOCATED = "__unallocated__"
_GIB = 2**30
#: In how many digits after the point it says an amount of money. *Measured* with 1.108.1: ten minutes of a model of
#: 100m are said to cost 0.00062.
DIGITS = 5
#: Its metric of a price -> the resource.
PRICES = {"node_cpu_hourly_cost": "cpu", "node_ram_hourly_cost": "memory"}
_SAMPLE = re.compile(r'^(\w+)\{(?:.*,)?node="([^"]*)".*\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Allocation:
    """What all that has something in common was given in a window.

    Attributes:
        key: What they have in common, in the order in which it was asked for.
        cpu_hours: vCPU × hours.
        memory_hours: GiB × hours.
        said: What it costs by OpenCost's own word, which is rounded (:data:`DIGITS`).
    """

    key: tuple[str, ...]
    cpu_hours: float
    memory_hours: float
    said: float

    def cost(self, prices: Mapping[str, float]) -> float:
        """What it costs, not rounded.

        Args:
            prices: Of ``cpu`` and of ``memory``, for an hour of a vCPU and of a GiB.
        """
        return self.cpu_hours * prices["cpu"] + self.memory_hours * prices["memory"]


class OpenCost:
    """The OpenCost of the platform."""

    def __init__(self, cluster: Cluster) -> None:
        self._service = Service(cluster, "opencost")

    def allocations(self, window: Window, *by: str) -> list[Allocation]:
        """What was given in a window.

        Args:
            window: Ends before now; OpenCost knows nothing of what Prometheus has not scraped yet.
            by: What each is the sum of: ``namespace``, ``pod``, ``label:owner``, one or more of them.

        Raises:
            MeteringError: It did not say, or of something else.
        """
        sets = self._service.data(
            "/allocation/compute", window=window.query, resolution=f"{window.step}s", aggregate=",".join(by)
        )
        try:
            found = [_allocation(name, one) for each in sets for name, one in (each or {}).items()]
        except (AttributeError, KeyError, TypeError) as error:
            raise _strange(window, sets) from error
        if any(len(one.key) != len(by) for one in found):
            raise _strange(window, sets)
        return found

    def prices(self) -> dict[str, dict[str, float]]:
        """Node -> what its resources cost now, as Prometheus is told; ``cpu`` and ``memory``, for an hour.

        Raises:
            MeteringError: It did not say.
        """
        found = dict[str, dict[str, float]]()
        for metric, node, value in _SAMPLE.findall(self._service.text("/metrics")):
            if metric in PRICES:
                found.setdefault(node, {})[PRICES[metric]] = float(value)
        return found


def _allocation(name: str, found: Mapping[str, Any]) -> Allocation:
    return Allocation(
        tuple(name.split("/")),
        float(found["cpuCoreHours"]),
        float(found["ramByteHours"]) / _GIB,
        float(found["totalCost"]),
    )


def _strange(window: Window, sets: Any) -> MeteringError:
    return MeteringError(
        f"OpenCost should say what was given from {window}, but said {str(sets)[:300]}. "
        "Next: kubectl -n opencost logs svc/opencost"
    )
