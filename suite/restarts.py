"""Restart counts of the platform before and after each scenario: one that nobody caused is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from neuroscale.errors import ApiError, ClusterUnreachable
from neuroscale.evidence.restarts import Container, restart_counts, unprovoked
from suite.ending import RUN
from suite.session import BREAKAGE, PLATFORM

_BEFORE = pytest.StashKey[Mapping[Container, int]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Count once the scenario's fixtures are there; a cluster that does not answer is the scenario's to find out."""
    if PLATFORM in item.config.stash and "platform" in getattr(item, "fixturenames", ()):
        with suppress(ApiError, ClusterUnreachable):
            item.stash[_BEFORE] = restart_counts(item.config.stash[PLATFORM].cluster)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Count again after the rollback, also when that failed."""
    try:
        return (yield)
    finally:
        if _BEFORE in item.stash:
            with suppress(ApiError, ClusterUnreachable):
                _compare(item, restart_counts(item.config.stash[PLATFORM].cluster))


def _compare(item: pytest.Item, after: Mapping[Container, int]) -> None:
    breakage = item.stash.get(BREAKAGE, None)
    targets = [effect.fault.target for effect in (breakage.effects if breakage else [])]
    found = unprovoked(item.stash[_BEFORE], after, {target.namespace for target in targets if target is not None})
    item.config.stash[RUN].restarts += [f"{item.name}: {restart}" for restart in found]
