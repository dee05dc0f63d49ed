"""When a mutant counts as killed, what that leads to, and what the matrix runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import typer
from typer.testing import CliRunner

from neuroscale.cli import app, main
from neuroscale.errors import ExitCode, UsageError
from neuroscale.results import Kill, RunFolder, ScenarioResult, ScenarioVerdict
from neuroscale.settings import ROOT
from suite import kill_matrix, mutants
from suite.mutants import MUTANTS, Mutant, by_slug, evaluate_kill
from suite.mutants.mutant import exit_code

KillVerdict = Literal["killed", "wrong reason", "survived", "void"]
MUTANT = Mutant(
    "toy",
    "The toy is dead",
    scenario="A toy is mended",
    before="an operator breaks the toy",
    faults=(),
    red_step="it is mended within its time",
    reason=r"nothing has happened|it is (gone|broken)",
)


def result(
    step: str = "Then it is mended within its time",
    why: str = "…: it is gone. Next: …",
    verdict: ScenarioVerdict = "failed",
) -> ScenarioResult:
    return ScenarioResult(
        nodeid="n", feature="f", scenario=MUTANT.scenario, tags=[], verdict=verdict, seconds=1.0, why=why, step=step
    )


JUDGED: dict[str, tuple[ScenarioResult | None, KillVerdict]] = {
    "red where and why it should be": (result(), "killed"),
    "the same step behind another keyword": (result("And it is mended within its time"), "killed"),
    "a fault without effect is a red step too": (result(verdict="not run"), "killed"),
    "red in another step": (result("When an operator breaks the toy"), "wrong reason"),
    "red in a step that only begins alike": (result("Then it is mended within its time and stays"), "wrong reason"),
    "red for another reason": (result(why="the API server does not answer"), "wrong reason"),
    "green": (result("", "", "passed"), "survived"),
    "ended before any step": (result("", "the platform could not be brought up", "not run"), "void"),
    "an error outside every step": (result("", "…: it is gone. Next: …", "failed"), "void"),
    "did not run": (None, "void"),
}


@pytest.mark.parametrize("case", JUDGED)
def test_judge_kill(case: str) -> None:
    outcome, expected = JUDGED[case]
    assert evaluate_kill(MUTANT, outcome) == expected


def kill(verdict: KillVerdict) -> Kill:
    return Kill(
        mutant="m", title="t", scenario="s", verdict=verdict, expected_step="", expected_reason="", step="", reason="",
        seconds=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("killed", ExitCode.PASSED),
        ("survived", ExitCode.FAILED),
        ("wrong reason", ExitCode.FAILED),
        ("void", ExitCode.NOT_RUN),
    ],
)
def test_exit_code(verdict: KillVerdict, expected: ExitCode) -> None:
    assert exit_code(kill(verdict)) == expected


# --- the catalogue


def test_what_must_pass_names_mutants_that_exist() -> None:
    named = re.findall(r"kill-matrix --only ([\w-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert named
    assert [by_slug(slug).slug for slug in named] == named


def test_slugs_are_unique_and_found() -> None:
    every = [mutant for of_milestone in MUTANTS.values() for mutant in of_milestone]
    assert len({mutant.slug for mutant in every}) == len(every)
    assert all(by_slug(mutant.slug) is mutant for mutant in every)
    with pytest.raises(UsageError, match=r"'nobody' should be in the catalogue.*There are: "):
        by_slug("nobody")


# --- a matrix


def selected(milestones: list[str], only: list[str]) -> list[str]:
    """The mutants of the one session that a matrix runs."""
    sessions: list[tuple[str, ...]] = []

    def runner(*arguments: str, environment: dict[str, str] | None = None) -> int:
        sessions.append(arguments)
        return 7

    assert kill_matrix.run(milestones, only, runner) == 7
    (arguments,) = sessions
    return [argument.removeprefix("--mutant=") for argument in arguments if argument.startswith("--mutant=")]


def test_one_session_tries_the_mutants_of_the_milestones_or_the_named_ones() -> None:
    assert selected(["a", "b"], []) == [mutant.slug for letter in "ab" for mutant in MUTANTS[letter]]
    (named,) = MUTANTS["b"][:1]
    assert selected(["a"], [named.slug]) == [named.slug]


@pytest.mark.parametrize("shape", [None, "one-node", "three-nodes"])
def test_mutants_of_another_cluster_are_tried_on_one(shape: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    state = SimpleNamespace(shape=shape) if shape else None
    monkeypatch.setattr(kill_matrix, "load_state", lambda: state)
    said: list[str] = []
    monkeypatch.setattr(kill_matrix, "say", said.append)
    slug = "node-takes-the-gateway-along"
    assert (slug in selected(["f"], [])) == (shape == "three-nodes")
    assert any("need a cluster with three nodes" in line for line in said) == (shape != "three-nodes")
    assert selected(["f"], [slug]) == [slug]


def test_the_command_ends_with_the_report_of_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    RunFolder.begin("conformance", "an earlier run")
    begun: list[RunFolder] = []
    reported: list[Path] = []

    def session(*_: object, only_stale: bool) -> int:
        begun.append(RunFolder.begin("kill matrix", "pytest")[0])
        return 1

    monkeypatch.setattr(kill_matrix, "run", session)
    monkeypatch.setattr(kill_matrix, "conclude", lambda folder: reported.append(folder.path))
    with pytest.raises(typer.Exit) as ended:
        kill_matrix.command("a")
    assert (ended.value.exit_code, reported) == (1, [begun[0].path])


def test_an_empty_selection_is_no_success() -> None:
    def never(*arguments: str, environment: dict[str, str] | None = None) -> int:
        pytest.fail("nothing was selected")

    with pytest.raises(UsageError, match="At least one mutant should be selected"):
        kill_matrix.run([], [], never)
    with pytest.raises(UsageError, match="'nobody'"):
        kill_matrix.run(["a"], ["nobody"], never)


# --- discovery and the commands


def test_a_module_that_declares_mutants_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up.py").write_text(
        "from suite.mutants.milestone_a import MUTANTS as THERE\n\nMILESTONE = 'z'\nMUTANTS = THERE[:1]\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(mutants, "__path__", [*mutants.__path__, str(tmp_path)])
    try:
        found, modules = mutants.discover()
        assert found == {**MUTANTS, "z": MUTANTS["a"][:1]}
        assert set(modules) == {mutant.slug for of_milestone in MUTANTS.values() for mutant in of_milestone}
    finally:
        sys.modules.pop("suite.mutants.made_up", None)


def test_the_command_runs_the_suite_of_the_checkout() -> None:
    done = CliRunner().invoke(app, ["kill-matrix", "--milestones", "a", "--only", "nobody"])
    assert done.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["kill-matrix", "bench"])
def test_outside_a_checkout_there_is_no_suite(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("neuroscale.cli.runs.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["neuroscale", command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == ExitCode.NOT_RUN
    assert "checkout" in capsys.readouterr().err
