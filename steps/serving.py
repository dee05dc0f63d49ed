"""Models: predictions, rollouts, scale to zero, load, and the loss of what they depend on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit
from neuroscale.gitops import commit_scenarios
from neuroscale.inference_client import InferenceResponse, Protocol, gateway_url
from neuroscale.milestones import assert_steady_state
from neuroscale.model_store import NEXT, SERVED
from neuroscale.platform import Platform
from neuroscale.polling import Probe, eventually
from neuroscale.probes import expected, serving
from neuroscale.probes.probe_function import assert_met
from neuroscale.probes.serving import AllAnswer, AllGenerated, AllReady
from neuroscale.probes.workloads import AllAvailable
from neuroscale.results import Recorder
from neuroscale.serving import (
    certificate,
    crd_deletion,
    gateway_load,
    inference_requests,
    model_creation,
    model_rollouts,
    outages,
    request_stream,
    scale_from_zero,
)
from neuroscale.serving.certificate import CertificateLoss
from neuroscale.serving.crd_deletion import CrdLoss, KeptOutOfGit
from neuroscale.serving.gateway_load import Load
from neuroscale.serving.model_creation import CreatedModel
from neuroscale.serving.outages import Outage
from neuroscale.serving.request_stream import Stream
from neuroscale.settings import BUDGETS


@pytest.fixture
def streams() -> Iterator[ExitStack]:
    """Requests that are sent until the scenario ends."""
    with ExitStack() as stack:
        yield stack


@given("the models are served")
def the_models_are_served(platform: Platform) -> None:
    assert_steady_state("b", platform)


@given("requests are sent to the model continuously", target_fixture="stream")
def requests_are_sent(platform: Platform, streams: ExitStack) -> Stream:
    assert_steady_state("b", platform)
    return request_stream.begin(streams, platform)


# --- what Git describes


@given("the workloads of the serving stack", target_fixture="workloads")
def the_workloads_of_the_serving_stack() -> AllAvailable:
    return serving.workloads_ready()


@given("the models that Git describes", target_fixture="uris")
def the_models_that_git_describes(platform: Platform) -> dict[str, str]:
    return expected.inference_services(platform.git_server)


@then("each is Ready, with every condition met")
def each_is_ready(uris: dict[str, str], platform: Platform) -> None:
    eventually(AllReady(frozenset(uris)), platform.cluster, within=BUDGETS.check)


@then("the Knative resources of each are owned, ready and at the latest revision")
def the_resources_are_ready(uris: dict[str, str], platform: Platform) -> None:
    eventually(AllGenerated(frozenset(uris)), platform.cluster, within=BUDGETS.check)


@then("each predicts what it was trained to predict, 20 times in a row")
def each_predicts(uris: dict[str, str], platform: Platform) -> None:
    probe = AllAnswer(uris, gateway_url(platform.cluster))
    # Once: whoever waits for 20 right answers in a row gets them, sooner or later.
    assert_met(probe.description, probe.check(platform.cluster), platform)


# --- predictions


@when(
    parsers.parse("a prediction for {rows} is requested {count:d} times by protocol {protocol}"),
    target_fixture="answers",
)
def a_prediction_is_requested(rows: str, count: int, protocol: Protocol, platform: Platform) -> list[InferenceResponse]:
    return inference_requests.ask_for(rows, protocol, count, platform)


@then(parsers.parse("each of the {count:d} predictions is {classes}"))
def each_prediction_is(count: int, classes: str, answers: list[InferenceResponse], platform: Platform) -> None:
    inference_requests.assert_classes(answers, [int(one) for one in classes.split(", ")], count, platform)


@then(parsers.parse("all {count:d} predictions for {rows} are those of the trained model"))
def all_predictions_are_as_trained(count: int, rows: str, answers: list[InferenceResponse], platform: Platform) -> None:
    inference_requests.assert_expected_predictions(answers, rows, count, platform)


@when(parsers.parse("an unknown host is requested from the gateway {count:d} times"), target_fixture="answers")
def an_unknown_host_is_requested(count: int, platform: Platform) -> list[InferenceResponse]:
    return inference_requests.ask_nobody(count, platform)


@then(parsers.parse("the gateway itself answers all {count:d} that there is no such host"))
def there_is_no_such_host(count: int, answers: list[InferenceResponse], platform: Platform) -> None:
    inference_requests.assert_not_found(answers, count, platform)


@when(parsers.parse("the model is sent {what} {count:d} times"), target_fixture="answers")
def the_model_is_sent(what: str, count: int, platform: Platform) -> list[InferenceResponse]:
    return inference_requests.send_bad(what, count, platform)


@then(parsers.parse("the model server rejects all {count:d} and says what is wrong with {what}"))
def the_model_server_rejects_them(count: int, what: str, answers: list[InferenceResponse], platform: Platform) -> None:
    inference_requests.assert_refusal(answers, what, count, platform)


@then("the model answers the reference rows as before")
def it_answers_as_before(platform: Platform) -> None:
    inference_requests.assert_answers_as_before(platform)


# --- a new model


@when("an operator creates a model by hand", target_fixture="created")
def an_operator_creates_a_model(breakage: Breakage, streams: ExitStack) -> CreatedModel:
    return model_creation.create(breakage, streams)


@then("it is Ready and answers within the SLO")
def it_is_ready_and_answers(created: CreatedModel, platform: Platform, recorder: Recorder) -> None:
    model_creation.wait_for_answer(created, platform, recorder)


@then("it was not Ready before it could answer")
def it_was_not_ready_too_early(created: CreatedModel, platform: Platform, recorder: Recorder) -> None:
    model_creation.assert_ready_implies_serving(created, platform, recorder)


# --- versions


@when(parsers.parse("a commit gives the model version {version}"), target_fixture="pushed")
def a_commit_gives_a_version(version: str, breakage: Breakage) -> PushedCommit:
    return model_rollouts.commit_version(breakage, version)


@when(parsers.parse("a commit gives the model a version that {defect}"), target_fixture="pushed")
def a_commit_gives_a_bad_version(defect: str, breakage: Breakage) -> PushedCommit:
    return model_rollouts.commit_bad_version(breakage, defect)


@then("the model serves it within the pick-up SLO")
@then("the model reports within the pick-up SLO that it cannot be loaded")
@then("the model serves the good version within the pick-up SLO")
def the_model_follows(pushed: PushedCommit, platform: Platform, recorder: Recorder) -> Probe:
    return commit_scenarios.wait_for_sync(pushed, platform, recorder)


@then("no request failed, whichever version answered it")
def no_request_failed(stream: Stream, platform: Platform, recorder: Recorder) -> None:
    request_stream.assert_unbroken(stream, {SERVED, NEXT}, platform, recorder)


@then("every request was answered by the old version")
def the_old_version_answered(stream: Stream, platform: Platform, recorder: Recorder) -> None:
    request_stream.assert_unbroken(stream, {SERVED}, platform, recorder)


# --- scale to zero


@given("a commit has scaled the idle model to zero", target_fixture="pushed")
def a_commit_has_scaled_it_to_zero(breakage: Breakage) -> PushedCommit:
    return commit_scenarios.arrived(model_rollouts.enable_scale_to_zero(breakage), breakage.platform)


@when(parsers.parse("{count:d} requests arrive at once"), target_fixture="answers")
def requests_arrive_at_once(count: int, platform: Platform, recorder: Recorder) -> list[InferenceResponse]:
    return scale_from_zero.wake(count, platform, recorder)


@then("each of them is answered")
def each_of_them_is_answered(answers: list[InferenceResponse], platform: Platform) -> None:
    scale_from_zero.assert_all_answered(answers, platform)


# --- load


@when(parsers.parse("{count:d} requests are sent to the model one after the other"), target_fixture="answers")
def requests_are_sent_in_turn(count: int, platform: Platform, recorder: Recorder) -> list[InferenceResponse]:
    return gateway_load.ask_in_turn(count, platform, recorder)


@then(parsers.parse("the median latency is at most {p50:d} ms and the 99th percentile at most {p99:d} ms"))
def the_latency_is_at_most(p50: int, p99: int, answers: list[InferenceResponse], platform: Platform) -> None:
    gateway_load.assert_quick(answers, (p50 / 1000, p99 / 1000), platform)


@when("the same load is sent through the gateway and directly to the pod", target_fixture="loads")
def the_same_load_is_sent(breakage: Breakage, recorder: Recorder) -> dict[str, Load]:
    return gateway_load.compare(breakage, recorder)


@then("every prediction is correct")
def every_prediction_is_correct(loads: dict[str, Load], platform: Platform) -> None:
    gateway_load.assert_right(loads, platform)


@then(parsers.parse("the gateway reaches at least {percent:d} percent of the pod's own throughput"))
def the_gateway_reaches(percent: int, loads: dict[str, Load], platform: Platform) -> None:
    gateway_load.assert_ratio(loads, percent, platform)


# --- the InferenceService CRD


@when("the InferenceService CRD is deleted", target_fixture="loss")
def the_crd_is_deleted(breakage: Breakage, stream: Stream) -> CrdLoss:
    return crd_deletion.begin(breakage, stream)


@then("every model answers again within the SLO of the runbook")
def the_models_are_restored(loss: CrdLoss, platform: Platform, recorder: Recorder) -> None:
    crd_deletion.wait_until_restored(loss, platform, recorder)


@then("nothing that Git describes was lost")
def nothing_was_lost(loss: CrdLoss, platform: Platform) -> None:
    crd_deletion.assert_nothing_lost(loss, platform)


@when(
    parsers.re(r"the InferenceService CRD, (?P<tracked>with|without) Argo CD's tracking ID, is removed from .*"),
    target_fixture="kept",
)
def the_crd_is_removed_from_git(tracked: str, breakage: Breakage) -> KeptOutOfGit:
    return crd_deletion.leave_out(breakage, marked=tracked == "with")


@then("Argo CD does not list it, and the CRD stays")
@then("Argo CD skips pruning it, and the CRD stays")
def the_crd_stays(kept: KeptOutOfGit, platform: Platform) -> None:
    crd_deletion.stays_kept(kept, platform)


# --- the certificate of the webhooks


@when("the certificate of KServe's webhooks is lost", target_fixture="lost")
def the_certificate_is_lost(breakage: Breakage) -> CertificateLoss:
    return certificate.lose(breakage)


@then("a new one is issued, and new models are accepted within the SLO")
def the_certificate_is_renewed(lost: CertificateLoss, platform: Platform, recorder: Recorder) -> None:
    certificate.wait_until_renewed(lost, platform, recorder)


# --- a component is down


@when(parsers.parse("{component} goes down while requests are sent"), target_fixture="outage")
def a_component_goes_down(component: str, breakage: Breakage, streams: ExitStack) -> Outage:
    return outages.begin(component, request_stream.begin(streams, breakage.platform), breakage)


@then(parsers.parse("running models answer: {expected}"))
def running_models_answer(expected: str, outage: Outage, recorder: Recorder) -> None:
    outages.assert_predictions(outage, expected, recorder)


@when("a new model is created and a running model is scaled")
def a_model_is_created_and_another_scaled(outage: Outage, recorder: Recorder) -> None:
    outages.create_and_scale(outage, recorder)


@then(parsers.parse("the new model answers: {expected}"))
def the_new_model_answers(expected: str, outage: Outage) -> None:
    outages.assert_new_model(outage, expected)


@then(parsers.parse("the running model is scaled: {expected}"))
def the_running_model_is_scaled(expected: str, outage: Outage) -> None:
    outages.assert_scaled(outage, expected)
