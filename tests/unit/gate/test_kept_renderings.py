"""The Kustomize that keeps what it has built: it says what Kustomize itself would say, and asks it once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from neuroscale.gate import engine

_KEEPING = engine._KEEPING / "kustomize"
#: Counts how often it is asked, and says what its folder holds.
_PROGRAM = """#!/bin/bash
echo "$*" >>"{asked}"
echo "its warning" >&2
[[ $1 == build ]] || {{ echo "$* on $PATH"; exit 0; }}
[[ -f $2/broken ]] && {{ echo "Error: broken" >&2; exit 1; }}
/usr/bin/cat "$2"/*
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "helpers" / "kustomize"
    path.parent.mkdir()
    path.write_text(_PROGRAM.format(asked=tmp_path / "asked"), encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "it's a folder"
    made.mkdir()
    (made / "a.yaml").write_text("kind: A\n\n", encoding="utf-8")
    return made


def run(program: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command, around = [str(program), *map(str, arguments)], {"PATH": "/nonexistent", **environment}
    return subprocess.run(command, env=around, capture_output=True, text=True, check=False)


def ask(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    kept = program.parents[1] / "kept"
    return run(_KEEPING, *arguments, KUSTOMIZE=str(program), KUSTOMIZE_KEPT=str(kept))


def asked(program: Path) -> int:
    file = program.parents[1] / "asked"
    return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def kept(program: Path) -> list[Path]:
    return sorted((program.parents[1] / "kept").iterdir())


def test_a_folder_is_built_once(program: Path, folder: Path) -> None:
    first, second = (ask(program, "build", folder) for _ in range(2))
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (0, "kind: A\n\n")
    assert asked(program) == 1
    assert len(kept(program)) == 1


def test_a_folder_is_built_wherever_it_is(program: Path, folder: Path, tmp_path: Path) -> None:
    ask(program, "build", folder)
    assert ask(program, "build", folder.rename(tmp_path / "other")).stdout == "kind: A\n\n"
    assert asked(program) == 1


@pytest.mark.parametrize("change", ["content", "name", "one more", "program"])
def test_what_decides_is_looked_at(program: Path, folder: Path, change: str) -> None:
    ask(program, "build", folder)
    match change:
        case "content":
            (folder / "a.yaml").write_text("kind: B\n", encoding="utf-8")
        case "name":
            (folder / "a.yaml").rename(folder / "b.yaml")
        case "one more":
            (folder / "b.yaml").write_text("", encoding="utf-8")
        case _:
            program.write_text(program.read_text(encoding="utf-8") + "echo more\n", encoding="utf-8")
    found = ask(program, "build", folder).stdout
    assert asked(program) == 2
    assert found == {"content": "kind: B\n", "program": "kind: A\n\nmore\n"}.get(change, "kind: A\n\n")


def test_what_fails_is_said_as_kustomize_says_it_and_not_kept(program: Path, folder: Path) -> None:
    (folder / "broken").touch()
    for _ in range(2):
        found = ask(program, "build", folder)
        assert (found.returncode, found.stdout, found.stderr) == (1, "", "its warning\nError: broken\n")
    assert kept(program) == []


def test_a_link_is_never_kept(program: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kind: C\n", encoding="utf-8")
    (folder / "b.yaml").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        assert ask(program, "build", folder).stdout == "kind: A\n\nkind: C\n"
    assert asked(program) == 2
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("arguments", [["version", "--short"], ["build", "/nonexistent", "--enable-helm"]])
def test_all_else_is_kustomizes_own(program: Path, arguments: list[str]) -> None:
    found = ask(program, *arguments)
    own = run(program, *arguments)
    assert (found.returncode, found.stdout, found.stderr) == (own.returncode, own.stdout, own.stderr)


@pytest.mark.parametrize("damage", ["", "kind: D\n", "kind: A\n"])
def test_what_is_damaged_is_built_again(program: Path, folder: Path, damage: str) -> None:
    ask(program, "build", folder)
    kept(program)[0].write_text(damage, encoding="utf-8")
    assert ask(program, "build", folder).stdout == "kind: A\n\n"
    assert asked(program) == 2
    assert ask(program, "build", folder).stdout == "kind: A\n\n"
    assert asked(program) == 2


def test_where_nothing_can_be_kept_it_is_built(program: Path, folder: Path) -> None:
    (program.parents[1] / "kept").write_text("no folder", encoding="utf-8")
    assert ask(program, "build", folder).stdout == "kind: A\n\n"


def test_what_was_not_in_use_for_long_goes(program: Path, folder: Path) -> None:
    ask(program, "build", folder)
    (first,) = kept(program)
    for number in range(70):
        (first.parent / f"{number:064d}").touch()
        os.utime(first.parent / f"{number:064d}", (number, number))
    (folder / "b.yaml").touch()
    ask(program, "build", folder)
    assert first in kept(program)
    assert [one.name for one in kept(program) if one.stat().st_mtime < 100] == [f"{one:064d}" for one in range(8, 70)]


def test_the_engine_finds_it_before_kustomize(program: Path, tmp_path: Path) -> None:
    keeping = engine.Engine(tmp_path, (program.parent,), tmp_path / "kept")._environment()
    assert keeping["PATH"] == f"{_KEEPING.parent}:{program.parent}"
    assert (keeping["KUSTOMIZE"], keeping["KUSTOMIZE_KEPT"]) == (str(program), str(tmp_path / "kept"))
    assert os.access(_KEEPING, os.X_OK)


@pytest.mark.parametrize("kept", [None, Path("/kept")])
def test_without_a_kustomize_or_a_folder_nothing_is_kept(kept: Path | None, program: Path, tmp_path: Path) -> None:
    helper = tmp_path if kept else program.parent
    found = engine.Engine(tmp_path, (helper,), kept)._environment()
    assert found["PATH"] == str(helper)
    assert not {"KUSTOMIZE", "KUSTOMIZE_KEPT"} & set(found)
