"""The portal of this machine: started for the first scenario of the session that wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.interruption import finishing
from neuroscale.local_portal import parts, rig
from neuroscale.local_portal.rig import LocalPortal
from suite.ending import RUN, end_session


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
