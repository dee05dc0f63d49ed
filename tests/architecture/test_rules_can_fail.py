"""The rules about source code can be broken: each on a few lines that do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import source


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import pytest", {"pytest"}),
        ("from pytest_bdd.parser import Step", {"pytest_bdd"}),
        ("def f():\n    import kubernetes.client as k", {"kubernetes"}),
        ("from . import neighbour", set()),
        ("'import pytest'", set()),
    ],
)
def test_imports(code: str, expected: set[str]) -> None:
    assert source.imports(ast.parse(code)) == expected


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("import time\ntime.sleep(1)", [2]),
        ("nap = time.sleep", [1]),
        ("from time import sleep", [1]),
        ("from time import sleep as nap", [1]),
        ("clock.sleep(1)", []),
        ("'time.sleep'", []),
    ],
)
def test_sleeps(code: str, lines: list[int]) -> None:
    assert source.sleeps(ast.parse(code)) == lines


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("app['status']", [1]),
        ("app.get('status')", [1]),
        ("forge.get(ref)", []),
        ("entries[0]", []),
        ("x: dict[str, int]", []),
    ],
)
def test_digs(code: str, lines: list[int]) -> None:
    assert source.digs(ast.parse(code)) == lines


def test_body_lines_do_not_count_the_docstring() -> None:
    (function,) = source.functions(ast.parse('def f():\n    """One\n\n    two."""\n    return 1\n'))
    assert source.body_lines(function) == 2


@pytest.mark.parametrize("home", ["root", "work", "home/ann", "Users"])
def test_machine_paths(home: str) -> None:
    assert source.MACHINE_PATH.search(f"see /{home}/main/file")
    assert not source.MACHINE_PATH.search(f"${{HOME}}/{home}/main/file")


def test_dead_links(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("", encoding="utf-8")
    document = tmp_path / "a.md"
    document.write_text("[x](there.md#part) [y](gone.md) [z](https://example.org/gone) [w](#here)", encoding="utf-8")
    assert source.dead_links(document) == ["a.md: gone.md"]
