"""Policies, quotas and limits: who is refused, by whom, for what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.gitops.commit_scenarios import PushedCommit
from neuroscale.guardrails import admission, admission_load, bypasses, denied_commits, enforcement, latency, quotas
from neuroscale.guardrails.admission import AdmissionResponse
from neuroscale.guardrails.admission_load import AdmissionLoad
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.quotas import LimitProbe, SystemContainersFit
from neuroscale.milestones import gate
from neuroscale.platform import Platform
from neuroscale.polling import consistently, eventually
from neuroscale.probes import expected, guardrails
from neuroscale.probes.guardrails import AllEnforced
from neuroscale.probes.webhooks import CanBeAnswered
from neuroscale.probes.workloads import AllAvailable
from neuroscale.results import Sample
from neuroscale.settings import BUDGETS

Keep = Callable[[Sample], None]


@dataclass(frozen=True)
class Submitted:
    """A specimen, and what was said of it."""

    specimen: Specimen
    answers: list[AdmissionResponse]


@pytest.fixture
def onslaughts() -> Iterator[ExitStack]:
    """Objects that are submitted until the scenario ends."""
    with ExitStack() as stack:
        yield stack


@given("the guardrails are in force")
def the_guardrails_are_in_force(platform: Platform) -> None:
    gate("d", platform)


# --- what Git describes


@when("the workloads of the guardrails are looked at", target_fixture="workloads")
def the_workloads_are_looked_at() -> AllAvailable:
    return guardrails.workloads_ready()


@when("the policies are compared with Git", target_fixture="policies")
def the_policies_are_compared(platform: Platform) -> AllEnforced:
    return AllEnforced(expected.policies(platform.git_server))


@then("each denies, in the API server and through Kyverno's webhook")
def each_denies(policies: AllEnforced, platform: Platform) -> None:
    eventually(policies, platform.cluster, within=BUDGETS.check)


# --- specimens


@when(parsers.parse("the specimen {name} is submitted"), target_fixture="submitted")
def someone_submits(name: str, platform: Platform) -> Submitted:
    one = admission.specimen(name, good=False)
    return Submitted(one, admission.answers_to(one, platform.cluster))


@then(parsers.parse("it is refused by policy {policy} for {rule}"))
def it_is_refused(policy: str, rule: str, submitted: Submitted, platform: Platform) -> None:
    admission.assert_refused(submitted.specimen, submitted.answers, policy, rule, platform)


@then("its twin, one field apart, is admitted")
def its_twin_is_admitted(submitted: Submitted, platform: Platform) -> None:
    admission.assert_twin_admitted(submitted.specimen, platform)


@when("the whole corpus is submitted", target_fixture="corpus")
def someone_submits_the_corpus(platform: Platform) -> admission.Corpus:
    return admission.Corpus(platform)


@when("someone brings their own namespace", target_fixture="corpus")
def someone_makes_a_namespace(breakage: Breakage) -> admission.Corpus:
    return admission.in_a_namespace_of_its_own(breakage)


@when("the enforcement by the API server ends", target_fixture="corpus")
def the_api_server_no_longer_enforces(breakage: Breakage) -> admission.Corpus:
    enforcement.leave_kyverno_alone(breakage)
    return admission.Corpus(breakage.platform)


@then("each bad specimen is refused by its policy and rule")
@then("each bad specimen is refused there, by its policy and rule")
def each_bad_specimen_is_refused(corpus: admission.Corpus) -> None:
    corpus.assert_bad_refused("the API server")


@then("Kyverno alone refuses each bad specimen, by its policy and rule")
def kyverno_alone_refuses(corpus: admission.Corpus) -> None:
    corpus.assert_bad_refused("Kyverno")


@then("what complies is admitted")
@then("what complies is admitted there")
def what_complies_is_admitted(corpus: admission.Corpus) -> None:
    corpus.assert_good_admitted()


# --- ways around


@when(parsers.parse("the way around is {way}"), target_fixture="attempts")
def someone_tries(way: str) -> bypasses.Attempts:
    return bypasses.attempts(way)


@then("each attempt is refused by its policy and rule")
def each_attempt_is_refused(attempts: bypasses.Attempts, platform: Platform) -> None:
    bypasses.assert_closed(attempts, platform)


# --- what was there before


@when("a workload slips in while nobody enforces them", target_fixture="slipped_in")
def a_workload_slips_in(breakage: Breakage) -> enforcement.SlippedIn:
    return enforcement.create_unenforced(breakage)


@then("a background scan reports it, by each policy that it breaks")
def a_scan_reports_it(slipped_in: enforcement.SlippedIn, platform: Platform) -> None:
    enforcement.wait_for_report(slipped_in, platform)


@then("its like is refused again")
def its_like_is_refused(platform: Platform) -> None:
    enforcement.assert_refused_again(platform)


# --- by way of Git


@when("a commit adds workloads that reach beyond their project", target_fixture="pushed")
def a_commit_overreaches(breakage: Breakage) -> PushedCommit:
    return denied_commits.exceed_project(breakage)


@when(parsers.parse("a commit adds the specimen {name} as a workload"), target_fixture="pushed")
def a_commit_adds_a_specimen(name: str, breakage: Breakage) -> PushedCommit:
    return denied_commits.add_bad_folder(breakage, name)


@when("a commit lets the test application run the latest image", target_fixture="pushed")
def a_commit_floats(breakage: Breakage) -> PushedCommit:
    return denied_commits.float_the_test_app(breakage)


@then("nothing of it is there")
def nothing_of_it_is_there(pushed: PushedCommit, platform: Platform) -> None:
    consistently(denied_commits.what_must_not_be_there(pushed), platform.cluster, lasting=BUDGETS.stable)


# --- quota and limits


@when(parsers.parse("someone makes as many {objects} as there may be"), target_fixture="edge")
def someone_fills_the_quota(objects: str, breakage: Breakage) -> LimitProbe:
    return quotas.fill(objects, breakage)


@when(parsers.parse("someone asks for all that is left of {amount}"), target_fixture="edge")
def someone_asks_for_all(amount: str, platform: Platform) -> LimitProbe:
    return quotas.ask_for_all(amount, platform)


@then("the next one is refused for exceeding its quota")
@then("more than that is refused for exceeding its quota")
@then("what lies beyond the bound is refused for it")
def what_lies_beyond_is_refused(edge: LimitProbe, platform: Platform) -> None:
    quotas.assert_limit(edge, platform)


@when(parsers.parse("someone asks for a container at the {bound}"), target_fixture="edge")
def someone_asks_at_the_bound(bound: str, platform: Platform) -> LimitProbe:
    return quotas.ask_at_bound(bound, platform)


@when("the bounds of a container are compared with the platform's own", target_fixture="fitting")
def the_bounds_are_compared() -> SystemContainersFit:
    return SystemContainersFit()


@then("the smallest of them fits")
def the_smallest_fits(fitting: SystemContainersFit, platform: Platform) -> None:
    eventually(fitting, platform.cluster, within=BUDGETS.check)


# --- Kyverno is away


@given("violating and compliant objects are submitted all the time", target_fixture="stream")
def objects_are_submitted(platform: Platform, onslaughts: ExitStack) -> AdmissionLoad:
    return admission_load.begin(onslaughts, platform)


@when(parsers.parse("Kyverno {event}"), target_fixture="away_since")
def something_happens_to_kyverno(event: str, breakage: Breakage) -> admission_load.Away:
    return admission_load.happen(event, breakage)


@then("no violating object is admitted")
def no_violating_object_is_admitted(
    stream: AdmissionLoad,
    away_since: admission_load.Away,
    platform: Platform,
    request: pytest.FixtureRequest,
    sample: Keep,
) -> None:
    admission_load.assert_none_slipped_in(stream, away_since, platform, request.node.name, sample)


@then(parsers.parse("what complies was {expected}"))
def what_complies_was(
    expected: str, stream: AdmissionLoad, away_since: admission_load.Away, platform: Platform
) -> None:
    admission_load.assert_compliant(stream, away_since, expected, platform)


@when("the webhooks that fail closed are looked at", target_fixture="webhooks")
def the_webhooks_are_looked_at() -> CanBeAnswered:
    return CanBeAnswered()


@then("each has an endpoint, a certificate that its authority has signed, and a time limit")
def each_can_be_answered(webhooks: CanBeAnswered, platform: Platform) -> None:
    eventually(webhooks, platform.cluster, within=BUDGETS.check)


@when(parsers.parse("{count:d} objects are submitted with Kyverno and without it, in turn"), target_fixture="latencies")
def objects_are_timed(
    count: int, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> dict[str, list[float]]:
    return latency.measure(count, platform, request.node.name, sample)


@then(parsers.parse("half of those with it take at most {milliseconds:d} ms"))
def half_take_at_most(milliseconds: int, latencies: dict[str, list[float]], platform: Platform) -> None:
    latency.assert_median(latencies, milliseconds / 1000, platform)
