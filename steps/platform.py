"""The platform as a whole: is it there, is it in its steady state."""

from __future__ import annotations

from pytest_bdd import given, parsers, then

from neuroscale.milestones import SteadyState, assert_steady_state, parse_milestones, reachable
from neuroscale.platform import Platform
from neuroscale.polling import consistently, eventually
from neuroscale.settings import BUDGETS


@given("the cluster is reachable")
def the_cluster_is_reachable(platform: Platform) -> None:
    reachable(platform)


@given("the platform is in its steady state")
def the_platform_is_in_its_steady_state(platform: Platform) -> None:
    assert_steady_state("a", platform)


@given(parsers.parse("the steady state of {component}"), target_fixture="steady")
def the_steady_state_of(component: str, platform: Platform) -> SteadyState:
    (milestone,) = parse_milestones(component)
    return SteadyState.as_git_describes(milestone, platform)


@then("it holds in every respect")
def it_holds(steady: SteadyState, platform: Platform) -> None:
    # The platform may still be settling after the scenario before this one; what is sick does not settle.
    eventually(steady, platform.cluster, within=BUDGETS.recover)
    consistently(steady, platform.cluster, lasting=BUDGETS.stable)
