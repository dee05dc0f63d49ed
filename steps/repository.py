"""Commits, and what the cluster makes of them."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit
from neuroscale.chaos.faults import PushHookSwitchedOff
from neuroscale.gitops import commit_scenarios
from neuroscale.platform import Platform
from neuroscale.polling import Probe, consistently, eventually
from neuroscale.probes import argo
from neuroscale.probes.reference_app import NGINX
from neuroscale.probes.workloads import Available
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS


@when(parsers.parse("a commit gives the test application {count:d} replicas"), target_fixture="pushed")
def a_commit_gives_replicas(count: int, breakage: Breakage) -> PushedCommit:
    return commit_scenarios.commit_replicas(breakage, count)


@given(parsers.parse("a commit has given the test application {count:d} replicas"), target_fixture="pushed")
def a_commit_has_given_replicas(count: int, breakage: Breakage) -> PushedCommit:
    return commit_scenarios.arrived(commit_scenarios.commit_replicas(breakage, count), breakage.platform)


@given("a commit has added a ConfigMap to the test application", target_fixture="pushed")
def a_commit_has_added_a_config_map(breakage: Breakage) -> PushedCommit:
    return commit_scenarios.arrived(commit_scenarios.add_object(breakage), breakage.platform)


@when("a commit adds a folder with a workload", target_fixture="pushed")
def a_commit_adds_a_folder(breakage: Breakage) -> PushedCommit:
    return commit_scenarios.add_folder(breakage)


@given("a commit has added a folder with a workload", target_fixture="pushed")
def a_commit_has_added_a_folder(breakage: Breakage) -> PushedCommit:
    return commit_scenarios.arrived(commit_scenarios.add_folder(breakage), breakage.platform)


@when(parsers.parse("a commit breaks the test application with a manifest that {defect}"), target_fixture="pushed")
def a_commit_breaks_the_manifest(defect: str, breakage: Breakage) -> PushedCommit:
    return commit_scenarios.break_manifest(breakage, defect)


@when(parsers.parse("{count:d} commits are pushed, each once the one before is synced"), target_fixture="told_after")
def commits_are_pushed(count: int, breakage: Breakage, recorder: Recorder) -> list[float | None]:
    return commit_scenarios.commit_in_turn(breakage, recorder, count)


@then("Argo CD is told of each within the push SLO")
def argo_cd_is_told(told_after: list[float | None], platform: Platform) -> None:
    commit_scenarios.assert_noticed(told_after, platform)


@given("the Git server tells nobody of pushes")
def the_git_server_tells_nobody(breakage: Breakage) -> None:
    breakage.inject(PushHookSwitchedOff())


@when("that commit is reverted in Git", target_fixture="pushed")
def that_commit_is_reverted(pushed: PushedCommit, platform: Platform) -> PushedCommit:
    return commit_scenarios.revert(pushed, platform)


@then("the cluster matches Git within the pick-up SLO", target_fixture="lasting")
@then("the ConfigMap is pruned within the pick-up SLO", target_fixture="lasting")
@then("an Application for it becomes Healthy within the pick-up SLO", target_fixture="lasting")
@then("its Application is deleted within the pick-up SLO", target_fixture="lasting")
@then("the Application shows the error within the pick-up SLO", target_fixture="lasting")
@then("each Application for it shows within the pick-up SLO what is rejected", target_fixture="lasting")
def the_cluster_matches_git(pushed: PushedCommit, platform: Platform, recorder: Recorder) -> Probe:
    return commit_scenarios.wait_for_sync(pushed, platform, recorder)


@then("the cluster matches Git within the pick-up SLO, by polling", target_fixture="lasting")
def the_cluster_matches_git_by_polling(pushed: PushedCommit, platform: Platform, recorder: Recorder) -> Probe:
    return commit_scenarios.wait_for_sync(pushed, platform, recorder, series="commit to cluster, polled for")


@then("that Application is owned by the ApplicationSet")
def it_is_owned(platform: Platform) -> None:
    eventually(argo.OwnedByApplicationSet(commit_scenarios.NEWCOMER), platform.cluster, within=BUDGETS.check)


@then("its objects are deleted as well")
def its_objects_are_deleted(platform: Platform) -> None:
    eventually(argo.Gone(commit_scenarios.NEWCOMER_OBJECT), platform.cluster, within=BUDGETS.check)


@then("the last good state keeps running")
def the_last_good_state_keeps_running(platform: Platform) -> None:
    consistently(Available(NGINX), platform.cluster, lasting=BUDGETS.stable)
