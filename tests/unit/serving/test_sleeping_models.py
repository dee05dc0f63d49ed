"""Models that sleep until somebody asks: how they are made, and how they are judged."""

from __future__ import annotations

import pytest

from neuroscale.inference_client import InferenceResponse
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.serving.sleeping_models import (
    Woken,
    evaluate_ready,
    evaluate_without_pods,
    evaluate_woken,
    sleeping,
)

RIGHT = tuple(expected_predictions().outputs[SERVED][TELLING])


def model(name: str, status: str = "True") -> Object:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": status}]}}


def answered(seconds: float, classes: tuple[int, ...] | None = RIGHT, status: int | None = 200) -> InferenceResponse:
    return InferenceResponse(status, seconds, classes, "said")


def test_a_sleeper_is_like_the_model_in_git_and_begins_without_a_pod() -> None:
    like: Object = {
        "metadata": {"name": "iris", "labels": {"owner": "a", "cost-center": "b"}, "annotations": {"c": "d"}},
        "spec": {"predictor": {"minReplicas": 1, "model": {"storageUri": "http://a/b"}}},
    }
    made = sleeping(like, "sleeper-0001", "asleep-1")
    assert made["metadata"]["namespace"] == "asleep-1"
    assert made["metadata"]["labels"] == like["metadata"]["labels"]
    assert made["metadata"]["annotations"] == {"autoscaling.knative.dev/initial-scale": "0"}
    assert made["spec"] == {"predictor": {"minReplicas": 0, "model": {"storageUri": "http://a/b"}}}
    assert like["spec"]["predictor"]["minReplicas"] == 1


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        ([model("a"), model("b")], "met", "2 are Ready"),
        ([model("a"), model("b", "Unknown")], "pending", "1 of 2 are not, first b"),
        ([model("a"), {"metadata": {"name": "b"}}], "pending", "1 of 2 are not, first b"),
        ([model("b")], "pending", "1 of 2 are not, first a"),
        ([], "pending", "2 of 2 are not, first a"),
        ([model("a"), model("b"), model("c")], "unrecoverable", "there are others: c"),
    ],
)
def test_all_of_them_are_ready_or_it_is_said_which_is_not(found: list[Object], state: str, said: str) -> None:
    verdict = evaluate_ready(found, ("a", "b"))
    assert (verdict.state, verdict.observed) == (state, said)


def test_a_pod_on_its_way_out_is_one() -> None:
    assert evaluate_without_pods([])
    leaving: Object = {"metadata": {"name": "a-1", "deletionTimestamp": "2026-11-30T12:00:00Z"}}
    assert evaluate_without_pods([leaving]).observed == "1 pods: a-1"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"a": answered(15.0), "b": answered(1.0)}, "2 woke, the slowest after 15 s"),
        ({"a": answered(15.1)}, "1 of 1 did not: a: right, after 15.1 s"),
        ({"a": answered(1.0), "b": answered(1.0, (9,))}, "1 of 2 did not: b: [9] instead of"),
        ({"a": answered(1.0, None, 503)}, "1 of 1 did not: a: no prediction, but 503: said"),
        ({}, "0 of 0 did not"),
    ],
)
def test_who_wakes_late_or_wrong_is_named(answers: dict[str, InferenceResponse], said: str) -> None:
    verdict = evaluate_woken(Woken(answers), 15)
    assert bool(verdict) is said.startswith("2 woke")
    assert said in verdict.observed
