"""A form whose way something died on, and another one that came next: what must have become of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuroscale.backstage_client import BackstageError, Task
from neuroscale.errors import ConditionTimeout
from neuroscale.golden_path.form import filled_in
from neuroscale.local_portal.submissions import (
    Handed,
    Portal,
    Submission,
    assert_exact,
    evaluate_pull_request,
    submit,
)
from neuroscale.polling import Verdict, met, pending, unrecoverable, wait_until

NEXT = "pytest -m death"


@dataclass(frozen=True)
class Form:
    """A form that was handed in.

    Attributes:
        values: What it holds.
        task: ID of its task.
    """

    values: Mapping[str, str | int]
    task: str

    @property
    def branch(self) -> str:
        """Of its pull request."""
        return f"model-{self.values['name']}"


@dataclass(frozen=True)
class Survived:
    """A death that is over.

    Attributes:
        first: The form on whose way it was.
        next: Another one, handed in at once when it was over: the canary.
        over: Monotonic seconds at which everything answered again.
        before: Branches that the Git server had before.
        portal: Where that was.
        next_move: What to type when something of it should not have been.
    """

    first: Form
    next: Form
    over: float
    before: frozenset[str]
    portal: Portal
    next_move: str = NEXT


def hand_in(portal: Portal) -> Form:
    """Hand in a form for a model of a new name.

    Raises:
        BackstageError: It was refused, or the portal does not answer.
    """
    values = filled_in()
    return Form(values, portal.backstage.create_task(dict(values)))


def wait_for_next(survived: Survived, within: float) -> None:
    """The form that came next is a pull request in time: a portal that lives and does nothing would answer as well.

    Args:
        survived: The death.
        within: Seconds since it was over.

    Raises:
        ConditionTimeout: It is none in time.
    """

    def ask() -> Verdict:
        task = survived.portal.backstage.task(survived.next.task)
        if task.status == "completed":
            return met("it is")
        return (
            unrecoverable(f"its task is {task.status}: {task.error}") if task.ended else pending(f"it is {task.status}")
        )

    _wait_since(survived, ask, "the form that came next becomes a pull request", within)


def wait_for_end(survived: Survived, within: float) -> None:
    """The first form's task has an end in time, and what is there of a pull request is whole.

    Args:
        survived: The death.
        within: Seconds since it was over.

    Raises:
        ConditionTimeout: It has none in time, or the pull request is not whole.
    """
    ended: list[Task] = []

    def ask() -> Verdict:
        task = survived.portal.backstage.task(survived.first.task)
        if not task.ended:
            return pending(f"it is {task.status}")
        ended.append(task)
        return met(f"it is {task.status}")

    _wait_since(survived, ask, "the first form's task ends", within)
    verdict = evaluate_whole(ended[0], survived.first, survived.portal)
    if not verdict:
        raise ConditionTimeout(
            f"Nothing of the first form should be half-made, but {verdict.observed}. Next: {survived.next_move}"
        )


def evaluate_whole(task: Task, form: Form, portal: Portal) -> Verdict:
    """A form whose task has ended is a whole pull request; or none, if the task did not succeed."""
    pulls = [pull for pull in portal.git_server.pull_requests() if pull.branch == form.branch]
    if len(pulls) > 1:
        return unrecoverable(f"it is the pull requests {', '.join(f'#{pull.number}' for pull in pulls)}")
    if pulls:
        return evaluate_pull_request(pulls[0], portal.git_server.proposed(form.branch), form.values)
    if task.status == "completed":
        return unrecoverable("its task has completed, and there is no pull request")
    return met(f"its task has {task.status}, and there is no pull request")


def hand_in_again(survived: Survived) -> Submission:
    """Hand the first form in once more, and wait for the end of its task.

    Raises:
        BackstageError: It was refused.
        ConditionTimeout: The task has no end.
    """
    (again,) = submit(survived.portal, [dict(survived.first.values)]).submissions
    return again


def assert_one_each(survived: Survived, again: Submission) -> None:
    """Each of the two forms is one pull request, with its files and its text, and nothing else came about.

    Raises:
        ConditionTimeout: One is not, or something else did.
    """
    following = Submission(survived.next.values, survived.portal.backstage.task(survived.next.task))
    assert_exact(Handed((again, following), survived.before), survived.portal)


def _wait_since(survived: Survived, ask: Callable[[], Verdict], description: str, within: float) -> None:
    def patiently() -> Verdict:
        try:
            return ask()
        except BackstageError as error:
            return pending(str(error))

    left = survived.over + within - time.monotonic()
    wait_until(patiently, f"{description} within {within:g} s", survived.next_move, within=max(left, 0), every=0.1)
