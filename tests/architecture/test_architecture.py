"""The rooms keep their walls."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import source

from neuroscale.settings import ROOT

LIBRARY, STEPS, OURS = (
    source.python("neuroscale"),
    source.python("steps"),
    source.python("neuroscale", "steps", "suite"),
)
_RUNNER = {"pytest", "pytest_bdd", "_pytest", "steps", "suite", "tests", "conftest", "allure", "allure_commons"}
_PACKAGE = ROOT / "neuroscale"
#: Where Kubernetes' own client may be touched: everything else goes through the guard in there.
_CLIENT = _PACKAGE / "cluster" / "client.py"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(LIBRARY) > 20
    assert len(STEPS) > 1


@pytest.mark.parametrize("path", LIBRARY, ids=_name)
def test_the_library_does_not_know_the_runner(path: Path) -> None:
    assert source.imports(source.tree(path)) & _RUNNER == set()


def test_kubernetes_is_reached_through_one_client() -> None:
    using = [path for path in OURS if "kubernetes" in source.imports(source.tree(path))]
    assert using == [_CLIENT]


def test_there_is_one_sleep() -> None:
    found = [(_name(path), line) for path in OURS for line in source.sleeps(source.tree(path))]
    assert [name for name, _ in found] == ["neuroscale/polling.py"]


@pytest.mark.parametrize("path", STEPS, ids=_name)
def test_steps_are_glue(path: Path) -> None:
    module = source.tree(path)
    assert source.imports(module) & {"time", "subprocess", "kubernetes", "httpx", "yaml", "json", "os"} == set()
    assert source.digs(module) == []
    long = {f.name: source.body_lines(f) for f in source.functions(module) if source.body_lines(f) > 10}
    assert long == {}


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_modules_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    module = source.tree(path)
    long = {f.name: source.body_lines(f) for f in source.functions(module) if source.body_lines(f) > 45}
    assert long == {}


def test_every_module_has_a_home() -> None:
    homeless = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert [_name(path) for path in OURS if homeless & {path.stem, path.parent.name}] == []


def test_only_an_application_out_of_play_is_nudged() -> None:
    """A timed scenario that asks for a refresh measures itself (decision 0019)."""
    nudging = []
    for path in OURS:
        constants = (n for n in ast.walk(source.tree(path)) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        if any("argocd.argoproj.io/refresh" in node.value for node in constants):
            nudging.append(path)
    assert nudging == [_PACKAGE / "chaos" / "edit_faults.py"]
    timed = [_PACKAGE / "gitops" / "drift_scenarios.py", _PACKAGE / "gitops" / "commit_scenarios.py"]
    assert [_name(path) for path in timed if "ApplicationEdited(" in path.read_text(encoding="utf-8")] == []


def test_no_broad_except_goes_without_a_reason() -> None:
    broad = []
    for path in OURS:
        lines = path.read_text(encoding="utf-8").splitlines()
        for handler in (node for node in ast.walk(source.tree(path)) if isinstance(node, ast.ExceptHandler)):
            names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {""}
            if names & {"", "Exception", "BaseException"} and "#" not in lines[handler.lineno - 1]:
                broad.append(f"{_name(path)}:{handler.lineno}")
    assert broad == []


def test_no_scenario_is_skipped_or_expected_to_fail() -> None:
    """A skip is never a pass."""
    escapes = {"skip", "skipif", "xfail", "importorskip"}
    conformance = [*source.python("steps", "suite"), *source.python("tests/e2e")]
    found = [
        f"{_name(path)}:{node.lineno}"
        for path in conformance
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.Attribute) and node.attr in escapes and ast.unparse(node).startswith("pytest.")
    ]
    assert found == []


# --- what the reader sees


def _readable(path: Path) -> bool:
    return path.suffix in {".md", ".py", ".feature", ".toml", ".yaml", ".yml", ".ini", ".sh", ".txt", ""}


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    images = ROOT / "infrastructure" / "images"
    found = [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in source.files()
        if _readable(path) and not path.is_relative_to(images)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if source.MACHINE_PATH.search(line)
    ]
    assert found == []


def test_links_between_documents_lead_somewhere() -> None:
    documents = [path for path in source.files() if path.suffix == ".md"]
    assert documents
    assert [dead for path in documents for dead in source.dead_links(path)] == []
