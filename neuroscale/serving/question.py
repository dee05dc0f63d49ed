"""A probe over something that is already at hand: an answer, a stream, a watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.platform import Platform
from neuroscale.settings import BUDGETS
from neuroscale.waiting import Verdict, hopeless, until


@dataclass(frozen=True)
class Question:
    """One expectation, and the judgement that answers it at each look."""

    says: str
    judge: Callable[[], Verdict]
    area: str = "serving"

    def look(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the judgement has what it needs
        """Judge."""
        return self.judge()


def demand(says: str, verdict: Verdict, platform: Platform, area: str = "serving") -> None:
    """A verdict on something that is over, and that waiting would not change.

    Raises:
        NotMet: It is not met.
    """
    final = verdict or hopeless(verdict.observed)
    until(Question(says, lambda: final, area), platform.cluster, within=BUDGETS.look)
