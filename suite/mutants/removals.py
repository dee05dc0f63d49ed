"""Mutants of what the gate says of a change that removes things, and what takes the place of its functions."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.gate.findings import Finding, Places
from suite.mutants.mutant import Mutant

_SCENARIO = "A revert of main that loses what others depend on is stopped before it is merged"
_LEFT = "the gate passes what is left, when it does not know what was there"
_REJECTED = "the gate rejects the revert for the quota that it would remove"
_PASSED = "the gate passes the revert"


def nothing_is_missed(was: Places, now: Places, meant: Collection[str]) -> list[Finding]:
    """Whatever goes may go."""
    return []


def nothing_is_meant(before: Path, after: Path) -> set[str]:
    """What a change says of itself is not heard."""
    return set()


def _wired(attribute: str, replacement: str) -> FunctionPatched:
    return FunctionPatched(wire=f"neuroscale.gate.{attribute}", replacement=f"suite.mutants.removals:{replacement}")


MILESTONE = "f"
MUTANTS = (
    Mutant(
        "f12-no-symptom",
        "What is left is wrong in itself, so that the gate would have rejected it all along",
        scenario=_SCENARIO,
        before=_LEFT,
        faults=(
            FunctionPatched(
                wire="neuroscale.gate.resources:check", replacement="suite.mutants.gate:refuse_whatever_comes"
            ),
        ),
        red_step=_LEFT,
        reason=r"exit code 1 and resources: ",
    ),
    Mutant(
        "f12-removals-not-seen",
        "The gate does not look at what a change removes",
        scenario=_SCENARIO,
        before=_REJECTED,
        faults=(_wired("removals:check", "nothing_is_missed"),),
        red_step=_REJECTED,
        reason=r"but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "f12-meant-not-heard",
        "The gate does not hear what a change means to remove",
        scenario=_SCENARIO,
        before=_PASSED,
        faults=(_wired("removals:meant", "nothing_is_meant"),),
        red_step=_PASSED,
        reason=r"exit code 1 and removal: .*default-namespace-quota",
    ),
)
