"""Commits, and what the cluster makes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale import changes
from neuroscale.changes import Pushed
from neuroscale.chaos.breakage import Breakage
from neuroscale.drift import NGINX
from neuroscale.platform import Platform
from neuroscale.probes import argo
from neuroscale.probes.workloads import Available
from neuroscale.record import Sample
from neuroscale.settings import BUDGETS
from neuroscale.waiting import Probe, throughout, until

Keep = Callable[[Sample], None]


@when(parsers.parse("a commit gives the test application {count:d} replicas"), target_fixture="pushed")
def a_commit_gives_replicas(count: int, breakage: Breakage) -> Pushed:
    return changes.give_replicas(breakage, count)


@given(parsers.parse("a commit has given the test application {count:d} replicas"), target_fixture="pushed")
def a_commit_has_given_replicas(count: int, breakage: Breakage) -> Pushed:
    return changes.arrived(changes.give_replicas(breakage, count), breakage.platform)


@given("a commit has added a ConfigMap to the test application", target_fixture="pushed")
def a_commit_has_added_a_config_map(breakage: Breakage) -> Pushed:
    return changes.arrived(changes.add_object(breakage), breakage.platform)


@when("a commit adds a folder with a workload", target_fixture="pushed")
def a_commit_adds_a_folder(breakage: Breakage) -> Pushed:
    return changes.add_folder(breakage)


@given("a commit has added a folder with a workload", target_fixture="pushed")
def a_commit_has_added_a_folder(breakage: Breakage) -> Pushed:
    return changes.arrived(changes.add_folder(breakage), breakage.platform)


@when(parsers.parse("a commit breaks the test application with a manifest that {defect}"), target_fixture="pushed")
def a_commit_breaks_the_manifest(defect: str, breakage: Breakage) -> Pushed:
    return changes.break_manifest(breakage, defect)


@when("that commit is reverted in Git", target_fixture="pushed")
def that_commit_is_reverted(pushed: Pushed, platform: Platform) -> Pushed:
    return changes.revert(pushed, platform)


@then("the cluster follows within the pick-up time", target_fixture="lasting")
@then("the ConfigMap is pruned within the pick-up time", target_fixture="lasting")
@then("an Application for it becomes healthy within the pick-up time", target_fixture="lasting")
@then("its Application is gone within the pick-up time", target_fixture="lasting")
@then("the Application shows the error within the pick-up time", target_fixture="lasting")
@then("each Application for it says within the pick-up time what is refused", target_fixture="lasting")
def the_cluster_follows(pushed: Pushed, platform: Platform, request: pytest.FixtureRequest, sample: Keep) -> Probe:
    return changes.wait_until_followed(pushed, platform, request.node.name, sample)


@then("that Application is owned by the ApplicationSet")
def it_is_owned(platform: Platform) -> None:
    until(argo.OwnedByApplicationSet(changes.NEWCOMER), platform.cluster, within=BUDGETS.look)


@then("its objects are gone as well")
def its_objects_are_gone(platform: Platform) -> None:
    until(argo.Gone(changes.NEWCOMER_OBJECT), platform.cluster, within=BUDGETS.look)


@then("the last good state keeps running")
def the_last_good_state_keeps_running(platform: Platform) -> None:
    throughout(Available(NGINX), platform.cluster, lasting=BUDGETS.stable)
