"""One request to a model: through the gateway, once, and what its answer is worth."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from apiserver import ApiServer
from fake_gateway import NAME, Gateway, host_of, isvc

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.inference_client import (
    BAD_INPUT,
    BadInput,
    Endpoint,
    InferenceResponse,
    Protocol,
    ask,
    endpoint_of,
    evaluate_classes,
    evaluate_in_a_row,
    evaluate_not_found,
    evaluate_refusal,
    gateway_url,
    in_a_row,
    send,
)
from neuroscale.model_store import SERVED, SWAPPED, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import State, Verdict
from neuroscale.serving import inference_requests

PAIR = expected_predictions().inputs["the reference rows"]


@pytest.fixture
def there(gateway: Gateway) -> Endpoint:
    return Endpoint(gateway.url, host_of(NAME), NAME)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@pytest.mark.parametrize("rows", expected_predictions().inputs)
def test_the_model_is_asked_by_both_protocols(protocol: Protocol, rows: str, there: Endpoint) -> None:
    answer = ask(there, expected_predictions().inputs[rows], protocol)
    assert (answer.status, answer.classes) == (200, tuple(expected_predictions().outputs[SERVED][rows]))
    assert evaluate_classes(answer, expected_predictions().outputs[SERVED][rows]).state == "met"
    assert evaluate_classes(answer, expected_predictions().outputs[SWAPPED][rows]).state == "pending"


def test_a_request_is_sent_once_whatever_comes_of_it(gateway: Gateway, there: Endpoint) -> None:
    for status in (500, 503, 429):
        gateway.asked, gateway.instead[host_of(NAME)] = 0, (status, "no")
        answer = ask(there, PAIR)
        assert (gateway.asked, answer.status, answer.classes, answer.said) == (1, status, None, "no")


def test_no_answer_at_all_is_an_answer_too() -> None:
    answer = ask(Endpoint("http://127.0.0.1:1", "h", "m"), PAIR)
    assert (answer.status, answer.classes) == (None, None)
    assert "ConnectError" in answer.said
    assert str(answer).startswith("no answer: ")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where somebody was called."""
    connect, made = socket.create_connection, list[object]()

    def counted(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
        made.append(address)
        return connect(address, *rest, **more)

    monkeypatch.setattr(socket, "create_connection", counted)
    return made


def test_whoever_cannot_be_reached_is_called_once(connections: list[object]) -> None:
    began = time.monotonic()
    answer = ask(Endpoint("http://127.0.0.1:1", "h", "m"), PAIR)
    assert connections == [("127.0.0.1", 1)]
    assert 0 <= answer.seconds <= time.monotonic() - began


def test_each_request_has_a_connection_of_its_own(
    connections: list[object], gateway: Gateway, there: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is kept leads to the same endpoint each time, whoever else is behind the gateway's Service."""
    monkeypatch.setattr(gateway.handler, "protocol_version", "HTTP/1.1")
    began = time.monotonic()
    answers = [ask(there, PAIR) for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    assert len(connections) == 3
    assert 0 < sum(answer.seconds for answer in answers) <= time.monotonic() - began


@pytest.mark.parametrize(
    "body",
    [
        "",
        "OK",
        "[]",
        "{}",
        '{"predictions": null}',
        '{"predictions": ["one"]}',
        '{"predictions": [1.9, "1"]}',
        '{"predictions": [1.0, 1.0]}',
        '{"predictions": [true, true]}',
        '{"predictions": "11"}',
        '{"predictions": {"1": 1}}',
        '{"outputs": [{"data": [1.0, 1]}]}',
        '{"outputs": []}',
        '{"outputs": [{}]}',
    ],
)
@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_200_without_predictions_is_no_prediction(
    protocol: Protocol, body: str, gateway: Gateway, there: Endpoint
) -> None:
    gateway.instead[host_of(NAME)] = (200, body)
    assert ask(there, PAIR, protocol).classes is None


# --- judgements


def answered(status: int | None, classes: tuple[int, ...] | None = None, said: str = "") -> InferenceResponse:
    return InferenceResponse(status, 0.01, classes, said)


CLASSES: dict[str, tuple[InferenceResponse, State, str]] = {
    "right": (answered(200, (1, 1)), "met", "[1, 1]"),
    "wrong": (answered(200, (1, 2)), "pending", "[1, 2] instead of [1, 1]"),
    "too few": (answered(200, (1,)), "pending", "[1] instead of [1, 1]"),
    "the word predictions is not enough": (answered(200, None, "predictions"), "pending", "no prediction, but 200"),
    "an error": (answered(503, None, "no healthy upstream"), "pending", "503: no healthy upstream"),
    "nothing": (answered(None, None, "ConnectError"), "pending", "no answer: ConnectError"),
}


@pytest.mark.parametrize("case", CLASSES)
def test_classes(case: str) -> None:
    answer, state, words = CLASSES[case]
    verdict = evaluate_classes(answer, [1, 1])
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


BAD = BadInput("v1", "{}", 400, "rows")
REFUSED = InferenceResponse(400, 0.01, None, "{…}", reason="Expected rows", by="envoy", routed=True)
REFUSALS: dict[str, tuple[InferenceResponse, State, str]] = {
    "rejected, with the reason": (REFUSED, "met", "400: Expected rows"),
    "another status": (replace(REFUSED, status=422), "pending", "not 400, but 422"),
    "another reason": (replace(REFUSED, reason="Model x does not exist"), "pending", "does not name the fault (rows)"),
    "no reason": (replace(REFUSED, reason=""), "pending", "does not name the fault"),
    "with a traceback": (replace(REFUSED, reason="Traceback: rows"), "pending", "does not name the fault"),
    "the gateway's own": (replace(REFUSED, routed=False), "pending", "not rejected by KServe's model server"),
    "a page": (
        answered(400, None, "<html>rows</html>"), "pending", "not rejected by KServe's model server, but by somebody"
    ),
    "taken": (answered(200, (1,), "[1]"), "pending", "no client error, but 200"),
    "the server's fault": (replace(REFUSED, status=500), "pending", "no client error, but 500"),
    "no answer": (answered(None, None, "ReadTimeout"), "pending", "no client error, but no answer"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    answer, state, words = REFUSALS[case]
    verdict = evaluate_refusal(answer, BAD)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


NOT_FOUND = InferenceResponse(404, 0.01, None, "", by="envoy")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (NOT_FOUND, "met", "of the gateway itself"),
        (replace(NOT_FOUND, status=200), "pending", "not 404, but 200"),
        (replace(NOT_FOUND, status=503), "pending", "not 404, but 503"),
        (answered(None), "pending", "not 404, but no answer"),
        (replace(NOT_FOUND, by="nginx/1.27.5"), "pending", "not the gateway's own 404, but that of nginx/1.27.5"),
        (replace(NOT_FOUND, by=""), "pending", "but that of somebody"),
        (replace(NOT_FOUND, routed=True), "pending", "not the gateway's own 404"),
        (replace(NOT_FOUND, said="Model x does not exist"), "pending", "Model x does not exist"),
    ],
)
def test_not_found(answer: InferenceResponse, state: State, words: str) -> None:
    verdict = evaluate_not_found(answer)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_each_answer_in_a_row_counts() -> None:
    right, wrong = answered(200, (1, 1)), answered(200, (1, 2))

    def judged(*answers: InferenceResponse) -> Verdict:
        return evaluate_in_a_row(answers, lambda answer: evaluate_classes(answer, [1, 1]), count=3)

    assert judged(right, right, right).state == "met"
    assert "3 of 3 in a row" in judged(right, right, right).observed
    one_wrong = judged(right, wrong, right)
    assert (one_wrong.state, "1 of 3 answers in a row are wrong, first no. 2" in one_wrong.observed) == (
        "pending",
        True,
    )
    assert judged(right, right).observed == "2 answers instead of 3"
    assert judged().state == "pending"


def test_whoever_does_not_answer_is_not_asked_again() -> None:
    answers = iter([answered(503), answered(None), answered(200)])
    assert [one.status for one in in_a_row(lambda: next(answers), 20)] == [503, None]


def test_many_rows_are_not_all_shown() -> None:
    assert evaluate_classes(answered(200, tuple(range(8))), [1]).observed.startswith("[0, 1, 2, 3, 4, 5, 6, 7] instead")
    assert "[0, 1, 2, 3, 4, 5, 6, 7, … 9 in all]" in evaluate_classes(answered(200, tuple(range(9))), [1]).observed
    many = tuple(expected_predictions().outputs[SERVED]["every flower"])
    assert "150 in all" in evaluate_classes(answered(200, many), [1]).observed


# --- where


def test_the_host_is_that_of_the_status() -> None:
    assert endpoint_of(isvc(), "http://g") == Endpoint("http://g", host_of(NAME), NAME)
    for nowhere in (None, isvc(change={"status": {"url": None}}), isvc(change={"status": None})):
        assert endpoint_of(nowhere, "http://g") is None


def test_the_gateway_is_on_the_mapped_port(gateway: Gateway, cluster: Cluster) -> None:
    assert gateway_url(cluster) == gateway.url


@pytest.mark.parametrize("address", [{"ip": "10.0.0.7"}, {"hostname": "10.0.0.7"}])
def test_without_a_mapped_port_it_is_at_the_load_balancers_address(
    address: dict[str, str], api: ApiServer, cluster: Cluster
) -> None:
    assert load_state() is None
    with pytest.raises(PreconditionFailed, match=r"should have an address, but has none.*Next: "):
        gateway_url(cluster)
    path = "/api/v1/namespaces/kourier-system/services/kourier"
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kourier", "namespace": "kourier-system"}}
    api.objects[path] = {**service, "status": {"loadBalancer": {}}}
    with pytest.raises(PreconditionFailed):
        gateway_url(cluster)
    api.objects[path] = {**service, "status": {"loadBalancer": {"ingress": [address]}}}
    assert gateway_url(cluster) == "http://10.0.0.7"


# --- the words of the scenarios


@pytest.fixture
def platform(world: ApiServer, cluster: Cluster) -> Platform:
    return Platform(cluster, None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("gateway")
def test_good_and_bad_questions(platform: Platform) -> None:
    pair = inference_requests.ask_for("the other pair", "v2", 20, platform)
    inference_requests.assert_classes(pair, [0, 2], 20, platform)
    inference_requests.assert_expected_predictions(
        inference_requests.ask_for("every flower", "v1", 2, platform), "every flower", 2, platform
    )
    inference_requests.assert_answers_as_before(platform)
    inference_requests.assert_not_found(inference_requests.ask_nobody(20, platform), 20, platform)
    with pytest.raises(ConditionTimeout, match=r"20 of 20 answers in a row are wrong.*\[0, 2\] instead of \[1, 1\]"):
        inference_requests.assert_classes(pair, [1, 1], 20, platform)
    with pytest.raises(ConditionTimeout, match="20 answers instead of 21"):
        inference_requests.assert_classes(pair, [0, 2], 21, platform)
    with pytest.raises(ConditionTimeout, match="not 404, but 200"):
        inference_requests.assert_not_found(pair, 20, platform)
    with pytest.raises(ConditionTimeout, match="no client error, but 200"):
        inference_requests.assert_refusal(pair, "no rows", 20, platform)


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize("what", BAD_INPUT)
def test_what_a_model_answered_to_bad_input_is_a_refusal_of_that_input(what: str, platform: Platform) -> None:
    answers = inference_requests.send_bad(what, 3, platform)
    inference_requests.assert_refusal(answers, what, 3, platform)
    others = [other for other in BAD_INPUT if BAD_INPUT[other].reason != BAD_INPUT[what].reason]
    for other in others:
        with pytest.raises(ConditionTimeout, match=r"does not name the fault|not \d+, but"):
            inference_requests.assert_refusal(answers, other, 3, platform)


@pytest.mark.parametrize("strangers", [1, 2])
def test_a_stranger_behind_the_gateway_is_noticed_by_every_question(
    strangers: int, gateway: Gateway, platform: Platform
) -> None:
    gateway.strangers = strangers
    with pytest.raises(ConditionTimeout, match=r"(10|13|14) of 20 answers in a row are wrong.*404"):
        inference_requests.assert_classes(
            inference_requests.ask_for("the other pair", "v1", 20, platform), [0, 2], 20, platform
        )
    with pytest.raises(ConditionTimeout, match=r"not the gateway's own 404, but that of nginx"):
        inference_requests.assert_not_found(inference_requests.ask_nobody(20, platform), 20, platform)
    with pytest.raises(ConditionTimeout, match=r"not rejected by KServe's model server, but by nginx"):
        inference_requests.assert_refusal(inference_requests.send_bad("no rows", 20, platform), "no rows", 20, platform)
    gateway.asked = 0
    with pytest.raises(ConditionTimeout, match=r"answers in a row are wrong, first no\. 1"):
        inference_requests.assert_answers_as_before(platform)
    assert gateway.asked == 20


def test_bad_bodies_are_as_described() -> None:
    for what, bad in BAD_INPUT.items():
        if what == "a body that is not JSON":
            with pytest.raises(ValueError):  # noqa: PT011 - any way of not being JSON will do
                json.loads(bad.body)
        else:
            json.loads(bad.body)


def test_without_a_url_nothing_is_asked(world: ApiServer, platform: Platform, gateway: Gateway) -> None:
    world.objects[f"/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/{NAME}"] = isvc(
        change={"status": {"url": None}}
    )
    with pytest.raises(PreconditionFailed, match="should have a URL before it is asked"):
        inference_requests.ask_for("the other pair", "v1", 20, platform)
    assert gateway.asked == 0


def test_any_body_can_be_sent(there: Endpoint) -> None:
    assert send(there, "{}", "v1").status == 400
