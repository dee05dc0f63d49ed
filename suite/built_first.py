"""What scenarios work with beside the cluster is built before the first of the session, with its progress in view."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from neuroscale.errors import NeuroscaleError
from neuroscale.gate import tools
from neuroscale.gate.production import checkers
from neuroscale.local_portal import parts
from suite.ending import end_session
from suite.session import PORTAL_AS_PROCESSES, needs_cluster

#: Marker of the scenarios -> what they work with, and who builds it.
_BUILT: Mapping[str, tuple[str, Callable[[], object]]] = {
    "gate": ("The gate's tools", lambda: tools.provide(everything=True)),
    **dict.fromkeys(("render", "agreement"), ("The gate's tools", tools.provide)),
    "production": ("The checkers of the production profile", checkers.provide),
    **dict.fromkeys(PORTAL_AS_PROCESSES, ("The portal", parts.provide)),
}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Building takes minutes, which inside a scenario pass in silence and count as its own."""
    if session.testsfailed or not needs_cluster(session.config):
        return
    for marker, (what, build) in _BUILT.items():
        if any(item.get_closest_marker(marker) for item in session.items):
            try:
                build()
            except (NeuroscaleError, OSError) as error:
                end_session(session.config, error, f"{what} could not be built, so nothing was run. ")
