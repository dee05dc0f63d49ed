"""Pods that die on the cluster: whether a form met it, and how far the gate's pod was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neuroscale.backstage_client import Task
from neuroscale.deaths.gate_jobs import evaluate_approved, evaluate_stage, stage_of
from neuroscale.deaths.pods import evaluate_replaced, was_struck

GONE = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "ended_at", "struck"),
    [
        ("completed", GONE - SECOND, False),
        ("completed", GONE + SECOND, True),
        ("failed", GONE - SECOND, True),
        ("processing", None, True),
    ],
)
def test_a_form_that_had_come_through_met_no_death(status: Any, ended_at: datetime | None, struck: bool) -> None:
    assert was_struck(Task("1", status, {}, ended_at=ended_at), GONE) == struck


def test_a_pod_is_replaced_when_another_one_is_there() -> None:
    old, new = ({"metadata": {"uid": uid}} for uid in ("old", "new"))
    assert evaluate_replaced([new], "old").state == "met"
    assert evaluate_replaced([old, new], "old").state == "pending"
    assert evaluate_replaced([], "old").state == "pending"


def pod(judge: Any = None, report: Any = None, *, node: str = "node", phase: str = "Pending") -> dict[str, Any]:
    status: dict[str, Any] = {"phase": phase}
    if judge:
        status["initContainerStatuses"] = [{"name": "judge", "state": judge}]
    if report:
        status["containerStatuses"] = [{"name": "report", "state": report}]
    return {"spec": {"nodeName": node} if node else {}, "status": status}


WAITS, RUNS = {"waiting": {"reason": "PodInitializing"}}, {"running": {"startedAt": "x"}}
ENDED, BROKE = {"terminated": {"exitCode": 0}}, {"terminated": {"exitCode": 1}}


@pytest.mark.parametrize(
    ("of", "stage"),
    [
        (pod(node=""), "not placed"),
        (pod(WAITS, WAITS), "about to judge"),
        (pod(RUNS, WAITS), "judging"),
        (pod(ENDED, WAITS), "judged"),
        (pod(ENDED, RUNS, phase="Running"), "reporting"),
        (pod(ENDED, ENDED, phase="Succeeded"), "reported"),
        (pod(BROKE, WAITS, phase="Failed"), "failed"),
        (pod(BROKE, WAITS), "about to judge"),
    ],
)
def test_how_far_the_gates_pod_is(of: dict[str, Any], stage: str) -> None:
    assert stage_of(of) == stage


def test_one_pod_judges_a_commit() -> None:
    assert evaluate_stage([pod(RUNS)], "judging").state == "met"
    assert evaluate_stage([pod(ENDED)], "judging").observed == "judged"
    assert evaluate_stage([pod(RUNS), pod(RUNS)], "judging").state == "pending"
    assert evaluate_stage([], "judging").observed == "not there"


def test_only_the_proposed_commit_is_approved() -> None:
    assert evaluate_approved(frozenset({"a"}), "a").state == "met"
    assert evaluate_approved(frozenset({"a", "b"}), "a").state == "pending"
    assert evaluate_approved(frozenset(), "a").state == "pending"
