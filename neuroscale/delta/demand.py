"""Demand of many pods: at least, and at most, since autoscalers decide in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from neuroscale.delta.needs import SIDES, Amounts, Needs
from neuroscale.kubernetes.quantities import exact

ZERO = Decimal(0)
PODS = "pods"
#: What is shown of a demand, as quotas call it.
SHOWN = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", PODS)


@dataclass(frozen=True)
class Demand:
    """What is asked for: cores, bytes, pods.

    Attributes:
        least: With as few pods as there may be.
        most: With as many as there may be; where nobody says how many, with the fewest.
        unbounded: How many sorts of pods nobody bounds.
    """

    least: Amounts = field(default_factory=dict)
    most: Amounts = field(default_factory=dict)
    unbounded: int = 0

    @classmethod
    def of(cls, pod: Needs, least: int, most: int | None) -> Demand:
        """Of so many pods; ``None``: nobody says how many there may be."""
        return cls(_times(pod, least), _times(pod, least if most is None else most), int(most is None))

    @classmethod
    def sum(cls, demands: Iterable[Demand]) -> Demand:
        """All of them together."""
        whole = cls()
        for one in demands:
            whole = whole + one
        return whole

    def __add__(self, other: Demand) -> Demand:
        return Demand(
            _joined(self.least, other.least, 1), _joined(self.most, other.most, 1), self.unbounded + other.unbounded
        )

    def __sub__(self, other: Demand) -> Demand:
        return Demand(
            _joined(self.least, other.least, -1), _joined(self.most, other.most, -1), self.unbounded - other.unbounded
        )

    @property
    def is_none(self) -> bool:
        """Whether it is nothing at all."""
        return not (any(self.least.values()) or any(self.most.values()) or self.unbounded)


@exact()
def _times(pod: Needs, count: int) -> dict[str, Decimal]:
    one = {f"{side}.{resource}": amount for side in SIDES for resource, amount in pod.side(side).items()}
    return {PODS: Decimal(count), **{what: amount * count for what, amount in one.items()}}


@exact()
def _joined(one: Mapping[str, Decimal], other: Mapping[str, Decimal], sign: int) -> dict[str, Decimal]:
    return {what: one.get(what, ZERO) + sign * other.get(what, ZERO) for what in {**one, **other}}
