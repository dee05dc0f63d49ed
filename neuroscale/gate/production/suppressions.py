"""Findings that are put up with: each with a reason and an end, in ``production/suppressions.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neuroscale.errors import ConditionTimeout
from neuroscale.gate.production.verdicts import Verdict
from neuroscale.settings import ROOT

FILE = Path("production", "suppressions.toml")


class Suppression(BaseModel):
    """One rule that some objects may break for a while.

    Attributes:
        checker: Whose rule.
        rule: Its name.
        where: Which objects, as a shell pattern.
        reason: Why.
        until: The last day.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checker: str
    rule: str
    where: str = "*"
    reason: str = Field(min_length=20)
    until: date

    def covers(self, verdict: Verdict) -> bool:
        """Whether it speaks of a verdict."""
        same = (self.checker, self.rule) == (verdict.checker, verdict.rule)
        return same and fnmatchcase(verdict.where, self.where)

    def __str__(self) -> str:
        return f"{self.checker} {self.rule} at {self.where}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    suppression: list[Suppression] = []


def read(file: Path = ROOT / FILE) -> list[Suppression]:
    """What is put up with.

    Raises:
        ConditionTimeout: One lacks its reason or its end.
    """
    try:
        return _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).suppression
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        said = " ".join(str(error).split())
        raise ConditionTimeout(
            f"Each suppression should have a rule, a reason and an end, but {said}. Next: edit {FILE}"
        ) from error


def unsuppressed(verdicts: Iterable[Verdict], suppressions: Sequence[Suppression]) -> list[Verdict]:
    """What is wrong and not put up with."""
    return [
        one for one in verdicts if not one.good and not any(suppression.covers(one) for suppression in suppressions)
    ]


def outdated(suppressions: Iterable[Suppression], verdicts: Sequence[Verdict], today: date) -> list[str]:
    """Complaints about suppressions whose end has come, or that nothing needs any more."""
    bad = [one for one in verdicts if not one.good]
    complaints = []
    for suppression in suppressions:
        if suppression.until < today:
            complaints.append(f"{suppression} ended on {suppression.until}")
        elif not any(suppression.covers(one) for one in bad):
            complaints.append(f"{suppression} covers nothing that is wrong")
    return complaints
