"""A probe over something that is already at hand: an answer, a stream, a watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, unrecoverable
from neuroscale.settings import BUDGETS


@dataclass(frozen=True)
class ProbeFunction:
    """One expectation, and the judgement that answers it at each look."""

    description: str
    evaluate: Callable[[], Verdict]
    area: str = "serving"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the judgement has what it needs
        """Judge."""
        return self.evaluate()


def assert_met(description: str, verdict: Verdict, platform: Platform, area: str = "serving") -> None:
    """A verdict on something that is over, and that waiting would not change.

    Raises:
        ConditionTimeout: It is not met.
    """
    final = verdict or unrecoverable(verdict.observed)
    eventually(ProbeFunction(description, lambda: final, area), platform.cluster, within=BUDGETS.check)
