"""The kill matrix: every mutant against the check that must catch it.

``neuroscale kill-matrix`` runs this module with the options it was given. One pytest session tries all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Protocol

import typer

from neuroscale.cli import main
from neuroscale.cli.runs import conclude, pytest
from neuroscale.cluster.state import load_state
from neuroscale.errors import ExitCode, UsageError
from neuroscale.milestones import parse_milestones
from neuroscale.results import RunFolder
from neuroscale.screen import say
from suite.catalogue import entries
from suite.freshness import ledger, stale
from suite.markers import THREE_NODES, THREE_NODES_SHAPE
from suite.mutants import MUTANTS, by_slug
from suite.mutants.mutant import Mutant


class Runner(Protocol):
    """Runs pytest and returns its exit code."""

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> int:
        """Run it."""
        ...


def run(milestones: Collection[str], only: Collection[str], runner: Runner, *, only_stale: bool = False) -> int:
    """Run the mutants' checks in one session, whose exit code tells the worst that came of them.

    Raises:
        UsageError: A named mutant does not exist, or there is nothing to run.
    """
    chosen = [by_slug(slug) for slug in only] or _that_fit([one for letter in milestones for one in MUTANTS[letter]])
    if only_stale and chosen:
        found = stale(chosen, ledger())
        say(f"{len(found)} of {len(chosen)} mutants are stale: their last kill says nothing of what is there now")
        chosen = [by_slug(one.mutant) for one in found]
        if not chosen:
            return ExitCode.PASSED
    if not chosen:
        raise UsageError("At least one mutant should be selected, but none was. Next: make kill-matrix MILESTONES=a")
    return runner(*(f"--mutant={mutant.slug}" for mutant in chosen), "-v", "--no-header", "--tb=short")


def _that_fit(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Those that the cluster's shape allows; the others are told of."""
    state = load_state()
    if state is not None and state.shape == THREE_NODES_SHAPE:
        return list(mutants)
    elsewhere = {entry.scenario for entry in entries() if THREE_NODES in entry.tags}
    fit = [mutant for mutant in mutants if mutant.scenario not in elsewhere]
    if len(fit) < len(mutants):
        say(
            f"{len(mutants) - len(fit)} mutants are not tried: they need a cluster with three nodes. "
            "Next: NEUROSCALE_CLUSTER=neuroscale-three neuroscale kill-matrix --milestones f"
        )
    return fit


def command(
    milestones: str = "all", only: str = "", *, only_stale: Annotated[bool, typer.Option("--stale")] = False
) -> None:
    """Run, report, and end with the matrix's exit code."""
    earlier = len(RunFolder.all())
    code = run(parse_milestones(milestones), only.split(), pytest, only_stale=only_stale)
    for folder in RunFolder.all()[earlier:]:  # none, if pytest could not even begin
        folder.save_stale(stale([mutant for mutants in MUTANTS.values() for mutant in mutants], ledger()))
        conclude(folder)
    raise typer.Exit(code)


if __name__ == "__main__":
    main(lambda: typer.run(command))
