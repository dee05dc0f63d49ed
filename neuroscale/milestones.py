"""The milestones: what each promises, and its steady state. The same probes are gate, verdict and ``neuroscale check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from neuroscale.platform import Platform
from neuroscale.probes import argo, expected
from neuroscale.waiting import Probe


def _gitops(platform: Platform) -> Iterable[Probe]:
    yield argo.workloads_ready()
    yield argo.ApplicationsAreExactly(expected.applications(platform.forge))


_STEADY_STATES: dict[str, Callable[[Platform], Iterable[Probe]]] = {"a": _gitops}
#: Milestones that have scenarios, in order.
MILESTONES = tuple(_STEADY_STATES)


def probes_of(milestone: str, platform: Platform) -> list[Probe]:
    """The steady state of a milestone, as Git describes it at this moment."""
    return list(_STEADY_STATES[milestone](platform))
