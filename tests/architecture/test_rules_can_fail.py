"""The rules about source code can be broken: each on a few lines that do."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import source
from ruff import find_ruff_bin

from neuroscale.settings import ROOT


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
    "code", ["import time\n\ntime.sleep(1)", "import time\n\nnap = time.sleep", "from time import sleep"]
)
def test_a_second_sleep(code: str) -> None:
    """Ruff knows the rule; here it is asked about a module that is not there."""
    assert "TID251" in _ruff(code, "neuroscale/nap.py")
    assert "TID251" not in _ruff(code, "neuroscale/polling.py")


@pytest.mark.parametrize("name", ["neuroscale/nap.py", "steps/nap.py", "suite/nap.py", "conftest.py"])
@pytest.mark.parametrize("code", ["import subprocess", "from subprocess import run"])
def test_a_second_runner_of_programs(code: str, name: str) -> None:
    assert "TID253" in _ruff(code, name)
    assert "TID253" not in _ruff(code, "neuroscale/host/programs.py")


def _ruff(code: str, name: str) -> str:
    command = [find_ruff_bin(), "check", "--no-cache", "--stdin-filename", name, "-"]
    return subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False).stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library somewhere else, with the contracts about its imports."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "neuroscale", folder / "neuroscale", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("errors", "import pytest", "does not know the runner"),
        ("errors", "import suite.catalogue", "does not know the runner"),
        ("polling", "import kubernetes.client", "through one client"),
        ("polling", "import httpx", "HTTP is spoken"),
        ("polling", "import subprocess", "Programs are started"),
        ("serving/outages", "import neuroscale.gitops.commit_scenarios", "stands in one layer"),
        ("guardrails/oracle", "import neuroscale.gate.policy", "stands in one layer"),
        ("homeless", "import json", "stands in one layer"),
    ],
)
def test_a_planted_import(module: str, planted: str, contract: str, copy: Path) -> None:
    file = copy / "neuroscale" / f"{module}.py"
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.write_text(f"{before or ''}\n{planted}\n", encoding="utf-8")
    try:
        done = _lint_imports(copy)
    finally:
        file.unlink() if before is None else file.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    broken = [line for line in done.stdout.splitlines() if "BROKEN" in line]
    assert len(broken) == 1
    assert contract in broken[0]


def test_nothing_planted(copy: Path) -> None:
    done = _lint_imports(copy)
    assert done.returncode == 0, done.stdout


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", code, "--no-logo", "--no-cache"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )


def test_the_longest_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "chained"
    package.mkdir()
    for name, code in {"__init__": "", "a": "import chained.b", "b": "from chained import c", "c": ""}.items():
        (package / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert source.longest_chain("chained") == ["chained.a", "chained.b", "chained.c"]


def test_long_functions(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def short():\n    pass\n\ndef long():\n    pass\n    pass\n", encoding="utf-8")
    assert source.long_functions([file], 2) == {"module.long": 3}


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
