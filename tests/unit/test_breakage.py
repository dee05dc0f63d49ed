"""Faults under way: proven from what was seen, and undone whatever happens."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from apiserver import NONCE, ApiServer
from fakes import CONFIG_MAPS, DEPLOYMENTS, FAULTS, NGINX, PAGE, picture, populate

from neuroscale.chaos import breakage as breakage_module
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import FieldsEdited, ObjectDeleted, ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.errors import ApiError, FaultHadNoEffect
from neuroscale.platform import Platform


@pytest.fixture
def world(api: ApiServer) -> ApiServer:
    populate(api)
    return api


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl", NONCE)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakage_module, "_EFFECT_SECONDS", 0.2)


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_proven_and_undone(
    kind: str, world: ApiServer, toy_platform: Platform, journal: Journal, repository: Path
) -> None:
    before = picture(world, repository)
    with Breakage(toy_platform, journal) as breakage:
        effect = breakage.inject(FAULTS[kind])
        assert picture(world, repository) != before
        assert effect.observed
        assert breakage.effects == [effect]
        assert len(journal.unfinished()) == 1
    assert picture(world, repository) == before
    assert journal.unfinished() == []


def test_the_effect_is_as_old_as_the_first_sighting_that_proves_it(
    world: ApiServer, toy_platform: Platform, journal: Journal
) -> None:
    """Not as old as the look that found it, nor as a later sighting of the same."""
    path = f"{DEPLOYMENTS}/nginx-test"
    fault = FieldsEdited(target=NGINX, patch={"spec": {"replicas": 3}})
    with Breakage(toy_platform, journal) as breakage:
        effect = breakage.inject(fault)
        for number in range(3):
            world.put(path, {**world.objects[path], "spec": {**world.objects[path]["spec"], "minReadySeconds": number}})
        assert effect.watcher is not None
        assert effect.watcher.first(lambda s: s.obj["spec"].get("minReadySeconds") == 2, within=5)
        edited = [event for event in effect.watcher.watch_events if event.obj["spec"]["replicas"] == 3]
        assert len(edited) == 4
        assert effect.at == edited[0].at
        assert effect.at < time.monotonic()


def test_a_platform_that_heals_at_once_cannot_hide_the_fault(
    world: ApiServer, toy_platform: Platform, journal: Journal
) -> None:
    path, page = f"{CONFIG_MAPS}/nginx-page", world.objects[f"{CONFIG_MAPS}/nginx-page"]
    old = page["metadata"]["uid"]
    remove = world.remove

    def remove_and_heal(where: str) -> object:
        gone = remove(where)
        world.put(path, {**page, "metadata": {"name": "nginx-page", "namespace": "default"}})
        return gone

    world.remove = remove_and_heal  # type: ignore[method-assign, assignment]
    with Breakage(toy_platform, journal) as breakage:
        effect = breakage.inject(ObjectDeleted(target=PAGE))
        assert old in effect.observed
    assert world.objects[path]["metadata"]["uid"] != old


@pytest.mark.usefixtures("hasty")
def test_a_fault_without_effect_proves_nothing_and_is_undone(
    world: ApiServer, toy_platform: Platform, journal: Journal, repository: Path
) -> None:
    """The API server says yes and does nothing: what follows must not be counted."""
    before = picture(world, repository)
    world.answers[f"PATCH {DEPLOYMENTS}/nginx-test"] = (200, b"{}", {})
    breakage = Breakage(toy_platform, journal)
    with pytest.raises(FaultHadNoEffect, match=r"is scaled to 0 had no effect.*Next: "):
        breakage.inject(ScaledTo(target=NGINX, replicas=0))
    assert breakage.effects == []
    assert len(journal.unfinished()) == 1
    world.answers.clear()
    breakage.__exit__(None, None, None)
    assert journal.unfinished() == []
    assert picture(world, repository) == before


def test_a_fault_that_cannot_have_an_effect_is_not_waited_for(
    world: ApiServer, toy_platform: Platform, journal: Journal
) -> None:
    start = time.monotonic()
    with Breakage(toy_platform, journal) as breakage, pytest.raises(FaultHadNoEffect, match="1 replicas before"):
        breakage.inject(ScaledTo(target=NGINX, replicas=1))
    assert time.monotonic() - start < 5


def test_what_the_api_server_refuses_is_undone_all_the_same(
    world: ApiServer, toy_platform: Platform, journal: Journal, repository: Path
) -> None:
    before = picture(world, repository)
    world.answers[f"PATCH {DEPLOYMENTS}/nginx-test"] = (403, b'{"reason": "Forbidden"}', {})
    breakage = Breakage(toy_platform, journal)
    with pytest.raises(ApiError, match="Forbidden"):
        breakage.inject(ScaledTo(target=NGINX, replicas=0))
    world.answers.clear()
    breakage.__exit__(None, None, None)
    assert journal.unfinished() == []
    assert picture(world, repository) == before


def test_faults_are_undone_latest_first_also_when_the_scenario_fails(
    world: ApiServer, toy_platform: Platform, journal: Journal, repository: Path
) -> None:
    """Two edits of one field: only the right order gives back the first value."""
    before = picture(world, repository)

    def fail() -> None:
        with Breakage(toy_platform, journal) as breakage:
            breakage.inject(ScaledTo(target=NGINX, replicas=2))
            breakage.inject(ScaledTo(target=NGINX, replicas=5))
            raise ValueError("the scenario")

    with pytest.raises(ValueError, match="the scenario"):
        fail()
    assert picture(world, repository) == before


def test_undoing_twice_does_nothing(world: ApiServer, toy_platform: Platform, journal: Journal) -> None:
    with Breakage(toy_platform, journal) as breakage:
        breakage.inject(ScaledTo(target=NGINX, replicas=2))
        breakage.roll_back()
        written = len(world.writes)
    assert len(world.writes) == written


def test_a_remedy_takes_the_causes_away_and_leaves_the_rest_to_the_platform_and_to_the_undoing(
    world: ApiServer, toy_platform: Platform, journal: Journal, repository: Path
) -> None:
    before = picture(world, repository)
    with Breakage(toy_platform, journal) as breakage:
        breakage.inject(ObjectDeleted(target=PAGE))
        breakage.inject(ScaledTo(target=NGINX, replicas=2))
        breakage.remedy()
        assert world.objects[f"{DEPLOYMENTS}/nginx-test"]["spec"]["replicas"] == 1
        assert f"{CONFIG_MAPS}/nginx-page" not in world.objects
        assert len(journal.unfinished()) == 2  # a run that is killed now is healed all the same
    assert picture(world, repository) == before
    assert journal.unfinished() == []


def test_a_remedy_puts_back_what_nothing_of_the_platform_does(
    world: ApiServer, toy_platform: Platform, journal: Journal
) -> None:
    with Breakage(toy_platform, journal) as breakage:
        breakage.inject(ObjectDeleted(target=PAGE, by_hand=True))
        breakage.remedy()
        assert f"{CONFIG_MAPS}/nginx-page" in world.objects
