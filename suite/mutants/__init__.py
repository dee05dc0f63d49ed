"""Deliberately broken platforms, one literal each: what is broken, and which check must turn red, where and why.

A module of this package that declares ``MUTANTS`` and the letter of its ``MILESTONE`` is found; nothing lists it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from neuroscale.errors import UsageError
from suite.mutants.mutant import Mutant, evaluate_kill


def discover() -> dict[str, tuple[Mutant, ...]]:
    """Milestone -> its mutants, in the order of the modules' names."""
    found: dict[str, tuple[Mutant, ...]] = {}
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        loaded = import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "MUTANTS"):
            found[loaded.MILESTONE] = (*found.get(loaded.MILESTONE, ()), *loaded.MUTANTS)
    return dict(sorted(found.items()))


MUTANTS = discover()

__all__ = ["MUTANTS", "Mutant", "by_slug", "discover", "evaluate_kill"]


def by_slug(slug: str) -> Mutant:
    """A mutant by its slug.

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    every = {mutant.slug: mutant for mutants in MUTANTS.values() for mutant in mutants}
    if slug not in every:
        raise UsageError(f"The mutant {slug!r} should be in the catalogue, but is not. There are: {', '.join(every)}")
    return every[slug]
