"""One part of the portal dies at a boundary of a form's way; and what comes of the form all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuroscale.backstage_client import BackstageError, Task
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, HostError, ProgramFailed
from neuroscale.golden_path.form import filled_in
from neuroscale.local_portal.boundaries import BOUNDARIES, Boundary, progress_of, status_of
from neuroscale.local_portal.doors import Door, Held
from neuroscale.local_portal.mortal import Mortal, MortalPortal
from neuroscale.local_portal.process import NEXT
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.submissions import (
    Handed,
    Submission,
    assert_exact,
    evaluate_pull_request,
    submit,
    wait_until_offered,
)
from neuroscale.polling import Verdict, met, pending, unrecoverable, wait_until

#: A form takes a second to any boundary; others may be at work on this machine.
_COMES_WITHIN = 30.0
#: A running task gives a sign of life each second.
_FELT_WITHIN = 10.0
_OURS = "usename = 'backstage' AND pid <> pg_backend_pid()"


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
    """

    first: Form
    next: Form
    over: float
    before: frozenset[str]


@dataclass(frozen=True)
class Death:
    """What dies, and how that is.

    Attributes:
        strike: Does it.
        silent: Doors behind which nobody is left to say or to hear what is held.
        part: What has to be started again, if anything has.
        missed_at: The door at which its absence is met, if there is one.
    """

    strike: Callable[[MortalPortal], None]
    silent: Callable[[MortalPortal], tuple[Door, ...]]
    part: Callable[[MortalPortal], Mortal | None] = lambda _: None
    missed_at: Callable[[MortalPortal], Door | None] = lambda _: None


def cut_connections(portal: MortalPortal) -> None:
    """Have PostgreSQL end every connection of the portal.

    Raises:
        FaultHadNoEffect: There was none, or one is still there.
        ProgramFailed: PostgreSQL refuses.
    """
    database = portal.portal.database
    there = database.execute("postgres", f"SELECT pid FROM pg_stat_activity WHERE {_OURS}").split()  # noqa: S608
    if not there:
        raise FaultHadNoEffect(f"The portal should be connected to its database, but is not. Next: {NEXT}")
    numbers = ",".join(there)
    database.execute("postgres", f"SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{numbers}]) AS pid")  # noqa: S608

    def ask() -> Verdict:
        left = database.execute("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({numbers})")  # noqa: S608
        return met(f"{len(there)} were ended") if left == "0" else pending(f"{left} of {len(there)} are there")

    _wait_for_effect(ask, "every connection to the database is cut")


DEATHS: Mapping[str, Death] = {
    "the portal": Death(
        lambda portal: portal.backstage.kill(),
        lambda portal: (portal.database_door, portal.git_door),
        lambda portal: portal.backstage,
    ),
    "its database": Death(
        lambda portal: portal.database.kill(),
        lambda portal: (portal.database_door,),
        lambda portal: portal.database,
        lambda portal: portal.database_door,
    ),
    "every connection to its database": Death(cut_connections, lambda portal: (portal.database_door,)),
    "the Git server": Death(
        lambda portal: portal.git_server.kill(),
        lambda portal: (portal.git_door,),
        lambda portal: portal.git_server,
        lambda portal: portal.git_door,
    ),
}


def make_ready(portal: MortalPortal) -> None:
    """Everything runs as it was set up, whatever came before.

    Raises:
        HostError: A process does not answer.
        ConditionTimeout: The portal does not offer its form.
    """
    portal.revive()
    wait_until_offered(portal.portal)


def die(portal: MortalPortal, what: str, when: str) -> Survived:
    """Hand a form in, let something die at a boundary of its way and come back, and hand in another one at once.

    Args:
        portal: All of whose parts are well.
        what: Of :data:`DEATHS`.
        when: Of :data:`neuroscale.local_portal.boundaries.BOUNDARIES`.

    Raises:
        FaultHadNoEffect: The boundary did not come, or was passed when the fault came; or nobody met the fault.
        ConditionTimeout: What died does not come back.
        BackstageError: The portal takes no form.
    """
    boundary, death = BOUNDARIES[when], DEATHS[what]
    before = frozenset(portal.portal.git_server.branches())
    door = portal.database_door if boundary.at_database else portal.git_door
    held = door.stop_at(boundary.moment)
    try:
        first = _hand_in(portal.portal)
        _assert_at(boundary, when, held, first, portal.portal)
        missed, begun = _turned_away(death, portal), time.monotonic()
        death.strike(portal)
        if held.lost_at is not None and held.lost_at < begun:
            raise FaultHadNoEffect(f"The form should wait {when}, but went on before {what} died. Next: {NEXT}")
        if door in death.silent(portal):
            held.drop()
        else:
            held.deliver()
        _wait_until_missed(death, missed, first, portal)
        bring_back(death, portal)
    finally:
        held.drop()
    over = time.monotonic()
    return Survived(first, _hand_in(portal.portal), over, before)


def bring_back(death: Death, portal: MortalPortal) -> None:
    """Start what died, as it was set up.

    Raises:
        ConditionTimeout: It does not come back.
    """
    if part := death.part(portal):
        try:
            part.start()
        except HostError as error:
            raise ConditionTimeout(f"What was killed should come back, but: {error}") from error


def _hand_in(portal: LocalPortal) -> Form:
    values = filled_in()
    return Form(values, portal.backstage.create_task(dict(values)))


def _assert_at(boundary: Boundary, when: str, held: Held, form: Form, portal: LocalPortal) -> None:
    """The form is there, and on record is what must be there and nothing else.

    Raises:
        FaultHadNoEffect: It is elsewhere, so that the fault would prove nothing.
    """
    if not held.has_come(_COMES_WITHIN):
        raise FaultHadNoEffect(
            f"The form should be held {when}, but did not get there within {_COMES_WITHIN:g} s. Next: {NEXT}"
        )
    if (found := progress_of(form.task, form.branch, portal)) != boundary.progress:
        raise FaultHadNoEffect(
            f"{when.capitalize()} {boundary.progress} should be on record, but {found} is. Next: {NEXT}"
        )


def _turned_away(death: Death, portal: MortalPortal) -> int:
    door = death.missed_at(portal)
    return door.turned_away if door else 0


def _wait_until_missed(death: Death, before: int, form: Form, portal: MortalPortal) -> None:
    """Somebody asked for what died while it was away; or the task has ended without any need of it."""
    if death.missed_at(portal) is None:
        return

    def ask() -> Verdict:
        if _turned_away(death, portal) > before:
            return met("somebody was turned away")
        try:
            status = status_of(form.task, portal.portal)
        except ProgramFailed as error:
            return pending(str(error))
        return pending(f"the task is {status}") if status in ("open", "processing") else met(f"the task has {status}")

    _wait_for_effect(ask, "what died is missed")


def _wait_for_effect(ask: Callable[[], Verdict], description: str) -> None:
    try:
        wait_until(ask, description, NEXT, within=_FELT_WITHIN, every=0.02)
    except ConditionTimeout as error:
        raise FaultHadNoEffect(str(error)) from error


# --- what must have come of it


def wait_for_next(survived: Survived, within: float, portal: LocalPortal) -> None:
    """The form that came next is a pull request in time: a portal that lives and does nothing would answer as well.

    Args:
        survived: The death.
        within: Seconds since it was over.
        portal: The portal.

    Raises:
        ConditionTimeout: It is none in time.
    """

    def ask() -> Verdict:
        task = portal.backstage.task(survived.next.task)
        if task.status == "completed":
            return met("it is")
        return (
            unrecoverable(f"its task is {task.status}: {task.error}") if task.ended else pending(f"it is {task.status}")
        )

    _wait_since(survived, ask, "the form that came next becomes a pull request", within)


def wait_for_end(survived: Survived, within: float, portal: LocalPortal) -> None:
    """The first form's task has an end in time, and what is there of a pull request is whole.

    Args:
        survived: The death.
        within: Seconds since it was over.
        portal: The portal.

    Raises:
        ConditionTimeout: It has none in time, or the pull request is not whole.
    """
    ended: list[Task] = []

    def ask() -> Verdict:
        task = portal.backstage.task(survived.first.task)
        if not task.ended:
            return pending(f"it is {task.status}")
        ended.append(task)
        return met(f"it is {task.status}")

    _wait_since(survived, ask, "the first form's task ends", within)
    verdict = evaluate_whole(ended[0], survived.first, portal)
    if not verdict:
        raise ConditionTimeout(f"Nothing of the first form should be half-made, but {verdict.observed}. Next: {NEXT}")


def evaluate_whole(task: Task, form: Form, portal: LocalPortal) -> Verdict:
    """A form whose task has ended is a whole pull request; or none, if the task did not succeed."""
    pulls = [pull for pull in portal.git_server.pull_requests() if pull.branch == form.branch]
    if len(pulls) > 1:
        return unrecoverable(f"it is the pull requests {', '.join(f'#{pull.number}' for pull in pulls)}")
    if pulls:
        return evaluate_pull_request(pulls[0], portal.git_server.proposed(form.branch), form.values)
    if task.status == "completed":
        return unrecoverable("its task has completed, and there is no pull request")
    return met(f"its task has {task.status}, and there is no pull request")


def hand_in_again(survived: Survived, portal: LocalPortal) -> Submission:
    """Hand the first form in once more, and wait for the end of its task.

    Raises:
        BackstageError: It was refused.
        ConditionTimeout: The task has no end.
    """
    (again,) = submit(portal, [dict(survived.first.values)]).submissions
    return again


def assert_one_each(survived: Survived, again: Submission, portal: LocalPortal) -> None:
    """Each of the two forms is one pull request, with its files and its text, and nothing else came about.

    Raises:
        ConditionTimeout: One is not, or something else did.
    """
    following = Submission(survived.next.values, portal.backstage.task(survived.next.task))
    assert_exact(Handed((again, following), survived.before), portal)


def _wait_since(survived: Survived, ask: Callable[[], Verdict], description: str, within: float) -> None:
    def patiently() -> Verdict:
        try:
            return ask()
        except BackstageError as error:
            return pending(str(error))

    left = survived.over + within - time.monotonic()
    wait_until(patiently, f"{description} within {within:g} s", NEXT, within=max(left, 0), every=0.1)
