"""Recoveries that take longer than they did: a run beside earlier ones on the same kind of machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neuroscale.quantile import quantile
from neuroscale.report.figures import Measured, Row, rows
from neuroscale.report.trend import HistoricRun

#: Fewer earlier runs of a series are nothing to compare with.
RUNS = 3
#: Slower by this factor, and by so many seconds, is more than the machine's mood: a time is known to 250 ms.
_FACTOR, _SECONDS = 1.5, 2.0


@dataclass(frozen=True)
class Comparison:
    """One series, now and before.

    Attributes:
        slug: Its SLO.
        runs: How many earlier runs measured it.
        before: Seconds, the median of their medians; what had not recovered took longer than anything else.
        now: The median of the run that is compared.
    """

    slug: str
    series: str
    runs: int
    before: float
    now: Measured

    @property
    def slower(self) -> bool:
        """Whether it is out of all proportion."""
        seconds = _seconds(self.now)
        return seconds > max(self.before * _FACTOR, self.before + _SECONDS)


def compare(run: HistoricRun, earlier: Sequence[HistoricRun]) -> list[Comparison]:
    """Each series of a run that enough earlier runs have measured on the same kind of machine.

    What a platform that a mutant has broken needs to recover says nothing, on either side.
    """
    if run.run.kind == "kill matrix":
        return []
    before: dict[tuple[str, str], list[float]] = {}
    for past in earlier:
        if past.run.kind != "kill matrix" and past.run.machine == run.run.machine:
            for row, middle in _medians(past):
                before.setdefault((row.slug, row.series), []).append(_seconds(middle))
    found = []
    for row, middle in _medians(run):
        known = sorted(before.get((row.slug, row.series), []))
        if len(known) >= RUNS and (usual := quantile(known, 0.5)) is not None:
            found.append(Comparison(row.slug, row.series, len(known), usual, middle))
    return found


def _medians(run: HistoricRun) -> Iterator[tuple[Row, Measured]]:
    for row in rows(run.samples):
        if (middle := row.quantile(0.5)) is not None:
            yield row, middle


def _seconds(measured: Measured) -> float:
    return float("inf") if measured.sample.censored else measured.sample.seconds
