"""Restart counts of the platform before and after each scenario: a restart is told with what may have provoked it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from neuroscale.chaos import breakage
from neuroscale.chaos.faults import Fault
from neuroscale.errors import ApiError, ClusterUnreachable
from neuroscale.evidence.restarts import Container, restart_counts, restarts
from suite.ending import RUN
from suite.session import PLATFORM

_BEFORE = pytest.StashKey[Mapping[Container, int]]()
#: Injected by the scenario, its incident or its mutant.
_FAULTS = pytest.StashKey[list[Fault]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.stash[_FAULTS] = []
    breakage.listeners.append(item.stash[_FAULTS].append)
    try:
        return (yield)
    finally:
        breakage.listeners.pop()


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
                after = restart_counts(item.config.stash[PLATFORM].cluster)
                faults = item.stash[_FAULTS]
                found = restarts(item.stash[_BEFORE], after, faults)
                item.config.stash[RUN].restarts += [f"{item.name}: {restart}" for restart in found]
