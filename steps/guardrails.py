"""Policies, quotas and limits: who is rejected, by whom, for what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit
from neuroscale.guardrails import (
    admission,
    admission_load,
    bypasses,
    denied_commits,
    enforcement,
    latency,
    quota_visibility,
    quotas,
)
from neuroscale.guardrails.admission import AdmissionResponse
from neuroscale.guardrails.admission_load import AdmissionLoad
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.quota_visibility import QuotaRefusal
from neuroscale.guardrails.quotas import LimitProbe, SidecarProbe, SystemContainersFit
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform
from neuroscale.polling import consistently, eventually
from neuroscale.probes import expected, guardrails
from neuroscale.probes.guardrails import AllEnforced
from neuroscale.probes.webhooks import CanBeAnswered
from neuroscale.probes.workloads import AllAvailable
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS


@dataclass(frozen=True)
class Submitted:
    """A specimen, and what was said of it."""

    specimen: Specimen
    answers: list[AdmissionResponse]


@pytest.fixture
def loads() -> Iterator[ExitStack]:
    """Objects that are submitted until the scenario ends."""
    with ExitStack() as stack:
        yield stack


@given("the guardrails are in force")
def the_guardrails_are_in_force(platform: Platform) -> None:
    assert_steady_state("d", platform)


@given("the models are served and the guardrails are in force")
def the_models_are_guarded(platform: Platform) -> None:
    assert_steady_state("b", platform)
    assert_steady_state("d", platform)


# --- what Git describes


@given("the workloads of the guardrails", target_fixture="workloads")
def the_workloads_of_the_guardrails() -> AllAvailable:
    return guardrails.workloads_ready()


@given("the policies that Git describes", target_fixture="policies")
def the_policies_that_git_describes(platform: Platform) -> AllEnforced:
    return AllEnforced(expected.policies(platform.git_server))


@then("each denies, in the API server and through Kyverno's webhook")
def each_denies(policies: AllEnforced, platform: Platform) -> None:
    eventually(policies, platform.cluster, within=BUDGETS.check)


# --- manifests of the corpus


@when(parsers.parse("the manifest {name} is submitted"), target_fixture="submitted")
def the_manifest_is_submitted(name: str, platform: Platform) -> Submitted:
    one = admission.specimen(name, good=False)
    return Submitted(one, admission.answers_to(one, platform.cluster))


@then(parsers.parse("it is rejected by policy {policy} for {rule}"))
def it_is_rejected(policy: str, rule: str, submitted: Submitted, platform: Platform) -> None:
    admission.assert_refused(submitted.specimen, submitted.answers, policy, rule, platform)


@then("its compliant control, one field apart, is admitted")
def its_control_is_admitted(submitted: Submitted, platform: Platform) -> None:
    admission.assert_control_admitted(submitted.specimen, platform)


@given("the corpus of manifests", target_fixture="corpus")
def the_corpus(platform: Platform) -> admission.Corpus:
    return admission.Corpus(platform)


@when("an operator creates a namespace", target_fixture="corpus")
def an_operator_creates_a_namespace(breakage: Breakage) -> admission.Corpus:
    return admission.in_a_namespace_of_its_own(breakage)


@when("the API server stops enforcing the policies", target_fixture="corpus")
def the_api_server_stops_enforcing(breakage: Breakage) -> admission.Corpus:
    enforcement.leave_kyverno_alone(breakage)
    return admission.Corpus(breakage.platform)


@then("each bad manifest is rejected by its policy and rule")
@then("each bad manifest is rejected there, by its policy and rule")
def each_bad_manifest_is_rejected(corpus: admission.Corpus) -> None:
    corpus.assert_bad_refused("the API server")


@then("Kyverno alone rejects each bad manifest, by its policy and rule")
def kyverno_alone_rejects(corpus: admission.Corpus) -> None:
    corpus.assert_bad_refused("Kyverno")


@then("each compliant manifest is admitted")
@then("each compliant manifest is admitted there")
def each_compliant_manifest_is_admitted(corpus: admission.Corpus) -> None:
    corpus.assert_good_admitted()


# --- bypasses


@given(parsers.parse("manifests that try {bypass}"), target_fixture="attempts")
def manifests_that_try(bypass: str) -> bypasses.Attempts:
    return bypasses.attempts(bypass)


@then("each attempt is rejected by its policy and rule")
def each_attempt_is_rejected(attempts: bypasses.Attempts, platform: Platform) -> None:
    bypasses.assert_closed(attempts, platform)


# --- older than the policies


@when("a workload is created while the policies are not enforced", target_fixture="slipped_in")
def a_workload_is_created_unenforced(breakage: Breakage) -> enforcement.SlippedIn:
    return enforcement.create_unenforced(breakage)


@then("a background scan reports every policy that it violates")
def a_scan_reports_it(slipped_in: enforcement.SlippedIn, platform: Platform) -> None:
    enforcement.wait_for_report(slipped_in, platform)


@then("an object like it is rejected again")
def an_object_like_it_is_rejected(platform: Platform) -> None:
    enforcement.assert_refused_again(platform)


# --- through Git


@when("a commit adds workloads that exceed their AppProject", target_fixture="pushed")
def a_commit_exceeds_the_project(breakage: Breakage) -> PushedCommit:
    return denied_commits.exceed_project(breakage)


@when(parsers.parse("a commit adds the manifest {name} as a workload"), target_fixture="pushed")
def a_commit_adds_a_manifest(name: str, breakage: Breakage) -> PushedCommit:
    return denied_commits.add_bad_folder(breakage, name)


@when("a commit changes the test application to the latest image", target_fixture="pushed")
def a_commit_changes_the_image(breakage: Breakage) -> PushedCommit:
    return denied_commits.float_the_test_app(breakage)


@then("none of its objects exist")
def none_of_its_objects_exist(pushed: PushedCommit, platform: Platform) -> None:
    consistently(denied_commits.what_must_not_be_there(pushed), platform.cluster, lasting=BUDGETS.stable)


# --- quota and limits


@when(parsers.parse("an operator creates as many {objects} as the quota allows"), target_fixture="edge")
def an_operator_fills_the_quota(objects: str, breakage: Breakage) -> LimitProbe:
    return quotas.fill(objects, breakage)


@when(parsers.parse("an operator requests all that is left of the {amount}"), target_fixture="edge")
def an_operator_requests_all(amount: str, platform: Platform) -> LimitProbe:
    return quotas.ask_for_all(amount, platform)


@when(
    parsers.parse("an operator requests what is left of the {amount} for a pod with the platform's sidecar"),
    target_fixture="edge",
)
def an_operator_requests_with_a_sidecar(amount: str, platform: Platform) -> SidecarProbe:
    return quotas.ask_with_sidecar(amount, platform)


@then("without the sidecar there would have been room")
def without_the_sidecar_there_is_room(edge: SidecarProbe, platform: Platform) -> None:
    quotas.assert_alone_fits(edge, platform)


@when(parsers.parse("the quota is too small as {event}"), target_fixture="refusal")
def the_quota_is_too_small(event: str, breakage: Breakage) -> QuotaRefusal:
    return quota_visibility.refuse(event, breakage)


@then("its Application is Degraded within the quota SLO, and the quota is named")
def its_application_is_degraded(refusal: QuotaRefusal, platform: Platform, recorder: Recorder) -> None:
    quota_visibility.wait_until_shown(refusal, platform, recorder)


@then("the next one is rejected for exceeding the quota")
@then("a request above the quota is rejected for exceeding it")
@then("a request beyond the limit is rejected for exceeding it")
def a_request_beyond_is_rejected(edge: LimitProbe, platform: Platform) -> None:
    quotas.assert_limit(edge, platform)


@when(parsers.parse("an operator requests a container at the {limit}"), target_fixture="edge")
def an_operator_requests_at_the_limit(limit: str, platform: Platform) -> LimitProbe:
    return quotas.ask_at_limit(limit, platform)


@given("the limits of a container", target_fixture="fitting")
def the_limits_of_a_container() -> SystemContainersFit:
    return SystemContainersFit()


@then("the smallest sidecar that the platform injects fits them")
def the_smallest_sidecar_fits(fitting: SystemContainersFit, platform: Platform) -> None:
    eventually(fitting, platform.cluster, within=BUDGETS.check)


# --- Kyverno is unavailable


@given("violating and compliant objects are submitted continuously", target_fixture="stream")
def objects_are_submitted(platform: Platform, loads: ExitStack) -> AdmissionLoad:
    return admission_load.begin(loads, platform)


@when(parsers.parse("Kyverno {event}"), target_fixture="away_since")
def something_happens_to_kyverno(event: str, breakage: Breakage) -> admission_load.Away:
    return admission_load.happen(event, breakage)


@then("no violating object is admitted")
def no_violating_object_is_admitted(
    stream: AdmissionLoad,
    away_since: admission_load.Away,
    platform: Platform,
    recorder: Recorder,
) -> None:
    admission_load.assert_none_slipped_in(stream, away_since, platform, recorder)


@then(parsers.parse("compliant objects were {expected}"))
def what_complies_was(
    expected: str, stream: AdmissionLoad, away_since: admission_load.Away, platform: Platform
) -> None:
    admission_load.assert_compliant(stream, away_since, expected, platform)


@given("the webhooks that fail closed", target_fixture="webhooks")
def the_webhooks_that_fail_closed() -> CanBeAnswered:
    return CanBeAnswered()


@then("each has an endpoint, a certificate signed by its CA, and a timeout")
def each_can_be_answered(webhooks: CanBeAnswered, platform: Platform) -> None:
    eventually(webhooks, platform.cluster, within=BUDGETS.check)


@when(
    parsers.parse("{count:d} objects are submitted with and without Kyverno, alternately"), target_fixture="latencies"
)
def objects_are_timed(count: int, platform: Platform, recorder: Recorder) -> dict[str, list[float]]:
    return latency.measure(count, platform, recorder)


@then(parsers.parse("the median with Kyverno is at most {milliseconds:d} ms"))
def the_median_is_at_most(milliseconds: int, latencies: dict[str, list[float]], platform: Platform) -> None:
    latency.assert_median(latencies, milliseconds / 1000, platform)
