"""SLOs and measurements: one row for each SLO and series, in which every number is a sample that can be looked up.

Percentiles are nearest-rank, so each of them *is* a measured sample and no mean of two. A censored sample (it had not
recovered when we stopped looking) ranks behind all others, so no percentile is too good; one that lands on a censored
sample reads "> 120 s".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from neuroscale.polling import duration
from neuroscale.quantile import quantile
from neuroscale.results import Sample
from neuroscale.slos import SLOS, Slo

SloVerdict = Literal["kept", "not kept", "not measured", "no SLO"]


@dataclass(frozen=True)
class Measured:
    """A sample and its place in ``recovery.json``, counted from 1."""

    number: int
    sample: Sample

    @property
    def text(self) -> str:
        """Seconds for people; ``> 120 s`` when censored."""
        return f"{'> ' if self.sample.censored else ''}{duration(self.sample.seconds)}"


@dataclass(frozen=True)
class Row:
    """The distribution of one series of one SLO.

    Attributes:
        claim: ``None`` when the samples name an SLO that is not, or no longer, in the catalogue.
        ranked: Best first, censored last.
    """

    slug: str
    series: str
    claim: Slo | None
    ranked: tuple[Measured, ...]

    def quantile(self, share: float) -> Measured | None:
        """The nearest-rank quantile, ``None`` without samples. 0 is the minimum, 1 the maximum."""
        return quantile(self.ranked, share)

    @property
    def censored(self) -> int:
        """How many had not recovered when we stopped looking."""
        return sum(measured.sample.censored for measured in self.ranked)

    @property
    def within(self) -> int:
        """How many recovered within the SLO."""
        if self.claim is None:
            return 0
        limit = self.claim.at_most
        return sum(not measured.sample.censored and measured.sample.seconds <= limit for measured in self.ranked)

    @property
    def answer(self) -> SloVerdict:
        """Kept only if every single sample kept it."""
        if self.claim is None:
            return "no SLO"
        if not self.ranked:
            return "not measured"
        return "kept" if self.within == len(self.ranked) else "not kept"


def rows(samples: Sequence[Sample]) -> list[Row]:
    """Rows in the order of the catalogue of SLOs; one that was not measured has a row that says so."""
    series: dict[tuple[str, str], list[Measured]] = {}
    for number, sample in enumerate(samples, 1):
        series.setdefault((sample.claim, sample.series), []).append(Measured(number, sample))
    seen = {slug for slug, _ in series}
    order = [*SLOS, *sorted(seen - set(SLOS))]
    found = []
    for slug in order:
        claim = SLOS.get(slug)
        if slug not in seen:
            found.append(Row(slug, "", claim, ()))
        for (of, name), measured in series.items():
            if of == slug:
                ranked = sorted(measured, key=lambda one: (one.sample.censored, one.sample.seconds))
                found.append(Row(slug, name, claim, tuple(ranked)))
    return found
