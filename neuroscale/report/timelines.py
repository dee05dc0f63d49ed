"""Recoveries as pictures: a bar for each sample, split into phases. Only geometry; the SVG is in the template.

Drawn here and not by a plotting library: the picture is a handful of rectangles that must link to raw samples, follow
the reader's light or dark theme and add no megabytes to a self-contained file.
"""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.polling import duration
from neuroscale.report.axis import axis_limit, ticks
from neuroscale.report.figures import Measured, Row
from neuroscale.results import Sample

LEFT, PLOT, RIGHT = 250.0, 640.0, 110.0
TOP, ROW = 24.0, 22.0
#: In overview.css: p0 to p6.
_COLOURS = 7
_REST = {False: "recovered", True: "not recovered"}


@dataclass(frozen=True)
class Segment:
    """The time it took to reach a phase, after the phase before it. ``x`` and ``width`` in SVG units."""

    phase: str
    colour: str
    x: float
    width: float
    text: str


@dataclass(frozen=True)
class Bar:
    """One sample."""

    measured: Measured
    label: str
    y: float
    segments: tuple[Segment, ...]

    @property
    def end(self) -> float:
        """Right end of the bar."""
        return self.segments[-1].x + self.segments[-1].width


@dataclass(frozen=True)
class Picture:
    """All samples of one series on one axis, in the order of measuring. ``limit`` is the axis' end in seconds."""

    row: Row
    limit: float
    bars: tuple[Bar, ...]

    width = LEFT + PLOT + RIGHT
    left, top = LEFT, TOP

    @property
    def height(self) -> float:
        """Lower end of the axis."""
        return TOP + ROW * len(self.bars)

    @property
    def legend(self) -> dict[str, str]:
        """Phase -> colour."""
        return {segment.phase: segment.colour for bar in self.bars for segment in bar.segments}

    @property
    def claim_x(self) -> float | None:
        """Where the SLO lies, if the axis reaches it."""
        claim = self.row.claim
        return _x(claim.at_most, self.limit) if claim and claim.at_most <= self.limit else None

    @property
    def grid(self) -> list[tuple[float, str]]:
        """Position and text of each tick."""
        return [(_x(tick, self.limit), f"{tick:g} s") for tick in ticks(self.limit)]


def pictures(rows: list[Row]) -> list[Picture]:
    """One picture for each series that was measured. A phase has the same colour in all of them."""
    colours = {_REST[True]: "rest"}
    return [_picture(row, colours) for row in rows if row.ranked]


def _picture(row: Row, colours: dict[str, str]) -> Picture:
    limit = axis_limit([one.sample for one in row.ranked], row.claim)
    bars = []
    for index, one in enumerate(sorted(row.ranked, key=lambda measured: measured.number)):
        label = f"{one.sample.at:%H:%M:%S}  {one.sample.subject}"
        bars.append(Bar(one, label, TOP + ROW * index, tuple(_segments(one.sample, limit, colours))))
    return Picture(row, limit, tuple(bars))


def _segments(sample: Sample, limit: float, colours: dict[str, str]) -> list[Segment]:
    seen = sorted((at, phase) for phase, at in sample.phases.items() if at is not None and at <= sample.seconds)
    if not seen or seen[-1][0] < sample.seconds:
        seen.append((sample.seconds, _REST[sample.censored]))
    segments, before = [], 0.0
    for at, phase in seen:
        colour = colours.setdefault(phase, f"p{(len(colours) - 1) % _COLOURS}")
        x = _x(before, limit)
        text = f"{phase}: {duration(at)} after the fault, {duration(at - before)} after the phase before"
        segments.append(Segment(phase, colour, x, _x(at, limit) - x, text))
        before = at
    return segments


def _x(seconds: float, limit: float) -> float:
    """Where a time lies, never beyond the right edge."""
    return LEFT + PLOT * min(seconds / limit, 1.0)
