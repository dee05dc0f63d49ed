"""What each team pays: OpenCost's vCPU-hours and GiB-hours by label, at the prices that Prometheus has of the window.

OpenCost's own sums are rounded to a thousandth of a cent, which is more than some containers cost in ten minutes. So
the sums are computed here, and must be OpenCost's own as far as it says them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.errors import Inconclusive
from neuroscale.metering.opencost import DIGITS, UNALLOCATED, Allocation, OpenCost
from neuroscale.metering.prometheus import KUBELET_JOB, OPENCOST_JOB, SCRAPE_SECONDS, Prometheus
from neuroscale.metering.window import Window

#: Labels of pods by which costs are shown.
LABELS = ("owner", "cost-center")


@dataclass(frozen=True)
class Payer:
    """A team and what it pays.

    Attributes:
        name: The label's value; :data:`UNALLOCATED`: whoever has none.
        cpu_hours: vCPU × hours.
        memory_hours: GiB × hours.
        cost: In the currency of the price file.
    """

    name: str
    cpu_hours: float
    memory_hours: float
    cost: float


@dataclass(frozen=True)
class Showback:
    """What was used in a window, and who pays for it.

    Attributes:
        window: When.
        label: By which it is shown.
        prices: Of ``cpu`` and of ``memory``, for an hour.
        payers: The most expensive first.
        unallocated: Namespace -> what it costs of what nobody pays for, since its pods have no such label.
    """

    window: Window
    label: str
    prices: Mapping[str, float]
    payers: tuple[Payer, ...]
    unallocated: Mapping[str, float]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(one.cost for one in self.payers)

    def of(self, name: str) -> Payer:
        """What one pays; nothing, where it is not known."""
        return next((one for one in self.payers if one.name == name), Payer(name, 0.0, 0.0, 0.0))


def showback(cluster: Cluster, window: Window, label: str) -> Showback:
    """What each team pays for a window.

    Raises:
        Inconclusive: Prometheus did not see all of the window, or OpenCost's own sums are others.
        MeteringError: One of both gave no answer.
    """
    prometheus, opencost = Prometheus(cluster), OpenCost(cluster)
    assert_seen(prometheus.scrapes(window), window)
    prices = prometheus.prices(window)
    found = opencost.allocations(window, f"label:{label}")
    assert_same_sums(found, prices)
    nobodys = [one for one in opencost.allocations(window, "namespace", f"label:{label}") if one.key[1] == UNALLOCATED]
    return tally(found, nobodys, window, label, prices)


def tally(
    found: Sequence[Allocation],
    nobodys: Sequence[Allocation],
    window: Window,
    label: str,
    prices: Mapping[str, float],
) -> Showback:
    """The same from what OpenCost said.

    Args:
        found: Sums by the label.
        nobodys: Sums by namespace of what does not have it.
        window: When.
        label: Its name.
        prices: Of ``cpu`` and of ``memory``, for an hour.
    """
    payers = [Payer(one.key[0], one.cpu_hours, one.memory_hours, one.cost(prices)) for one in found]
    return Showback(
        window,
        label,
        prices,
        tuple(sorted(payers, key=lambda one: (-one.cost, one.name))),
        {one.key[0]: one.cost(prices) for one in nobodys},
    )


def assert_seen(scrapes: Mapping[tuple[str, str], tuple[int, bool]], window: Window) -> None:
    """Prometheus must have scraped each of its targets all through the window.

    Args:
        scrapes: (Job, instance) -> how often, and whether each succeeded.
        window: When.

    Raises:
        Inconclusive: It has a gap: what lies in it cost something and is in no sum.
    """
    # One fewer than fit into it: the first may come a moment after its start.
    expected = int(window.seconds / SCRAPE_SECONDS) - 1
    gaps = [
        f"{job} {instance}: {count} of {expected} scrapes{'' if whole else ', not all of which succeeded'}"
        for (job, instance), (count, whole) in sorted(scrapes.items())
        if count < expected or not whole
    ]
    jobs = {job for job, _ in scrapes}
    gaps += [f"{job}: no scrape" for job in (OPENCOST_JOB, KUBELET_JOB) if jobs and job not in jobs]
    if gaps or not scrapes:
        raise Inconclusive(
            f"Prometheus should have scraped everything from {window}, but it has a gap: "
            f"{'; '.join(gaps) or 'it scraped nothing'}. Next: neuroscale check cost, or a later window"
        )


def assert_same_sums(found: Sequence[Allocation], prices: Mapping[str, float]) -> None:
    """OpenCost's own sums must be what its hours cost.

    Raises:
        Inconclusive: They are not: it bills by other prices than it tells Prometheus, or for something else as well.
    """
    # Each of its two parts is rounded, and so are the hours that ours are computed from.
    slack = 2 * 10**-DIGITS
    wrong = [
        f"{'/'.join(one.key)}: {one.said:.{DIGITS}f}, and not {one.cost(prices):.{DIGITS + 2}f}"
        for one in found
        if abs(one.said - one.cost(prices)) > slack
    ]
    if wrong:
        raise Inconclusive(
            f"OpenCost's sums should be what its hours cost at its prices, but are others: {'; '.join(wrong)}. "
            "Next: kubectl -n opencost get configmap -o yaml"
        )
