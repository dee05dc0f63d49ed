"""The builder builds what is missing and nothing else, and keeps what it has built whatever fails."""

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
from neuroscale.host.file_lock import exclusive
from neuroscale.milestones import MILESTONES
from neuroscale.supply import builder as module
from neuroscale.supply.artifacts import PARTS, Catalogue
from neuroscale.supply.builder import Builder
from neuroscale.supply.pins import pins
from neuroscale.supply.source import CHECKERS, GATE_TOOLS, targets

_TARGETS = (*targets(demands(MILESTONES)), *GATE_TOOLS, *CHECKERS)


class Recorder(Builder):
    """A builder whose builds take no time and leave a small file."""

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
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(module.packages, "ensure", lambda *_, **__: [])
    monkeypatch.setattr(Builder, "free_space", lambda _: 10**12)
    return Recorder(tmp_path / "cache", Console(file=io.StringIO(), width=200))


def said(builder: Builder) -> str:
    return str(builder.console.file.getvalue())  # type: ignore[attr-defined]


def test_all_is_built_once_each_after_what_it_needs_two_at_a_time(builder: Recorder) -> None:
    stored = builder.provide(_TARGETS)
    assert sorted(builder.built) == sorted(PARTS)
    assert set(stored) == set(PARTS)
    assert builder.most_at_once <= 2
    builder.provide(_TARGETS)
    assert len(builder.built) == len(PARTS)


def test_only_what_is_wanted_is_built(builder: Recorder) -> None:
    builder.provide(["k3d"])
    assert builder.built == ["k3d"]


def test_after_a_failure_the_next_run_builds_only_the_rest(builder: Recorder) -> None:
    builder.failing = "node"
    with pytest.raises(SupplyError, match="node failed"):
        builder.provide(_TARGETS)
    first = list(builder.built)
    assert "node" not in first
    builder.failing = ""
    builder.provide(_TARGETS)
    assert sorted(builder.built) == sorted(PARTS)
    assert len(builder.built) == len(PARTS)


def test_a_damaged_part_is_named_and_built_again_alone(builder: Recorder) -> None:
    stored = builder.provide(_TARGETS)
    (stored["argocd"].path / "argocd").write_text("harmed")
    builder.built.clear()
    builder.provide(_TARGETS)
    assert builder.built == ["argocd"]
    assert "argocd is damaged (argocd is not what was stored); building it again" in said(builder)


def test_a_plan_changes_nothing_and_needs_no_docker(builder: Recorder) -> None:
    plan = builder.plan("source", "asked for", _TARGETS)
    assert not builder.cache.exists()
    assert [part.name for part in plan.to_do] == list(PARTS)
    assert max(part.seconds for part in plan.parts) < plan.seconds < sum(part.seconds for part in plan.parts)
    builder.provide(_TARGETS)
    after = builder.plan("source", "asked for", _TARGETS)
    assert (after.to_do, after.seconds, after.needed) == ((), 0, 0)


def test_a_disk_that_is_too_small_is_refused_with_both_numbers(
    builder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Builder, "free_space", lambda _: 4_200_000_000)
    needed = builder.plan("source", "", _TARGETS).needed
    with pytest.raises(
        HostError, match=rf"takes {needed / 1e9:.1f} GB at its peak, 3 GB to spare included, but only 4\.2 GB are"
    ):
        builder.provide(_TARGETS)
    assert builder.built == []


def test_a_disk_that_fills_up_on_the_way_is_said(builder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Recorder, "_make", full)
    with pytest.raises(SupplyError, match=r"k3d should have been stored in .*, but the disk is full\. Free some space"):
        builder.provide(["k3d"])


def test_nothing_is_refused_for_space_once_all_is_built(builder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    builder.provide(_TARGETS)
    monkeypatch.setattr(Builder, "free_space", lambda _: 0)
    builder.provide(_TARGETS)


def test_two_builders_at_once_are_kept_apart_but_readers_are_not(builder: Recorder) -> None:
    with exclusive(builder.cache / "build.lock", "Building"), pytest.raises(Locked):
        builder.provide(_TARGETS)
    builder.provide(_TARGETS)
    with exclusive(builder.cache / "build.lock", "Building"):
        builder.provide(_TARGETS)


def test_gos_caches_are_gone_when_all_is_built(builder: Recorder) -> None:
    for cache in ("build", "mod"):
        (builder.cache / "go" / cache).mkdir(parents=True)
    builder.failing = "node"
    with pytest.raises(SupplyError):
        builder.provide(_TARGETS)
    assert (builder.cache / "go" / "mod").exists()
    builder.failing = ""
    builder.provide(_TARGETS)
    assert not (builder.cache / "go").exists()


@pytest.mark.parametrize(("caches_there", "learned"), [(False, True), (True, False)])
def test_durations_are_learned_from_fresh_builds_only(builder: Recorder, *, caches_there: bool, learned: bool) -> None:
    if caches_there:
        (builder.cache / "go" / "build").mkdir(parents=True)
    builder.provide(["k3d"])
    assert (builder.cache / "durations.json").exists() is learned


def test_missing_build_tools_are_asked_for_before_anything_is_built(
    builder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def refuse(packages: Any, purpose: str, *, allow_install: bool) -> list[str]:
        asked.update(packages=packages, allow_install=allow_install)
        raise HostError("Type: sudo apt-get install")

    monkeypatch.setattr(module.packages, "ensure", refuse)
    with pytest.raises(HostError, match="Type: sudo apt-get install"):
        builder.provide(_TARGETS)
    assert "mmdebstrap" in asked["packages"]
    assert asked["allow_install"] is False
    assert builder.built == []
    builder.provide(["k3d"])


def test_pruning_removes_what_no_recipe_names_and_keeps_the_rest(builder: Recorder) -> None:
    builder.provide(_TARGETS)
    with builder.store.building("k3d", "0123456789abcdef", {}) as into:
        (into / "k3d").write_bytes(b"x" * 10_000)
    removed, size = builder.prune(_TARGETS)
    assert [path.name for path in removed] == ["0123456789abcdef"]
    assert size >= 10_000
    assert not builder.plan("source", "", _TARGETS).to_do


def test_expected_space_shrinks_with_what_gos_caches_already_hold(
    builder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = builder.plan("source", "", _TARGETS).needed
    monkeypatch.setattr(module, "folder_size", lambda _: 2_000_000_000)
    assert before - builder.plan("source", "", _TARGETS).needed == 2_000_000_000
    assert before > sum(cost.stored for cost in pins().expected.values()) * 1_000_000
