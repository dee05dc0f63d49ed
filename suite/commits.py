"""Which commit a run was of."""

from __future__ import annotations

from functools import cache

from neuroscale.errors import ProgramFailed
from neuroscale.host.programs import run
from neuroscale.settings import ROOT


@cache
def commit() -> str:
    """The commit that is checked out, by its first twelve digits; empty without Git."""
    return _git("rev-parse", "--short=12", "HEAD") or ""


@cache
def whole_commit() -> str:
    """The same, but empty where anything in the checkout differs from it: then it does not tell what was run."""
    return commit() if _git("status", "--porcelain") == "" else ""


def _git(*arguments: str) -> str | None:
    try:
        asked = run(["git", *arguments], within=10, folder=ROOT)
    except ProgramFailed:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None
