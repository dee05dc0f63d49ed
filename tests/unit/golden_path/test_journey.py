"""A name is taken when the portal says by whom; anything else is no refusal that helps."""

from __future__ import annotations

import pytest

from neuroscale.backstage_client import Task
from neuroscale.golden_path.journey import evaluate_opened, evaluate_taken

BY_WHOM = "apps/iris-9/catalog-info.yaml should be free, but pull request #7 has another. Next: another name"


@pytest.mark.parametrize(
    ("task", "state", "said"),
    [
        (Task("1", "failed", {}, BY_WHOM), "met", BY_WHOM),
        (Task("1", "completed", {}), "pending", "its task is completed"),
        (Task("1", "completed", {}, BY_WHOM), "pending", "its task is completed"),
        (Task("1", "failed", {}, "401 Unauthorized"), "pending", "without naming #7: '401 Unauthorized'"),
        (Task("1", "failed", {}, BY_WHOM.replace("#7", "#8")), "pending", "it failed without naming #7"),
        (Task("1", "failed", {}), "pending", "it failed without naming #7: ''"),
    ],
)
def test_who_has_the_name_is_named(task: Task, state: str, said: str) -> None:
    verdict = evaluate_taken(task, "#7")
    assert verdict.state == state
    assert said in verdict.observed


def test_a_task_that_is_under_way_has_not_ended() -> None:
    assert [Task("1", status, {}).ended for status in ("open", "processing", "cancelled")] == [False, False, True]


def test_a_pull_request_is_open_in_time_or_not() -> None:
    assert evaluate_opened(9.9, 10).state == "met"
    assert evaluate_opened(10.1, 10).observed == "it took 10.1 s"
    assert evaluate_opened(10.1, 10).state == "pending"
