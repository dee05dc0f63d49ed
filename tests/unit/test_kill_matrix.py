"""When a mutant counts as killed, and what the matrix says to the shell."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from neuroscale.cli import app, main
from neuroscale.errors import ExitCode, UsageError
from neuroscale.results import Kill, Run, RunFolder, ScenarioResult, ScenarioVerdict
from suite import kill_matrix, mutants
from suite.kill_matrix import exit_code
from suite.mutants import MUTANTS, Mutant, by_slug, evaluate_kill

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
    ("verdicts", "expected"),
    [
        (("killed", "killed"), ExitCode.PASSED),
        (("killed", "survived"), ExitCode.FAILED),
        (("killed", "wrong reason"), ExitCode.FAILED),
        (("killed", "void"), ExitCode.NOT_RUN),
        (("void", "survived"), ExitCode.FAILED),
    ],
)
def test_exit_code(verdicts: tuple[KillVerdict, ...], expected: ExitCode) -> None:
    assert exit_code([kill(verdict) for verdict in verdicts]) == expected


# --- the catalogue


def test_slugs_are_unique_and_found() -> None:
    every = [mutant for of_milestone in MUTANTS.values() for mutant in of_milestone]
    assert len({mutant.slug for mutant in every}) == len(every)
    assert all(by_slug(mutant.slug) is mutant for mutant in every)
    with pytest.raises(UsageError, match=r"'nobody' should be in the catalogue.*There are: "):
        by_slug("nobody")


# --- a matrix


class Inner:
    """In place of pytest: leaves a run folder with one scenario, or nothing at all."""

    def __init__(self, results: dict[str, ScenarioResult | None]) -> None:
        self.results = results
        self.matrices: list[int] = []

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> int:
        assert arguments[0] == "--mutant"
        assert environment is not None
        outer = Path(environment["NEUROSCALE_REPORTS"])
        self.matrices.append(len(RunFolder(outer.parents[1]).kills))
        if (found := self.results[arguments[1]]) is not None:
            folder = outer / "2026-11-23T07-00-00"
            folder.mkdir()
            now = datetime.now(UTC)
            run = Run(name=folder.name, kind="conformance", started_at=now, versions={"argocd": "v0"}, results=[found])
            RunFolder(folder).save_run(run)
        return 1


def test_the_matrix_is_written_after_each_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    slugs = ["one", "two", "three"]
    some = tuple(Mutant(**{**vars(MUTANT), "slug": slug}) for slug in slugs)
    monkeypatch.setitem(MUTANTS, "a", some)
    inner, said = Inner({"one": result(), "two": result("", "", "passed"), "three": None}), list[str]()
    folder = kill_matrix.run(["a"], [], inner, said.append)
    assert [found.verdict for found in folder.kills] == ["killed", "survived", "void"]
    assert inner.matrices == [0, 1, 2]
    assert folder.kills[2].reason.startswith("the scenario did not run")
    assert (folder.run.exit_code, folder.run.kind, folder.run.versions) == (1, "kill matrix", {"argocd": "v0"})
    assert said[-1] == "3 mutants: 1 killed, 1 survived, 1 void"


def test_named_mutants_only(monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(Mutant(**{**vars(MUTANT), "slug": slug}) for slug in ("one", "two"))
    monkeypatch.setitem(MUTANTS, "a", some)
    folder = kill_matrix.run(["a"], ["two"], Inner({"two": result()}), lambda line: None)
    assert [found.mutant for found in folder.kills] == ["two"]
    assert folder.run.exit_code == ExitCode.PASSED


def test_an_empty_selection_is_no_success() -> None:
    def never(*arguments: str, environment: dict[str, str] | None = None) -> int:
        pytest.fail("nothing was selected")

    with pytest.raises(UsageError, match="At least one mutant should be selected"):
        kill_matrix.run([], [], never, lambda line: None)
    with pytest.raises(UsageError, match="'nobody'"):
        kill_matrix.run(["a"], ["nobody"], never, lambda line: None)


# --- discovery and the commands


def test_a_module_that_declares_mutants_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up.py").write_text(
        "from suite.mutants.milestone_a import MUTANTS as THERE\n\nMILESTONE = 'z'\nMUTANTS = THERE[:1]\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(mutants, "__path__", [*mutants.__path__, str(tmp_path)])
    try:
        assert mutants.discover() == {**MUTANTS, "z": MUTANTS["a"][:1]}
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
