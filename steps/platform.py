"""The platform as a whole: is it there, is it healthy."""

from __future__ import annotations

from pytest_bdd import given

from neuroscale.milestones import assert_steady_state, reachable
from neuroscale.platform import Platform


@given("the cluster is reachable")
def the_cluster_is_reachable(platform: Platform) -> None:
    reachable(platform)


@given("the platform is healthy")
def the_platform_is_healthy(platform: Platform) -> None:
    assert_steady_state("a", platform)
