"""The kill matrix: every mutant against the check that must catch it.

``neuroscale kill-matrix`` runs this module with the options it was given.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import typer

from neuroscale.cli import main
from neuroscale.cli.runs import conclude, console, pytest
from neuroscale.errors import ExitCode, UsageError
from neuroscale.milestones import parse_milestones
from neuroscale.results import Kill, Run, RunFolder, ScenarioResult
from suite.mutants import MUTANTS, Mutant, by_slug, evaluate_kill


class Runner(Protocol):
    """Runs pytest and returns its exit code."""

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> int:
        """Run it."""
        ...


def run(milestones: Collection[str], only: Collection[str], runner: Runner, say: Callable[[str], None]) -> RunFolder:
    """Run each mutant's check with the mutant in place; the matrix is written after each, so a killed run keeps it.

    Raises:
        UsageError: A named mutant does not exist, or there is nothing to run.
    """
    chosen = [by_slug(slug) for slug in only] or [mutant for letter in milestones for mutant in MUTANTS[letter]]
    if not chosen:
        raise UsageError("At least one mutant should be selected, but none was. Next: make kill-matrix MILESTONES=a")
    folder, kills = RunFolder.new(), list[Kill]()
    record = Run(
        name=folder.path.name, kind="kill matrix", started_at=datetime.now(UTC), command="neuroscale kill-matrix"
    )
    for number, mutant in enumerate(chosen, start=1):
        say(f"mutant {number} of {len(chosen)}: {mutant.slug}: {mutant.title}")
        kill = _try(mutant, folder.path / "mutants" / mutant.slug, runner, record)
        kills.append(kill)
        say(f"  {kill.verdict} in {kill.seconds:.0f} s: {kill.step or 'no step'}: {kill.reason[:200]}")
        record.seconds = (datetime.now(UTC) - record.started_at).total_seconds()
        folder.save_kills(kills)
        folder.save_run(record)
    record.exit_code = exit_code(kills)
    folder.save_run(record)
    counts = Counter(kill.verdict for kill in kills)
    say(f"{len(kills)} mutants: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return folder


def exit_code(kills: Collection[Kill]) -> ExitCode:
    """Survivors, and reds for the wrong reason, fail; a mutant that could not be tried leaves the question open."""
    verdicts = {kill.verdict for kill in kills}
    if verdicts & {"survived", "wrong reason"}:
        return ExitCode.FAILED
    return ExitCode.NOT_RUN if "void" in verdicts else ExitCode.PASSED


def _try(mutant: Mutant, folder: Path, runner: Runner, record: Run) -> Kill:
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    runner("--mutant", mutant.slug, "-q", "--no-header", "--tb=no", environment={"NEUROSCALE_REPORTS": str(folder)})
    inner = [RunFolder(file.parent).run for file in folder.glob("*/run.json")]
    results: list[ScenarioResult] = inner[-1].results if inner else []
    record.versions = inner[-1].versions if inner else record.versions
    result = results[-1] if results else None
    return Kill(
        mutant=mutant.slug,
        title=mutant.title,
        scenario=mutant.scenario + (f" [{mutant.example}]" if mutant.example else ""),
        verdict=evaluate_kill(mutant, result),
        expected_step=mutant.red_step,
        expected_reason=mutant.reason,
        step=result.step if result else "",
        reason=result.why if result else "the scenario did not run; see the log above",
        seconds=time.monotonic() - start,
    )


def command(milestones: str = "all", only: str = "") -> None:
    """Run, report, and end with the matrix's exit code."""
    folder = run(parse_milestones(milestones), only.split(), pytest, console.print)
    conclude(folder)
    raise typer.Exit(folder.run.exit_code or ExitCode.PASSED)


if __name__ == "__main__":
    main(lambda: typer.run(command))
