"""Models: asked, changed, woken, loaded, lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.gitops import commit_scenarios
from neuroscale.gitops.commit_scenarios import PushedCommit
from neuroscale.inference_client import InferenceResponse, Protocol, gateway_url
from neuroscale.milestones import gate
from neuroscale.platform import Platform
from neuroscale.polling import Probe, eventually
from neuroscale.probes import expected, serving
from neuroscale.probes.serving import AllAnswer, AllGenerated, AllReady, Answers
from neuroscale.probes.workloads import AllAvailable
from neuroscale.results import Sample
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
from neuroscale.serving.models import NEXT, SERVED
from neuroscale.serving.outages import Outage
from neuroscale.serving.request_stream import Stream
from neuroscale.settings import BUDGETS

Keep = Callable[[Sample], None]


@pytest.fixture
def streams() -> Iterator[ExitStack]:
    """Requests that flow until the scenario ends."""
    with ExitStack() as stack:
        yield stack


@given("the models are served")
def the_models_are_served(platform: Platform) -> None:
    gate("b", platform)


@given("requests flow to the model", target_fixture="stream")
def requests_flow(platform: Platform, streams: ExitStack) -> Stream:
    gate("b", platform)
    return request_stream.begin(streams, platform)


# --- what Git describes


@when("the workloads of the serving stack are looked at", target_fixture="workloads")
def the_serving_workloads_are_looked_at() -> AllAvailable:
    return serving.workloads_ready()


@when("the models are compared with Git", target_fixture="uris")
def the_models_are_compared(platform: Platform) -> dict[str, str]:
    return expected.inference_services(platform.git_server)


@then("each is Ready in every respect")
def each_is_ready(uris: dict[str, str], platform: Platform) -> None:
    eventually(AllReady(frozenset(uris)), platform.cluster, within=BUDGETS.check)


@then("what is made from each is there, owned, ready and the latest")
def each_is_whole(uris: dict[str, str], platform: Platform) -> None:
    eventually(AllGenerated(frozenset(uris)), platform.cluster, within=BUDGETS.check)


@then("each answers as it was trained to")
def each_answers(uris: dict[str, str], platform: Platform) -> None:
    eventually(AllAnswer(uris, gateway_url(platform.cluster)), platform.cluster, within=BUDGETS.check)


# --- asking


@when(parsers.parse("the model is asked for {rows} by protocol {protocol}"), target_fixture="answer")
def the_model_is_asked(rows: str, protocol: Protocol, platform: Platform) -> InferenceResponse:
    return inference_requests.ask_for(rows, protocol, platform)


@then(parsers.parse("its answer is {classes}"))
def its_answer_is(classes: str, answer: InferenceResponse, platform: Platform) -> None:
    inference_requests.assert_classes(answer, [int(one) for one in classes.split(", ")], platform)


@then(parsers.parse("its answer to {rows} is what it was trained to give"))
def its_answer_is_as_trained(rows: str, answer: InferenceResponse, platform: Platform) -> None:
    inference_requests.assert_expected_predictions(answer, rows, platform)


@when("the gateway is asked for a host that nobody has", target_fixture="answer")
def the_gateway_is_asked_for_nobody(platform: Platform) -> InferenceResponse:
    return inference_requests.ask_nobody(platform)


@then("it knows no such host")
def it_knows_no_such_host(answer: InferenceResponse, platform: Platform) -> None:
    inference_requests.assert_not_found(answer, platform)


@when(parsers.parse("the model is sent {what}"), target_fixture="answer")
def the_model_is_sent(what: str, platform: Platform) -> InferenceResponse:
    return inference_requests.send_bad(what, platform)


@then("it refuses, and says why")
def it_refuses(answer: InferenceResponse, platform: Platform) -> None:
    inference_requests.assert_refusal(answer, platform)


@then("the model answers the reference rows as before")
def it_answers_as_before(platform: Platform) -> None:
    probe = Answers(model_rollouts.MODEL, gateway_url(platform.cluster), SERVED, "the reference rows")
    eventually(probe, platform.cluster, within=BUDGETS.check)


# --- a new model


@when("someone creates a model by hand", target_fixture="newborn_model")
def someone_creates_a_model(breakage: Breakage, streams: ExitStack) -> CreatedModel:
    return model_creation.create(breakage, streams)


@then("it is Ready and answers within its time")
def it_is_ready_and_answers(
    newborn_model: CreatedModel, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> None:
    model_creation.wait_for_answer(newborn_model, platform, request.node.name, sample)


@then("it was not called Ready before it could answer")
def it_did_not_lie(
    newborn_model: CreatedModel, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> None:
    model_creation.assert_ready_implies_serving(newborn_model, platform, request.node.name, sample)


# --- versions


@when(parsers.parse("a commit gives the model version {version}"), target_fixture="pushed")
def a_commit_gives_a_version(version: str, breakage: Breakage) -> PushedCommit:
    return model_rollouts.commit_version(breakage, version)


@when(parsers.parse("a commit gives the model a version that {defect}"), target_fixture="pushed")
def a_commit_gives_a_bad_version(defect: str, breakage: Breakage) -> PushedCommit:
    return model_rollouts.commit_bad_version(breakage, defect)


@then("the model serves it within the pick-up time")
@then("the model says within the pick-up time that it cannot be loaded")
def the_model_follows(pushed: PushedCommit, platform: Platform, request: pytest.FixtureRequest, sample: Keep) -> Probe:
    return commit_scenarios.wait_for_sync(pushed, platform, request.node.name, sample)


@then("reverting that commit in Git brings the good version back within the pick-up time")
def the_good_version_is_back(
    pushed: PushedCommit, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> None:
    commit_scenarios.wait_for_sync(commit_scenarios.revert(pushed, platform), platform, request.node.name, sample)


@then("no request failed, whichever version answered it")
def no_request_failed(stream: Stream, platform: Platform, request: pytest.FixtureRequest, sample: Keep) -> None:
    request_stream.assert_unbroken(stream, {SERVED, NEXT}, platform, request.node.name, sample)


@then("every request was answered by the old version")
def the_old_version_answered(stream: Stream, platform: Platform, request: pytest.FixtureRequest, sample: Keep) -> None:
    request_stream.assert_unbroken(stream, {SERVED}, platform, request.node.name, sample)


# --- sleep


@given("a commit has let the model sleep when nobody asks", target_fixture="pushed")
def a_commit_has_let_it_sleep(breakage: Breakage) -> PushedCommit:
    return commit_scenarios.arrived(model_rollouts.enable_scale_to_zero(breakage), breakage.platform)


@when(parsers.parse("{count:d} requests arrive at once"), target_fixture="answers")
def requests_arrive_at_once(
    count: int, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> list[InferenceResponse]:
    return scale_from_zero.wake(count, platform, request.node.name, sample)


@then("each of them is answered")
def each_of_them_is_answered(answers: list[InferenceResponse], platform: Platform) -> None:
    scale_from_zero.assert_all_answered(answers, platform)


# --- load


@when(parsers.parse("the model is asked {count:d} times in turn"), target_fixture="answers")
def the_model_is_asked_in_turn(
    count: int, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> list[InferenceResponse]:
    return gateway_load.ask_in_turn(count, platform, request.node.name, sample)


@then(parsers.parse("half of the answers take at most {p50:d} ms, and 99 of 100 at most {p99:d} ms"))
def the_answers_are_quick(p50: int, p99: int, answers: list[InferenceResponse], platform: Platform) -> None:
    gateway_load.assert_quick(answers, (p50 / 1000, p99 / 1000), platform)


@when("the same load runs through the gateway and straight to the pod", target_fixture="loads")
def the_same_load_runs(breakage: Breakage, request: pytest.FixtureRequest, sample: Keep) -> dict[str, Load]:
    return gateway_load.compare(breakage, request.node.name, sample)


@then("every answer is right")
def every_answer_is_right(loads: dict[str, Load], platform: Platform) -> None:
    gateway_load.assert_right(loads, platform)


@then(parsers.parse("the gateway carries at least {percent:d} percent of what the pod itself carries"))
def the_gateway_costs_little(percent: int, loads: dict[str, Load], platform: Platform) -> None:
    gateway_load.assert_ratio(loads, percent, platform)


# --- the definition of InferenceServices


@when("the definition of InferenceServices is deleted", target_fixture="loss")
def the_definition_is_deleted(breakage: Breakage, stream: Stream) -> CrdLoss:
    return crd_deletion.begin(breakage, stream)


@then("every model answers again within what the runbook promises")
def the_models_are_restored(loss: CrdLoss, platform: Platform, request: pytest.FixtureRequest, sample: Keep) -> None:
    crd_deletion.wait_until_restored(loss, platform, request.node.name, sample)


@then("nothing that Git describes was lost")
def nothing_was_lost(loss: CrdLoss, platform: Platform) -> None:
    crd_deletion.assert_nothing_lost(loss, platform)


@when(
    parsers.re(r"the definition of InferenceServices, (?P<mark>with|without) Argo CD's mark, is left out of .*"),
    target_fixture="kept",
)
def the_definition_is_left_out(mark: str, breakage: Breakage) -> KeptOutOfGit:
    return crd_deletion.leave_out(breakage, marked=mark == "with")


@then("Argo CD does not speak of it, and it stays")
@then("Argo CD declines to prune it, and it stays")
def argo_cd_keeps_it(kept: KeptOutOfGit, platform: Platform) -> None:
    crd_deletion.stays_kept(kept, platform)


# --- the certificate of the webhooks


@when("the certificate of KServe's webhooks is lost", target_fixture="lost")
def the_certificate_is_lost(breakage: Breakage) -> CertificateLoss:
    return certificate.lose(breakage)


@then("another one is made, and new models are accepted within its time")
def the_certificate_is_renewed(
    lost: CertificateLoss, platform: Platform, request: pytest.FixtureRequest, sample: Keep
) -> None:
    certificate.wait_until_renewed(lost, platform, request.node.name, sample)


# --- a component is down


@when(parsers.parse("{component} goes down while requests flow"), target_fixture="outage")
def a_component_goes_down(component: str, breakage: Breakage, streams: ExitStack) -> Outage:
    return outages.begin(component, request_stream.begin(streams, breakage.platform), breakage)


@then(parsers.parse("running models answer: {expected}"))
def running_models_answer(expected: str, outage: Outage, request: pytest.FixtureRequest, sample: Keep) -> None:
    outages.assert_predictions(outage, expected, request.node.name, sample)


@then(parsers.parse("new models come up: {expected}"))
def new_models_come_up(expected: str, outage: Outage, request: pytest.FixtureRequest, sample: Keep) -> None:
    outages.assert_new_models(outage, expected, request.node.name, sample)


@then(parsers.parse("models can be scaled: {expected}"))
def models_can_be_scaled(expected: str, outage: Outage, request: pytest.FixtureRequest, sample: Keep) -> None:
    outages.assert_scaling(outage, expected, request.node.name, sample)
