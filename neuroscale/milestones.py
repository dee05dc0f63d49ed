"""The milestones and their steady states. The same probes are precondition, verdict and ``neuroscale check``.

``python -m neuroscale.milestones`` prints their letters.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from neuroscale.cluster.client import Cluster
from neuroscale.components import COMPONENTS
from neuroscale.errors import (
    ApiError,
    ClusterUnreachable,
    ConditionTimeout,
    NeuroscaleError,
    SteadyStateLost,
    UsageError,
    WriteForbidden,
)
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.probes.progress_reporter import ProgressReporter
from neuroscale.settings import BUDGETS

_LOG = logging.getLogger(__name__)

#: Milestones that bring components, in order.
MILESTONES = tuple(dict.fromkeys(component.milestone for component in COMPONENTS))
#: What people call them -> letter.
NAMES = {component.name: component.milestone for component in COMPONENTS}


def parse_milestones(text: str) -> list[str]:
    """Milestones as people write them (``"a b"``, ``"a,b"``, ``"gitops"``, ``"all"``) as letters.

    Raises:
        UsageError: One of them does not exist.
    """
    words = text.lower().replace(",", " ").split()
    if not words or words == ["all"]:
        return list(MILESTONES)
    wanted = [NAMES.get(word, word) for word in words]
    if unknown := [word for word in wanted if word not in MILESTONES]:
        known = ", ".join(f"{letter} ({name})" for name, letter in NAMES.items())
        raise UsageError(
            f"Milestones that bring components should be among {known}, but {' '.join(unknown)} is not. "
            "Next: one of these; for other scenarios pytest -m milestone_e, or what pytest --markers lists"
        )
    return wanted


def probes_of(milestone: str, platform: Platform) -> list[Probe]:
    """The steady state of a milestone, as Git describes it at this moment.

    What can be asked without Git is asked first, and is all there is when Git cannot be read, with one that says so.
    """
    probes: list[Probe] = []
    try:
        for one in COMPONENTS:
            if one.milestone == milestone:
                for probe in one.steady_state(platform):
                    probes.append(probe)  # noqa: PERF402 - what was there before an error counts
    except NeuroscaleError as error:
        seen = pending(str(error))
        probes.append(ProbeFunction("what Git describes can be read", lambda: seen, milestone))
    return probes


@dataclass(frozen=True)
class SteadyState:
    """All that belongs to the steady state of a milestone, asked at once.

    What was good a moment ago may be on its way down, as while Argo CD learns of a deletion.

    Attributes:
        milestone: Its letter.
        probes: What there is to ask, at each look.
        first_only: Whether a look ends with the first thing amiss, as recovery times want it, or names each.
    """

    milestone: str
    probes: Callable[[], Sequence[Probe]]
    first_only: bool = False

    @classmethod
    def as_git_describes(cls, milestone: str, platform: Platform) -> Self:
        """The one that Git is asked for at each look."""
        return cls(milestone, partial(probes_of, milestone, platform))

    @property
    def area(self) -> str:
        """The milestone's letter."""
        return self.milestone

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the steady state of milestone {self.milestone.upper()} holds"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask each probe once."""
        probes, bad = self.probes(), list[tuple[str, Verdict]]()
        for probe in probes:
            if not (verdict := _asked(probe, cluster)):
                bad.append((probe.description, verdict))
                if self.first_only:
                    break
        if not probes:
            return unrecoverable("nothing is asked")
        if not bad:
            return met(f"{len(probes)} of {len(probes)} expectations are met")
        worst = unrecoverable if any(verdict.state == "unrecoverable" for _, verdict in bad) else pending
        seen = "; ".join(f"it is not so that {description}: {verdict.observed}" for description, verdict in bad)
        return worst(f"{'at least ' * self.first_only}{len(bad)} of {len(probes)} expectations are not met: {seen}")


def _asked(probe: Probe, cluster: Cluster) -> Verdict:
    """What it says; that it could not be asked for want of Git is a thing amiss as well, and hides no other."""
    try:
        return probe.check(cluster)
    except (ApiError, ClusterUnreachable, WriteForbidden):
        raise
    except NeuroscaleError as error:
        return pending(str(error))


def assert_steady_state(milestone: str, platform: Platform) -> None:
    """The steady state must hold before anything is broken. Nothing is timed yet, so it is helped along.

    Raises:
        SteadyStateLost: It does not, so the scenario is not run, and no other will be.
    """
    helped_along = ProgressReporter(
        SteadyState.as_git_describes(milestone, platform), _LOG.info, lambda: _refresh(platform)
    )
    try:
        eventually(helped_along, platform.cluster, within=BUDGETS.recover)
    except ConditionTimeout as error:
        raise SteadyStateLost(
            f"The steady state of milestone {milestone.upper()} does not hold, so nothing was tried. {error}"
        ) from error


def _refresh(platform: Platform) -> Iterator[str]:
    """Ask whatever met an error during an earlier scenario to look again: it may sleep for minutes."""
    for component in COMPONENTS:
        for stage in component.stages:
            yield from stage.refresh(platform)


def reachable(platform: Platform) -> None:
    """The API server answers; nothing more is asked of the platform.

    Raises:
        ClusterUnreachable: It does not.
    """
    platform.cluster.text("/readyz")


if __name__ == "__main__":
    print(*MILESTONES)
