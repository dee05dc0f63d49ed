"""What scenarios of the gate work with is built before the first scenario of the session, with its progress in view."""

from __future__ import annotations

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.gate import tools
from suite.ending import end_session
from suite.session import needs_cluster


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Compiling takes minutes, which inside a scenario pass in silence and count as its own."""
    wanted = any(item.get_closest_marker("gate") for item in session.items)
    if session.testsfailed or not wanted or not needs_cluster(session.config):
        return
    try:
        tools.provide(everything=True)
    except (NeuroscaleError, OSError) as error:
        end_session(session.config, error, "The gate's tools could not be built, so nothing was run. ")
