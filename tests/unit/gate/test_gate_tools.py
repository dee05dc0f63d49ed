"""The gate's tools and the portal are there before the first scenario, whoever asks for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import warm

from neuroscale.errors import ExitCode
from neuroscale.gate import tools
from neuroscale.settings import ROOT
from neuroscale.supply.source import GATE_TOOLS

CONFTEST = """
import sys
import pytest
from neuroscale.errors import SupplyError
from neuroscale.local_portal import parts
from neuroscale.supply.builder import Builder

pytest_plugins = [
    "suite.ending", "suite.session", "suite.built_first", "suite.redaction", "suite.allure_results", "suite.recording",
]

def provide(self, targets):
    self.console.print("supply: building " + " ".join(sorted(targets)))
    {failing}
    return {{name: type("Stored", (), {{"path": __import__("pathlib").Path("/store") / name}}) for name in targets}}

Builder.provide = provide
# Of what the supply gives out, versions included, the portal makes more than is shown here.
parts.all_versions = lambda provided: dict.fromkeys(parts._SPEAKING, "1")

def pytest_addoption(parser):
    parser.addoption("--mutant")
"""
TESTS = """
import pytest

@pytest.mark.drift
def test_first():
    print("a scenario")

@pytest.mark.gate
def test_of_the_gate():
    print("a scenario of the gate")

@pytest.mark.portal
def test_of_the_portal():
    print("a scenario of the portal")
"""


def run(folder: Path, marker: str, failing: str = "") -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST.format(failing=failing), encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(folder / "reports"), "PYTHONPATH": str(ROOT)}
    arguments = ["-v", "-p", "no:cacheprovider", "-m", marker, "test_some.py"]
    return warm.run("pytest", *arguments, folder=folder, environment=environment)


@pytest.mark.parametrize(
    ("marker", "parts"), [("gate", GATE_TOOLS), ("portal", ("backstage", "gitea", "gate-engine", "helm", "kustomize"))]
)
def test_parts_are_built_in_view_before_the_first_scenario(marker: str, parts: Sequence[str], tmp_path: Path) -> None:
    code, said = run(tmp_path, f"drift or {marker}")
    assert code == ExitCode.PASSED, said
    built = said[: said.index("test_first")].split("supply: building")[1:]
    assert set(parts) <= set(" ".join(built).split())


def test_who_needs_neither_builds_nothing(tmp_path: Path) -> None:
    code, said = run(tmp_path, "drift")
    assert (code, "supply: building" in said) == (ExitCode.PASSED, False), said


@pytest.mark.parametrize(("marker", "what"), [("gate", "The gate's tools"), ("portal", "The portal")])
def test_parts_that_cannot_be_built_end_the_session_in_a_sentence(marker: str, what: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, f"drift or {marker}", "raise SupplyError('the network did not answer')")
    assert code == ExitCode.NOT_RUN, said
    assert f"{what} could not be built, so nothing was run. SupplyError: the network did not answer" in said
    assert "test_first" not in said


@pytest.mark.parametrize("everything", [True, False])
def test_the_cli_is_built_for_who_says_so(everything: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Stored:
        path = Path("/store")

    class Asked:
        def provide(self, targets: list[str]) -> dict[str, type[Stored]]:
            asked.extend(targets)
            return dict.fromkeys(targets, Stored)

    monkeypatch.setattr(tools, "Builder", Asked)
    given = tools.provide(everything=everything)
    assert {"gate-engine", "helm", "kustomize"} < set(asked)
    assert ("kyverno-cli" in asked) is everything
    assert given.kyverno() == Path("/store/kyverno-cli")
