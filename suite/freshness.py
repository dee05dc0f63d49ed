"""How fresh the red of each check is: a ledger of last kills, and what has changed since then.

A kill stays true until what it is made of changes: the scenario's feature file, the modules of its steps and what those
name, the mutant's own modules, the folders of the components that it needs. ``docs/kills.json`` keeps each mutant's
last kill with digests of all that; ``python -m suite.freshness --from reports/RUN`` enters a run's kills.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import TypeAdapter

from neuroscale.atomic_write import write_atomically
from neuroscale.chaos.faults import FunctionPatched
from neuroscale.components import COMPONENTS
from neuroscale.results import Kill, RunFolder, StaleKill
from neuroscale.settings import ROOT
from suite.mutants import MODULES, Mutant

LEDGER = ROOT / "docs" / "kills.json"
_KILLS = TypeAdapter(dict[str, Kill])
_OURS = ("neuroscale", "steps", "suite")
#: Made by tools, beside what is in Git.
_MADE = {"__pycache__", "node_modules"}


# --- what a kill is made of


def inputs_of(mutant: Mutant, feature: Path, steps: Iterable[Callable[..., Any]], tags: Collection[str]) -> list[Path]:
    """Files and folders that, changed, may change what comes of a mutant.

    Args:
        mutant: With its faults.
        feature: The file of its scenario.
        steps: Functions of the scenario's steps, up to the one that turned red.
        tags: Of the scenario: some are names of components.
    """
    modules = {MODULES[mutant.slug]}
    for fault in mutant.faults:
        modules.add(type(fault).__module__)
        if isinstance(fault, FunctionPatched):
            modules |= {fault.wire.partition(":")[0], fault.replacement.partition(":")[0]}
    for step in steps:
        modules |= {step.__module__, *_named_by(inspect.unwrap(step))}
    folders = [folder for component in COMPONENTS if component.name in tags for folder in component.folders]
    # What is built into Python has no file.
    files = [getattr(sys.modules.get(name), "__file__", None) for name in modules]
    found = {feature, *(Path(file) for file in files if file), *(ROOT / folder for folder in folders)}
    return sorted(path for path in found if path.is_relative_to(ROOT) and path.exists())


def _named_by(function: Callable[..., Any]) -> Iterator[str]:
    """Modules of ours that hold what a function names."""
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        module = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(module, str) and module.partition(".")[0] in _OURS:
            yield module


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """Path in the checkout -> digest of what is there now; of a folder, of all that is in it."""
    return {str(path.relative_to(ROOT)): digest(path) for path in paths}


def digest(path: Path) -> str:
    """Twelve hexadecimal digits; other ones for what is not there."""
    found = hashlib.sha256()
    for file in _files(path):
        content = file.read_bytes()
        found.update(f"{file.relative_to(path)} {len(content)}\n".encode() + content)
    return found.hexdigest()[:12]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and not _MADE & set(file.parts))


# --- the ledger


def ledger() -> dict[str, Kill]:
    """Mutant -> its last kill: from the checkout, or from a later run whose report is still there."""
    return enter(_kept(), (kill for folder in RunFolder.all() for kill in folder.kills))


def _kept() -> dict[str, Kill]:
    return _KILLS.validate_json(LEDGER.read_bytes()) if LEDGER.exists() else {}


def enter(kept: Mapping[str, Kill], kills: Iterable[Kill]) -> dict[str, Kill]:
    """The ledger with what became of mutants later: killed anew, or no longer; where nothing was learned, it stays."""
    entered = dict(kept)
    for kill in kills:
        known = entered.get(kill.mutant)
        if kill.verdict == "void" or not kill.at or (known is not None and known.at and known.at > kill.at):
            continue
        entered.pop(kill.mutant, None)
        if kill.verdict == "killed":
            entered[kill.mutant] = kill
    return entered


def stale(mutants: Sequence[Mutant], known: Mapping[str, Kill]) -> list[StaleKill]:
    """Those of the mutants whose last kill says nothing of what is there now, and why."""
    looked_at: dict[str, str] = {}
    found = []
    for mutant in mutants:
        kill = known.get(mutant.slug)
        changed = []
        for path, was in (kill.inputs if kill else {}).items():
            if path not in looked_at:
                looked_at[path] = digest(ROOT / path)
            if looked_at[path] != was:
                changed.append(path)
        if kill is None or changed:
            found.append(StaleKill(mutant=mutant.slug, changed=changed, killed_at=kill.at if kill else None))
    return found


def main() -> None:
    """Enter the kills of a run."""
    parser = argparse.ArgumentParser(prog="python -m suite.freshness", description="Enter kills into docs/kills.json.")
    parser.add_argument(
        "--from",
        dest="runs",
        type=Path,
        metavar="reports/RUN",
        required=True,
        nargs="+",
        help="runs of the kill matrix",
    )
    runs: list[Path] = parser.parse_args().runs
    entered = enter(_kept(), (kill for folder in runs for kill in RunFolder(folder).kills))
    there = {slug: entered[slug] for slug in sorted(entered) if slug in MODULES}
    write_atomically(LEDGER, _KILLS.dump_json(there, indent=1) + b"\n")


if __name__ == "__main__":
    main()
