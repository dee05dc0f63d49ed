"""The portal of this machine: built before the first scenario of the session, started for the first that wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.interruption import finishing
from neuroscale.local_portal import mortal, parts, rig
from neuroscale.local_portal.mortal import MortalPortal
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.rig import LocalPortal
from suite.ending import RUN, end_session
from suite.session import PORTAL_AS_PROCESSES, needs_cluster

_Portal = TypeVar("_Portal")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Building takes minutes, which inside a scenario pass in silence and count as its own."""
    wanted = any(item.get_closest_marker(name) for item in session.items for name in PORTAL_AS_PROCESSES)
    if session.testsfailed or not wanted or not needs_cluster(session.config):
        return
    try:
        parts.provide()
    except (NeuroscaleError, OSError) as error:
        end_session(session.config, error, "The portal could not be built, so nothing was run. ")


@pytest.fixture(scope="session")
def local_portal(pytestconfig: pytest.Config) -> Iterator[LocalPortal]:
    """Gitea, PostgreSQL and Backstage, which end with the session."""
    yield from _for_the_session(pytestconfig, rig.local_portal)


@pytest.fixture(scope="session")
def mortal_portal(pytestconfig: pytest.Config) -> Iterator[MortalPortal]:
    """The same, of which each can be killed."""
    yield from _for_the_session(pytestconfig, mortal.mortal_portal)


def _for_the_session(
    config: pytest.Config, started: Callable[[Parts], AbstractContextManager[_Portal]]
) -> Iterator[_Portal]:
    made = parts.provide()
    config.stash[RUN].versions |= made.versions
    running = started(made)
    try:
        portal = running.__enter__()
    except (NeuroscaleError, OSError) as error:
        # One sentence, once, instead of the same failure for every scenario.
        end_session(config, error, "The portal could not be started, so nothing was run. ")
    try:
        yield portal
    finally:
        with finishing():
            running.__exit__(None, None, None)
