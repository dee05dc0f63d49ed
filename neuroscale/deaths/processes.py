"""A part of the portal as processes dies at a boundary of a form's way, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from neuroscale.deaths.survival import NEXT, Form, Survived, hand_in
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, HostError, ProgramFailed
from neuroscale.local_portal.boundaries import BOUNDARIES, Boundary, progress_of, status_of
from neuroscale.local_portal.doors import Door, Held
from neuroscale.local_portal.mortal import Mortal, MortalPortal
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.submissions import wait_until_offered
from neuroscale.polling import Verdict, met, pending, wait_until

#: A form takes a second to any boundary; others may be at work on this machine.
_COMES_WITHIN = 30.0
#: A running task gives a sign of life each second.
_FELT_WITHIN = 10.0
_OURS = "usename = 'backstage' AND pid <> pg_backend_pid()"


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
        first = hand_in(portal.portal)
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
    return Survived(first, hand_in(portal.portal), over, before, portal.portal)


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
