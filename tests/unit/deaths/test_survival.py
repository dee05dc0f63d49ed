"""What must have become of forms on whose way something died."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from neuroscale.backstage_client import BackstageError, Task
from neuroscale.deaths.survival import Form, Survived, evaluate_whole, wait_for_end, wait_for_next
from neuroscale.errors import ConditionTimeout, Unrecoverable
from neuroscale.git_server import PullRequest
from neuroscale.golden_path.form import expected_objects, filled_in

VALUES = {**filled_in(), "name": "iris-3"}
FILES = {path: yaml.safe_dump(obj) for path, obj in expected_objects(VALUES).items()}
BODY = (
    "Asked for by user:default/guest in the portal.\n\n| | |\n|---|---|\n| owner | `ml-platform` |\n"
    f"| cost center | `cc-ml` |\n| model | `{VALUES['storageUri']}` |"
)
PULL = PullRequest(4, "model-iris-3", "abc", "Serve the model iris-3", BODY, mergeable=True)
FORM = Form(VALUES, "1")


class Server:
    """A Git server with these pull requests, each with these files."""

    def __init__(self, *pulls: PullRequest, files: dict[str, str] = FILES) -> None:
        self._pulls, self._files = pulls, files

    def pull_requests(self) -> list[PullRequest]:
        return list(self._pulls)

    def proposed(self, branch: str) -> dict[str, str]:
        return self._files


def portal_of(*tasks: Task, server: Server | None = None, silent: int = 0) -> Any:
    """A portal with these tasks, which does not answer the first few times."""
    left = [silent]

    def task(number: str) -> Task:
        left[0] -= 1
        if left[0] >= 0:
            raise BackstageError("it does not answer")
        return next(one for one in tasks if one.id == number)

    return SimpleNamespace(backstage=SimpleNamespace(task=task), git_server=server or Server(PULL), pages="http://here")


def survived(*tasks: Task, over: float = 0.0, server: Server | None = None, silent: int = 0) -> Survived:
    portal = portal_of(*tasks, server=server, silent=silent)
    return Survived(FORM, Form({**VALUES, "name": "iris-4"}, "2"), time.monotonic() - over, frozenset({"main"}), portal)


def task(status: Any, number: str = "1") -> Task:
    return Task(number, status, {}, "why" if status == "failed" else "")


def test_the_next_form_comes_through_in_time() -> None:
    wait_for_next(survived(task("completed", "2"), silent=2), 10)


@pytest.mark.parametrize("status", ["open", "processing"])
def test_a_portal_that_does_nothing_is_seen_though_it_answers(status: str) -> None:
    with pytest.raises(
        ConditionTimeout, match=rf"becomes a pull request within 10 s .* it is {status}. Next: pytest -m d"
    ):
        wait_for_next(survived(task(status, "2"), over=9.9), 10)


def test_a_next_form_that_fails_is_not_waited_for() -> None:
    with pytest.raises(Unrecoverable, match="its task is failed: why"):
        wait_for_next(survived(task("failed", "2")), 10)


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_first_task_ends_one_way_or_another(status: str) -> None:
    wait_for_end(survived(task(status)), 90)


def test_a_task_without_end_is_seen() -> None:
    with pytest.raises(ConditionTimeout, match=r"the first form's task ends within 90 s .* it is processing"):
        wait_for_end(survived(task("processing"), over=89.9), 90)


def test_half_a_pull_request_is_seen_when_the_task_has_ended() -> None:
    half = dict(list(FILES.items())[:1])
    with pytest.raises(
        ConditionTimeout, match="Nothing of the first form should be half-made, but without apps/iris-3/"
    ):
        wait_for_end(survived(task("failed"), server=Server(PULL, files=half)), 90)


def whole(status: str, *pulls: PullRequest) -> str:
    return evaluate_whole(task(status), FORM, cast("Any", portal_of(server=Server(*pulls)))).state


def test_there_is_a_whole_pull_request_or_none() -> None:
    assert whole("completed", PULL) == "met"
    assert whole("failed", PULL) == "met"
    assert whole("failed") == "met"
    assert whole("completed") == "unrecoverable"
    assert whole("completed", PULL, PULL) == "unrecoverable"
