"""The portal of this machine: started for the first scenario of the session that wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.git_server import GitServer
from neuroscale.interruption import finishing
from neuroscale.local_portal import mortal, parts, rig
from neuroscale.local_portal.mortal import MortalPortal
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.rig import LocalPortal
from suite.ending import RUN, end_session

_Portal = TypeVar("_Portal")


@pytest.fixture(scope="session")
def local_portal(pytestconfig: pytest.Config) -> Iterator[LocalPortal]:
    """Gitea, PostgreSQL and Backstage, which end with the session."""
    yield from _for_the_session(pytestconfig, rig.local_portal)


@pytest.fixture(scope="session")
def local_git_server(pytestconfig: pytest.Config) -> Iterator[GitServer]:
    """Gitea alone, which ends with the session."""
    yield from _for_the_session(pytestconfig, rig.local_git_server)


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
