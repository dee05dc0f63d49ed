"""Requests while nodes go: what runs on two nodes, and from when on nobody fails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from neuroscale.inference_client import InferenceResponse
from neuroscale.model_store import NEXT, SERVED
from neuroscale.serving.node_loss import _nodes_of, evaluate_again, evaluate_apart, evaluate_sent, last_failure
from neuroscale.serving.request_stream import RequestRecord


def sent(at: float, version: str | None = SERVED) -> RequestRecord:
    answer = InferenceResponse(200 if version else None, 0.01, None, "said")
    return RequestRecord(at, datetime.now(UTC), answer, frozenset({version} if version else ()))


@pytest.mark.parametrize(
    ("places", "state", "said"),
    [
        ({"gateway": ["a", "b"], "model": ["b", "c"]}, "met", "gateway on a, b; model on b, c"),
        ({"gateway": ["a", "b"], "model": ["b", "b"]}, "pending", "model on b, b"),
        ({"gateway": ["a", "b"], "model": []}, "pending", "model on none"),
    ],
)
def test_each_part_is_on_two_nodes(places: dict[str, list[str]], state: str, said: str) -> None:
    verdict = evaluate_apart(places)
    assert (verdict.state, verdict.observed) == (state, said)


def test_a_pod_that_leaves_or_is_not_ready_is_nowhere() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = [
        {"metadata": {}, "spec": {"nodeName": "a"}, "status": ready},
        {"metadata": {"deletionTimestamp": "2026-11-30T12:00:00Z"}, "spec": {"nodeName": "b"}, "status": ready},
        {"metadata": {}, "spec": {"nodeName": "c"}, "status": {}},
    ]
    assert _nodes_of(pods) == ["a"]


def test_the_last_failure_counts_and_a_wrong_version_is_one() -> None:
    assert last_failure([sent(10), sent(11)], 9) == 0
    assert last_failure([sent(10, None), sent(11), sent(12, None), sent(13)], 9) == 3
    assert last_failure([sent(10), sent(11, NEXT), sent(12)], 9) == 2


@pytest.mark.parametrize(
    ("records", "last", "state", "said"),
    [
        ([sent(0, None), *map(sent, range(1, 9))], 0.0, "met", "1 of 9 requests failed, the last one after"),
        ([sent(0), sent(50, None), sent(70)], 50.0, "met", "1 of 3 requests failed"),
        ([sent(0), sent(61, None), sent(80)], 61.0, "unrecoverable", "1 of 3 requests failed"),
        ([sent(0), sent(5)], 20.0, "unrecoverable", "nothing can be said"),
        ([], 0.0, "unrecoverable", "0 requests came back"),
    ],
)
def test_the_last_one_that_failed_was_sent_in_time(
    records: list[RequestRecord], last: float, state: str, said: str
) -> None:
    verdict = evaluate_again(records, last, 60)
    assert verdict.state == state
    assert said in verdict.observed


def test_right_answers_are_no_verdict_before_the_time_is_over() -> None:
    """A node that died may be felt later: a hundred right answers in a row were once taken for the end of it."""
    early = [sent(10 + number / 10) for number in range(100)]
    assert evaluate_sent([], 80).state == "pending"
    assert evaluate_sent(early, 80).observed == "60.1 s to go"
    assert evaluate_sent([*early, sent(79.9)], 80).state == "pending"
    assert evaluate_sent([*early, sent(80)], 80).state == "met"
