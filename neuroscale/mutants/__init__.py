"""Deliberately broken platforms, one literal each: what is broken, and which check must turn red, where and why."""

from __future__ import annotations

from neuroscale.errors import UsageError
from neuroscale.mutants.gate_d import GATE_D
from neuroscale.mutants.incidents_b import MUTANTS as INCIDENTS_B
from neuroscale.mutants.incidents_d import MUTANTS as INCIDENTS_D
from neuroscale.mutants.milestone_a import MUTANTS as MILESTONE_A
from neuroscale.mutants.milestone_b import MUTANTS as MILESTONE_B
from neuroscale.mutants.milestone_d import MUTANTS as MILESTONE_D
from neuroscale.mutants.mutant import Mutant, evaluate_kill

MUTANTS: dict[str, tuple[Mutant, ...]] = {
    "a": MILESTONE_A,
    "b": (*MILESTONE_B, *INCIDENTS_B),
    "d": (*MILESTONE_D, *GATE_D, *INCIDENTS_D),
}

__all__ = ["MUTANTS", "Mutant", "by_slug", "evaluate_kill"]


def by_slug(slug: str) -> Mutant:
    """A mutant by its slug.

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    every = {mutant.slug: mutant for mutants in MUTANTS.values() for mutant in mutants}
    if slug not in every:
        raise UsageError(f"The mutant {slug!r} should be in the catalogue, but is not. There are: {', '.join(every)}")
    return every[slug]
