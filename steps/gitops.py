"""Argo CD, its Applications, and drift."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.gitops import drift_scenarios
from neuroscale.gitops.drift_scenarios import Drifted
from neuroscale.platform import Platform
from neuroscale.polling import Probe, consistently, eventually
from neuroscale.probes import argo, expected
from neuroscale.probes.applications import ApplicationsExist, EachApplication
from neuroscale.probes.workloads import AllAvailable
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS


@given("the workloads of Argo CD", target_fixture="workloads")
def the_workloads_of_argo_cd() -> AllAvailable:
    return argo.workloads_ready()


@then("each of them has all its containers ready")
def each_has_all_containers_ready(workloads: AllAvailable, platform: Platform) -> None:
    eventually(workloads, platform.cluster, within=BUDGETS.check)


@given("the Applications that Git describes", target_fixture="described")
def the_applications_that_git_describes(platform: Platform) -> frozenset[str]:
    return expected.applications(platform.git_server)


@then("exactly these Applications exist")
def exactly_these_exist(described: frozenset[str], platform: Platform) -> None:
    eventually(ApplicationsExist(described), platform.cluster, within=BUDGETS.check)


@then("each is Synced, Healthy, without errors and recently reconciled")
def each_is_good(described: frozenset[str], platform: Platform) -> None:
    eventually(EachApplication(described), platform.cluster, within=BUDGETS.check)


@given(parsers.parse("the self-heal backoff of {whose} is reset"))
def the_backoff_is_reset(whose: str, platform: Platform) -> None:
    drift_scenarios.reset_self_heal_backoff(whose, platform)


@given("no Application waits for its self-heal backoff")
def no_application_backs_off(platform: Platform) -> None:
    drift_scenarios.end_self_heal_backoffs(platform)


@when(parsers.re(r"an operator (?P<words>.+) of the test application"), target_fixture="drifted")
@when(parsers.re(r"an operator (?P<words>turns off self-heal on a child Application)"), target_fixture="drifted")
def an_operator_changes_it_by_hand(words: str, breakage: Breakage) -> Drifted:
    return drift_scenarios.make(words, breakage)


@then("Argo CD restores it within the self-heal SLO", target_fixture="lasting")
def argo_cd_restores_it(drifted: Drifted, platform: Platform, recorder: Recorder) -> Probe:
    return drift_scenarios.wait_for_heal(drifted, platform, recorder)


@then("it stays that way")
def it_stays_that_way(lasting: Probe, platform: Platform) -> None:
    consistently(lasting, platform.cluster, lasting=BUDGETS.stable)
