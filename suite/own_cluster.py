"""A cluster of its own, for scenarios that kill, repeat and undo its bootstrap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from neuroscale.bootstrap_scenarios import decoys, fingerprint
from neuroscale.bootstrap_scenarios import own_cluster as owned
from neuroscale.bootstrap_scenarios.fingerprint import Undisturbed
from neuroscale.bootstrap_scenarios.own_cluster import OwnCluster
from neuroscale.errors import NeuroscaleError
from neuroscale.interruption import finishing
from suite.ending import end_session


@pytest.fixture(scope="session")
def own_cluster(pytestconfig: pytest.Config) -> Iterator[OwnCluster]:
    """A name that nothing bears; what bears it when the session ends is deleted."""
    holding = owned.own_cluster()
    try:
        own = holding.__enter__()
    except (NeuroscaleError, OSError) as error:
        end_session(pytestconfig, error, "No cluster could be bootstrapped, so nothing was run. ")
    try:
        yield own
    finally:
        with finishing():
            decoys.remove(own)
            holding.__exit__(None, None, None)


@pytest.fixture(scope="session")
def undisturbed(pytestconfig: pytest.Config, own_cluster: OwnCluster) -> Undisturbed:
    """What two bootstraps make that nobody disturbs; the session has nothing to compare with where they fail."""
    try:
        return fingerprint.take_undisturbed(own_cluster)
    except (NeuroscaleError, OSError) as error:
        end_session(pytestconfig, error, "An undisturbed bootstrap failed, so nothing was run. ")
