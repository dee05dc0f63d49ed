"""Applications of npm packages: what Yarn is asked for, and what of it becomes a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neuroscale.errors import SupplyError
from neuroscale.settings import ROOT
from neuroscale.supply import node as module
from neuroscale.supply.artifacts import PARTS
from neuroscale.supply.node import NodeApplication, build

SOURCE = ROOT / "backstage" / "app"


class Yarn:
    """Stands in for Yarn and what it runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str = "") -> None:
        self.steps: list[str] = []
        self.homes: set[str] = set()
        self.failing = failing
        node = tmp_path / "node"
        node.write_text("a program", encoding="utf-8")
        monkeypatch.setattr(module, "run_logged", self)
        monkeypatch.setattr(module, "pinned_node", lambda: module.Node(str(node), ("npm",)))
        monkeypatch.setattr(module, "npm_program", lambda *_: (str(node), "yarn.js"))

    def __call__(self, command: list[str], log: Path, *, env: Any, cwd: Path) -> None:
        step = " ".join(command[2:])
        self.steps.append(step)
        self.homes |= {env["HOME"], env["YARN_GLOBAL_FOLDER"]}
        if step == self.failing:
            raise SupplyError(f"{step} failed")
        if step.startswith("install"):
            for name in ("pg/index.js", "pg/index.js.map", "pg/index.d.ts", "pg/README.md", "vite/index.js"):
                file = cwd / "node_modules" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(name, encoding="utf-8")
            (cwd / "node_modules" / "app").symlink_to("../packages/app")
        elif step == "workspace app build":
            (cwd / "packages" / "app" / "dist").mkdir()
            (cwd / "packages" / "app" / "dist" / "index.html").write_text("<p>", encoding="utf-8")
        else:
            (cwd / "node_modules" / "vite" / "index.js").unlink()


def test_an_image_gets_the_backend_the_front_end_and_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yarn = Yarn(monkeypatch, tmp_path)
    into = tmp_path / "into"
    into.mkdir()
    assert build(SOURCE, into, tmp_path / "log") == "0.19.0"
    assert yarn.steps == ["install --immutable", "workspace app build", "workspaces focus --production backend"]
    assert yarn.homes == {str(into / "home")}, "nothing is left in the user's home"
    assert sorted(entry.name for entry in into.iterdir()) == ["app", "node"]
    made = {str(file.relative_to(into / "app")) for file in (into / "app").rglob("*") if file.is_file()}
    assert {
        "app-config.yaml",
        "package.json",
        "node_modules/app/dist/index.html",
        "node_modules/app/package.json",
    } <= made
    assert "packages/backend/src/index.ts" in made
    installed = {name for name in made if name.startswith("node_modules/") and not name.startswith("node_modules/app/")}
    assert installed == {"node_modules/pg/index.js"}, "no maps, types or pages, and nothing of the build alone"


def test_the_checkout_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(SOURCE.rglob("*"))
    Yarn(monkeypatch, tmp_path)
    (tmp_path / "into").mkdir()
    build(SOURCE, tmp_path / "into", tmp_path / "log")
    assert sorted(SOURCE.rglob("*")) == before


def test_a_lock_that_does_not_fit_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yarn = Yarn(monkeypatch, tmp_path, failing="install --immutable")
    (tmp_path / "into").mkdir()
    with pytest.raises(SupplyError, match="install --immutable failed"):
        build(SOURCE, tmp_path / "into", tmp_path / "log")
    assert yarn.steps == ["install --immutable"]


def test_its_sources_are_in_the_repository() -> None:
    kinds = [kind for kind in PARTS.values() if isinstance(kind, NodeApplication)]
    assert kinds
    assert all((ROOT / kind.source / "yarn.lock").is_file() for kind in kinds)
