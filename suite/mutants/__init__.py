"""Deliberately broken platforms, one literal each: what is broken, and which check must turn red, where and why.

A module of this package that declares ``MUTANTS`` and the letter of its ``MILESTONE`` is found; nothing lists it.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from neuroscale.errors import UsageError
from suite.mutants.mutant import Mutant, evaluate_kill


def discover() -> tuple[dict[str, tuple[Mutant, ...]], dict[str, str]]:
    """Milestone -> its mutants, in the order of the modules' names; and mutant -> the module that declares it."""
    found, modules = dict[str, tuple[Mutant, ...]](), dict[str, str]()
    for module in sorted(iter_modules(__path__), key=lambda module: module.name):
        loaded = import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "MUTANTS"):
            found[loaded.MILESTONE] = (*found.get(loaded.MILESTONE, ()), *loaded.MUTANTS)
            modules |= {mutant.slug: loaded.__name__ for mutant in loaded.MUTANTS}
    return dict(sorted(found.items())), modules


MUTANTS, MODULES = discover()

__all__ = ["MODULES", "MUTANTS", "Mutant", "by_slug", "discover", "evaluate_kill"]


def by_slug(slug: str) -> Mutant:
    """A mutant by its slug.

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    every = {mutant.slug: mutant for mutants in MUTANTS.values() for mutant in mutants}
    if slug not in every:
        raise UsageError(f"The mutant {slug!r} should be in the catalogue, but is not. There are: {', '.join(every)}")
    return every[slug]
