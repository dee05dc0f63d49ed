"""The workshop builds what is missing and nothing else, and keeps what it has built whatever fails."""

from __future__ import annotations

import errno
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from neuroscale.components import demands
from neuroscale.errors import HostError, Locked, SupplyError
from neuroscale.milestones import MILESTONES
from neuroscale.supply import builder as module
from neuroscale.supply.artifacts import PARTS, Catalogue
from neuroscale.supply.builder import Workshop
from neuroscale.supply.file_lock import exclusive
from neuroscale.supply.pins import pins
from neuroscale.supply.source import GATE_TOOLS, targets

_TARGETS = (*targets(demands(MILESTONES)), *GATE_TOOLS)


class Recorder(Workshop):
    """A workshop whose builds take no time and leave a small file."""

    failing = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.built: list[str] = []
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def _make(self, name: str, catalogue: Catalogue) -> None:
        with self._counting:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if name == self.failing:
                raise SupplyError(f"{name} failed")
            needed = [self.store.check(need, catalogue.recipe[need]).condition for need in catalogue.needs[name]]
            assert set(needed) <= {"present"}
            with self.store.building(name, catalogue.recipe[name], {"versions": {name: "1"}}) as into:
                (into / name).write_text(name)
            self.built.append(name)
        finally:
            with self._counting:
                self.at_once -= 1


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(module.packages, "ensure", lambda *_, **__: [])
    monkeypatch.setattr(Workshop, "free_space", lambda _: 10**12)
    return Recorder(tmp_path / "cache", Console(file=io.StringIO(), width=200))


def said(workshop: Workshop) -> str:
    return str(workshop.console.file.getvalue())  # type: ignore[attr-defined]


def test_all_is_built_once_each_after_what_it_needs_two_at_a_time(workshop: Recorder) -> None:
    stored = workshop.provide(_TARGETS)
    assert sorted(workshop.built) == sorted(PARTS)
    assert set(stored) == set(PARTS)
    assert workshop.most_at_once <= 2
    workshop.provide(_TARGETS)
    assert len(workshop.built) == len(PARTS)


def test_only_what_is_wanted_is_built(workshop: Recorder) -> None:
    workshop.provide(["k3d"])
    assert workshop.built == ["k3d"]


def test_after_a_failure_the_next_run_builds_only_the_rest(workshop: Recorder) -> None:
    workshop.failing = "node"
    with pytest.raises(SupplyError, match="node failed"):
        workshop.provide(_TARGETS)
    first = list(workshop.built)
    assert "node" not in first
    workshop.failing = ""
    workshop.provide(_TARGETS)
    assert sorted(workshop.built) == sorted(PARTS)
    assert len(workshop.built) == len(PARTS)


def test_a_damaged_part_is_named_and_built_again_alone(workshop: Recorder) -> None:
    stored = workshop.provide(_TARGETS)
    (stored["argocd"].path / "argocd").write_text("harmed")
    workshop.built.clear()
    workshop.provide(_TARGETS)
    assert workshop.built == ["argocd"]
    assert "argocd is damaged (argocd is not what was stored); building it again" in said(workshop)


def test_a_plan_changes_nothing_and_needs_no_docker(workshop: Recorder) -> None:
    plan = workshop.plan("source", "asked for", _TARGETS)
    assert not workshop.cache.exists()
    assert [part.name for part in plan.to_do] == list(PARTS)
    assert max(part.seconds for part in plan.parts) < plan.seconds < sum(part.seconds for part in plan.parts)
    workshop.provide(_TARGETS)
    after = workshop.plan("source", "asked for", _TARGETS)
    assert (after.to_do, after.seconds, after.needed) == ((), 0, 0)


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(
    workshop: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workshop, "free_space", lambda _: 4_200_000_000)
    needed = workshop.plan("source", "", _TARGETS).needed
    with pytest.raises(
        HostError, match=rf"takes {needed / 1e9:.1f} GB at its peak, 3 GB to spare included, but only 4\.2 GB are"
    ):
        workshop.provide(_TARGETS)
    assert workshop.built == []


def test_a_disk_that_fills_up_on_the_way_is_said(workshop: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Recorder, "_make", full)
    with pytest.raises(SupplyError, match=r"k3d should have been stored in .*, but the disk is full\. Free some space"):
        workshop.provide(["k3d"])


def test_nothing_is_refused_for_space_once_all_is_built(workshop: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.provide(_TARGETS)
    monkeypatch.setattr(Workshop, "free_space", lambda _: 0)
    workshop.provide(_TARGETS)


def test_two_builders_at_once_are_kept_apart_but_readers_are_not(workshop: Recorder) -> None:
    with exclusive(workshop.cache / "build.lock", "Building"), pytest.raises(Locked):
        workshop.provide(_TARGETS)
    workshop.provide(_TARGETS)
    with exclusive(workshop.cache / "build.lock", "Building"):
        workshop.provide(_TARGETS)


def test_gos_caches_are_gone_when_all_is_built(workshop: Recorder) -> None:
    for cache in ("build", "mod"):
        (workshop.cache / "go" / cache).mkdir(parents=True)
    workshop.failing = "node"
    with pytest.raises(SupplyError):
        workshop.provide(_TARGETS)
    assert (workshop.cache / "go" / "mod").exists()
    workshop.failing = ""
    workshop.provide(_TARGETS)
    assert not (workshop.cache / "go").exists()


@pytest.mark.parametrize(("caches_there", "learned"), [(False, True), (True, False)])
def test_durations_are_learned_from_fresh_builds_only(workshop: Recorder, *, caches_there: bool, learned: bool) -> None:
    if caches_there:
        (workshop.cache / "go" / "build").mkdir(parents=True)
    workshop.provide(["k3d"])
    assert (workshop.cache / "durations.json").exists() is learned


def test_missing_build_tools_are_asked_for_before_anything_is_built(
    workshop: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def refuse(packages: Any, purpose: str, *, allow_install: bool) -> list[str]:
        asked.update(packages=packages, allow_install=allow_install)
        raise HostError("Type: sudo apt-get install")

    monkeypatch.setattr(module.packages, "ensure", refuse)
    with pytest.raises(HostError, match="Type: sudo apt-get install"):
        workshop.provide(_TARGETS)
    assert "mmdebstrap" in asked["packages"]
    assert asked["allow_install"] is False
    assert workshop.built == []
    workshop.provide(["k3d"])


def test_pruning_removes_what_no_recipe_names_and_keeps_the_rest(workshop: Recorder) -> None:
    workshop.provide(_TARGETS)
    with workshop.store.building("k3d", "0123456789abcdef", {}) as into:
        (into / "k3d").write_bytes(b"x" * 10_000)
    removed, size = workshop.prune(_TARGETS)
    assert [path.name for path in removed] == ["0123456789abcdef"]
    assert size >= 10_000
    assert not workshop.plan("source", "", _TARGETS).to_do


def test_expected_space_shrinks_with_what_gos_caches_already_hold(
    workshop: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = workshop.plan("source", "", _TARGETS).needed
    monkeypatch.setattr(module, "folder_size", lambda _: 2_000_000_000)
    assert before - workshop.plan("source", "", _TARGETS).needed == 2_000_000_000
    assert before > sum(cost.stored for cost in pins().expected.values()) * 1_000_000
