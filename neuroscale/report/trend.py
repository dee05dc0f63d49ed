"""How recovery figures and verdicts went over earlier runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pydantic import ValidationError

from neuroscale.report.axis import axis_limit, ticks
from neuroscale.report.figures import Row, rows
from neuroscale.results import Run, RunFolder, Sample
from neuroscale.slos import Slo

_RUNS = 20
LEFT, PLOT, TOP, TALL = 52.0, 330.0, 12.0, 120.0


@dataclass(frozen=True)
class HistoricRun:
    """A run that could be read."""

    name: str
    run: Run
    samples: list[Sample]

    @property
    def verdicts(self) -> Counter[str]:
        """Scenarios by verdict."""
        return Counter(result.verdict for result in self.run.results)


@dataclass(frozen=True)
class History:
    """Runs up to a given one, oldest first, and the names of folders that could not be read."""

    runs: list[HistoricRun]
    unreadable: list[str]


@dataclass(frozen=True)
class Point:
    """One series in one run, in SVG units."""

    run: Run
    x: float
    row: Row
    low: float
    p50: float
    p90: float
    high: float


@dataclass(frozen=True)
class Trend:
    """One series over the runs that measured it."""

    slug: str
    series: str
    claim: Slo | None
    points: list[Point]
    claim_y: float | None
    grid: list[tuple[float, str]]

    left, plot, top, tall = LEFT, PLOT, TOP, TALL


def history(folder: RunFolder, most: int = _RUNS) -> History:
    """The latest runs up to and with this one, so many at most.

    A folder that an older version wrote differently is named, not fatal.
    """
    past, unreadable = [], []
    for earlier in RunFolder.all():
        if earlier.path.name > folder.path.name:
            continue
        try:
            past.append(HistoricRun(earlier.path.name, earlier.run, earlier.samples))
        except (ValidationError, OSError):
            unreadable.append(earlier.path.name)
    return History(past[-most:], unreadable)


def trends(past: list[HistoricRun]) -> list[Trend]:
    """A course for each series that at least two runs have measured; one point is no trend."""
    found: dict[tuple[str, str], list[tuple[Run, Row]]] = {}
    for run in past:
        # What a deliberately broken platform needed to recover says nothing about the platform.
        measured = rows(run.samples) if run.run.kind != "kill matrix" else []
        for row in measured:
            if row.ranked:
                found.setdefault((row.slug, row.series), []).append((run.run, row))
    return [_course(slug, series, runs) for (slug, series), runs in found.items() if len(runs) > 1]


def _course(slug: str, series: str, runs: list[tuple[Run, Row]]) -> Trend:
    claim = runs[-1][1].claim
    samples = [one.sample for _, row in runs for one in row.ranked]
    limit = axis_limit(samples, claim)

    def y(seconds: float) -> float:
        return TOP + TALL * (1 - min(seconds / limit, 1.0))

    def at(row: Row, share: float) -> float:
        measured = row.quantile(share)
        # Not recovered means at the upper edge, wherever the looking ended.
        return y(limit if measured is None or measured.sample.censored else measured.sample.seconds)

    step = PLOT / len(runs)
    points = [
        Point(run, LEFT + step * (index + 0.5), row, at(row, 0), at(row, 0.5), at(row, 0.9), at(row, 1))
        for index, (run, row) in enumerate(runs)
    ]
    claim_y = y(claim.at_most) if claim and claim.at_most <= limit else None
    return Trend(slug, series, claim, points, claim_y, [(y(tick), f"{tick:g} s") for tick in ticks(limit, 4)])
