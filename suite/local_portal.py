"""The portal of this machine: built before the first scenario of the session, started for the first that wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.interruption import finishing
from neuroscale.local_portal import parts, rig
from neuroscale.local_portal.rig import LocalPortal
from suite.ending import RUN, end_session
from suite.session import needs_cluster


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Building takes minutes, which inside a scenario pass in silence and count as its own."""
    wanted = any(item.get_closest_marker("portal") for item in session.items)
    if session.testsfailed or not wanted or not needs_cluster(session.config):
        return
    try:
        parts.provide()
    except (NeuroscaleError, OSError) as error:
        end_session(session.config, error, "The portal could not be built, so nothing was run. ")


@pytest.fixture(scope="session")
def local_portal(pytestconfig: pytest.Config) -> Iterator[LocalPortal]:
    """Gitea, PostgreSQL and Backstage, which end with the session."""
    made = parts.provide()
    pytestconfig.stash[RUN].versions |= made.versions
    running = rig.local_portal(made)
    try:
        portal = running.__enter__()
    except (NeuroscaleError, OSError) as error:
        # One sentence, once, instead of the same failure for every scenario.
        end_session(pytestconfig, error, "The portal could not be started, so nothing was run. ")
    try:
        yield portal
    finally:
        with finishing():
            running.__exit__(None, None, None)
