"""A death counts when it came at its boundary, and when somebody met it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from neuroscale.deaths import processes
from neuroscale.deaths.processes import Death, die
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, HostError
from neuroscale.local_portal.boundaries import BOUNDARIES, Progress

WHEN = "before its branch is made"
HERE = BOUNDARIES[WHEN].progress


class Held:
    """What a door holds: whether it came, and what became of it."""

    def __init__(self, *, comes: bool = True) -> None:
        self.comes, self.lost_at, self.fate = comes, None, list[str]()

    def has_come(self, within: float) -> bool:
        return self.comes

    def deliver(self) -> None:
        self.fate.append("delivered")

    def drop(self) -> None:
        self.fate.append("dropped")


class Door:
    """A door at which somebody is turned away when something has died."""

    def __init__(self, held: Held) -> None:
        self.held, self.turned_away = held, 0

    def stop_at(self, moment: object) -> Held:
        return self.held


class Place:
    """The portal, of which the Git server may die."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, progress: Progress = HERE, status: str = "processing"
    ) -> None:
        self.held, self.done = Held(), list[str]()
        self.git_door, self.database_door = Door(self.held), Door(Held())
        server = SimpleNamespace(branches=lambda: {"main"})
        self.portal = SimpleNamespace(
            git_server=server, backstage=SimpleNamespace(create_task=lambda _: f"task {len(self.done)}")
        )
        monkeypatch.setattr(processes, "progress_of", lambda *_: progress)
        monkeypatch.setattr(processes, "status_of", lambda *_: status)
        monkeypatch.setattr(processes, "_FELT_WITHIN", 0.1)
        self.monkeypatch, self.missed = monkeypatch, True

    def strike(self) -> None:
        self.done.append("struck")
        self.git_door.turned_away += self.missed

    def start(self) -> None:
        self.done.append("started")

    def die(self, **changes: Any) -> processes.Survived:
        death = Death(
            lambda _: self.strike(), lambda _: (self.git_door,), lambda _: self, lambda _: self.git_door,  # type: ignore[arg-type,return-value]
        )  # fmt: skip
        self.monkeypatch.setattr(processes, "DEATHS", {"it": replace(death, **changes)})
        return die(self, "it", WHEN)  # type: ignore[arg-type]


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(monkeypatch)


def test_what_is_held_dies_with_who_is_behind_the_door(place: Place) -> None:
    survived = place.die()
    assert (place.done, place.held.fate[0]) == (["struck", "started"], "dropped")
    assert (survived.first.task, survived.next.task) == ("task 0", "task 2")
    assert survived.before == {"main"}


def test_what_is_held_at_another_door_goes_on(place: Place) -> None:
    place.die(silent=lambda _: (place.database_door,))
    assert place.held.fate == ["delivered", "dropped"]


def test_a_boundary_that_does_not_come_proves_nothing(place: Place) -> None:
    place.held.comes = False
    with pytest.raises(FaultHadNoEffect, match="held before its branch is made, but did not get there within 30 s"):
        place.die()
    assert (place.done, place.held.fate) == ([], ["dropped"])


def test_another_boundary_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(monkeypatch, progress=replace(HERE, branch=True))
    with pytest.raises(
        FaultHadNoEffect, match=r"Before its branch is made Progress.*branch=False.* should be on record"
    ):
        place.die()
    assert place.done == []


def test_a_death_that_came_too_late_proves_nothing(place: Place) -> None:
    place.held.lost_at = -1.0  # type: ignore[assignment]
    with pytest.raises(FaultHadNoEffect, match="should wait before its branch is made, but went on before it died"):
        place.die()


def test_a_death_that_nobody_met_proves_nothing(place: Place) -> None:
    place.missed = False
    with pytest.raises(FaultHadNoEffect, match=r"what died is missed .* the task is processing"):
        place.die()


def test_a_task_that_ended_without_it_had_no_need_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(monkeypatch, status="completed")
    place.missed = False
    place.die()
    assert place.done == ["struck", "started"]


def test_what_does_not_come_back_fails(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> None:
        raise HostError("Gitea answers: it ended with 1")

    monkeypatch.setattr(place, "start", start)
    with pytest.raises(ConditionTimeout, match="What was killed should come back, but: Gitea answers"):
        place.die()


class Database:
    """One that has these connections, and ends them or not."""

    def __init__(self, *pids: str, ends: bool = True) -> None:
        self.pids, self.ends = pids, ends

    def execute(self, database: str, statement: str) -> str:
        if "count(*)" in statement:
            return "0" if self.ends else str(len(self.pids))
        return "\n".join(self.pids)


def cut(database: Database) -> None:
    processes.cut_connections(SimpleNamespace(portal=SimpleNamespace(database=database)))  # type: ignore[arg-type]


def test_connections_are_cut_when_each_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_FELT_WITHIN", 0.1)
    cut(Database("7", "8"))
    with pytest.raises(FaultHadNoEffect, match="should be connected to its database, but is not"):
        cut(Database())
    with pytest.raises(FaultHadNoEffect, match="2 of 2 are there"):
        cut(Database("7", "8", ends=False))
