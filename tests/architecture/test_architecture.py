"""The rooms keep their walls."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import source

from neuroscale.kubernetes.refs import api_version_of
from neuroscale.settings import ROOT

LIBRARY, STEPS, OURS = (
    source.python("neuroscale"),
    source.python("steps"),
    source.python("neuroscale", "steps", "suite"),
)
_PACKAGE = ROOT / "neuroscale"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _first_name(called: ast.expr) -> str:
    """What a call begins with as it is written: ``httpx`` of ``httpx.Client().get``."""
    while isinstance(called, ast.Attribute | ast.Call | ast.Subscript):
        called = called.func if isinstance(called, ast.Call) else called.value
    return called.id if isinstance(called, ast.Name) else ""


def test_there_is_something_to_look_at() -> None:
    assert len(LIBRARY) > 20
    assert len(STEPS) > 1


def test_the_runner_reaches_kubernetes_through_the_library() -> None:
    """For the library itself an import contract says so."""
    runner = source.python("steps", "suite")
    assert [_name(path) for path in runner if "kubernetes" in source.imports(source.tree(path))] == []


def test_there_is_one_place_where_http_clients_are_made() -> None:
    """The registry's is beside it: it is the one that a proxy may lead to."""
    made = {
        _name(path)
        for path in OURS
        for node in source.nodes(path)
        if isinstance(node, ast.Call) and _first_name(node.func) == "httpx"
        if re.match(r"httpx\.(Client|AsyncClient|[a-z]+)\b", ast.unparse(node.func))
    }
    assert made == {"neuroscale/host/direct.py", "neuroscale/supply/registry.py"}


def test_a_chain_of_imports_is_short() -> None:
    """What is imported deep down is loaded, and has to be understood, for everything above it."""
    chain = source.longest_chain("neuroscale")
    assert len(chain) <= 16, " -> ".join(chain)


def test_steps_are_glue() -> None:
    closed = {"time", "subprocess", "kubernetes", "httpx", "yaml", "json", "os"}
    trees = {_name(path): source.tree(path) for path in STEPS}
    assert {name: found for name, tree in trees.items() if (found := source.imports(tree) & closed)} == {}
    assert {name: lines for name, tree in trees.items() if (lines := source.digs(tree))} == {}
    assert source.long_functions(STEPS, 10) == {}


def test_modules_and_functions_are_short() -> None:
    assert [_name(path) for path in OURS if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []
    assert source.long_functions(OURS, 45) == {}


def test_every_module_has_a_home() -> None:
    homeless = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert [_name(path) for path in OURS if homeless & {path.stem, path.parent.name}] == []


def test_only_an_application_out_of_play_is_nudged() -> None:
    """A timed scenario that asks for a refresh measures itself (decision 0019)."""
    nudging = []
    for path in OURS:
        constants = (n for n in source.nodes(path) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        if any("argocd.argoproj.io/refresh" in node.value for node in constants):
            nudging.append(path)
    assert nudging == [_PACKAGE / "chaos" / "edit_faults.py"]
    timed = [_PACKAGE / "gitops" / "drift_scenarios.py", _PACKAGE / "gitops" / "commit_scenarios.py"]
    assert [_name(path) for path in timed if "ApplicationEdited(" in path.read_text(encoding="utf-8")] == []


def test_each_kind_that_is_named_has_a_version() -> None:
    """A reference without one ends in a ``KeyError``, and only when its scenario runs."""
    unknown = []
    for path in OURS:
        for call in (node for node in source.nodes(path) if isinstance(node, ast.Call)):
            kind = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
            made = isinstance(call.func, ast.Name) and call.func.id == "Ref"
            given = len(call.args) > 3 or any(keyword.arg == "api_version" for keyword in call.keywords)
            if made and isinstance(kind, str) and not given:
                try:
                    api_version_of(kind)
                except KeyError:
                    unknown.append(f"{_name(path)}:{call.lineno}: {kind}")
    assert unknown == []


def test_no_broad_except_goes_without_a_reason() -> None:
    broad = []
    for path in OURS:
        lines = path.read_text(encoding="utf-8").splitlines()
        for handler in (node for node in source.nodes(path) if isinstance(node, ast.ExceptHandler)):
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
        for node in source.nodes(path)
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
