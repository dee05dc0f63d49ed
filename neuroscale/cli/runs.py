"""Commands that run the suite: incidents, the kill matrix, the benchmark. pytest does the running."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from neuroscale.cli.options import Milestones
from neuroscale.cluster.state import present_milestones
from neuroscale.errors import PreconditionFailed
from neuroscale.host.programs import in_foreground
from neuroscale.incident_match import matching
from neuroscale.incidents import EVERY_INCIDENT, INCIDENTS, number_of
from neuroscale.platform import connect
from neuroscale.report import summary, write
from neuroscale.results import RunFolder
from neuroscale.screen import say, table
from neuroscale.settings import ROOT, places

incident = typer.Typer(help="Past and feared outages, replayable on demand.", no_args_is_help=True)


@incident.command("list")
def incident_list() -> None:
    """Every incident in the catalogue."""
    listed = table("incident", "number", "what", "remedy")
    for entry in EVERY_INCIDENT.values():
        listed.add_row(entry.slug, entry.number, entry.title, entry.remedy)
    say(listed)


@incident.command("run")
def incident_run(slug: Annotated[str, typer.Argument(help="Slug or number, for example a1.")]) -> None:
    """Let an incident happen, show its symptom, resolve it, time the recovery. C4, C14, D4, D7, E1, E2: no cluster."""
    raise typer.Exit(pytest("-m", f"incident_{number_of(slug)}"))


@incident.command("match")
def incident_match() -> None:
    """Which known incident the platform looks like now: those whose whole symptom shows, the likeliest first."""
    found = matching(INCIDENTS.values(), connect(), present_milestones())
    if not found:
        say("unknown: no known incident shows its whole symptom. Next: neuroscale check, docs/troubleshooting.md")
        return
    listed = table("incident", "number", "what is seen", "remedy")
    for match in found:
        listed.add_row(match.incident.slug, match.incident.number, "; ".join(match.seen), match.incident.remedy)
    say(listed)


def kill_matrix(
    milestones: Milestones = "all",
    only: Annotated[str, typer.Option(help="Slugs of mutants, separated by spaces; all if not given.")] = "",
    stale: Annotated[
        bool, typer.Option("--stale", help="Of these, those that bear on something that changed since their last kill.")
    ] = False,
) -> None:
    """Prove that each check can fail: break the platform; it must fail in the intended step, for that reason."""
    more = ["--stale"] if stale else []
    raise typer.Exit(_suite("kill_matrix", "--milestones", milestones, "--only", only, *more))


def bench(
    rounds: Annotated[int, typer.Option(min=1, help="How often each drift series is repeated.")] = 10,
) -> None:
    """Measure the suite's own numbers and the self-heal times; print min, median and max beside the limits."""
    raise typer.Exit(_suite("bench", "--rounds", str(rounds)))


def conclude(folder: RunFolder) -> None:
    """Write the report of a run and print its summary."""
    written = write(folder)
    say(summary(folder, written.path, written.note))


def pytest(*arguments: str, environment: dict[str, str] | None = None) -> int:
    """Run pytest in this Python environment and return its exit code."""
    return _module("pytest", *arguments, environment=environment)


def _suite(name: str, *arguments: str) -> int:
    """The runner's modules know scenarios and pytest; they are in a checkout, and not in the library.

    Raises:
        PreconditionFailed: This is no checkout.
    """
    if not (ROOT / "suite").is_dir():
        raise PreconditionFailed(
            f"The suite should be in {ROOT / 'suite'}, but is not. Next: the command in a checkout of the repository"
        )
    return _module(f"suite.{name}", *arguments)


def _module(name: str, *arguments: str, environment: dict[str, str] | None = None) -> int:
    command = [sys.executable, "-m", name, *arguments]
    return in_foreground(command, folder=ROOT, env={**os.environ, **places(), **(environment or {})})
