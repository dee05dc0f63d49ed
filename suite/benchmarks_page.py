"""The page of what was measured: ``docs/benchmarks.json`` rendered as ``docs/benchmarks.md``.

``python -m suite.benchmarks_page`` writes the page; a test fails when it is out of date. ``--from reports/<run>`` first
takes over what ``make bench`` measured in that run: the former value of each figure becomes a line of its history.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

from neuroscale.polling import duration
from neuroscale.results import Measurement, RunFolder
from neuroscale.settings import ROOT
from suite.catalogue import entries
from suite.mutants import MUTANTS

DATA = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "benchmarks.md"


@cache
def there_are() -> dict[str, int]:
    """How many scenarios, each example of an outline for one, and how many mutants each milestone has."""
    scenarios: Counter[str] = Counter()
    for entry in entries():
        scenarios.update({f"scenarios of {tag.removeprefix('milestone_')}": entry.examples for tag in entry.tags})
    return {**scenarios, **{f"mutants of {letter}": len(mutants) for letter, mutants in MUTANTS.items()}}


#: As somebody would write it: 1209, and not 1209.0, which would change every line of the file.
_Number = Annotated[float, PlainSerializer(lambda value: int(value) if float(value).is_integer() else value)]


class Past(BaseModel):
    """What a figure was, or what it was elsewhere."""

    model_config = ConfigDict(extra="forbid")

    recorded: date
    text: str


class Figure(BaseModel):
    """One measured figure.

    Attributes:
        bench: Name under which ``make bench`` measures it; empty when another command does.
        least: The smallest sample, in ``unit``.
        most: The largest one; it alone decides.
        runs: How many samples stand behind both; ``None`` when nobody wrote it down.
        median: Of the samples, where there are enough of them.
        limit: What ``most`` must not exceed, in ``unit``; ``None`` when nothing is promised.
        claimed: The limit is what the reference documents say, and no promise of this platform.
        recorded: When the value was written down.
        counts: What the figure is about, where that grows with the suite: ``scenarios of b``, ``mutants of d``.
        counted: How many there were when it was measured; the page sets how many there are now beside it.
        note: What bears on the value.
    """

    model_config = ConfigDict(extra="forbid")

    slug: str
    what: str
    bench: str = ""
    least: _Number
    most: _Number
    runs: int | None = None
    median: _Number | None = None
    unit: Literal["s", "ms", "GB", "objects", "requests", "mutants", "rows"]
    limit: _Number | None = None
    claimed: bool = False
    command: str
    recorded: date
    counts: str = ""
    counted: int = 0
    note: str = ""
    history: list[Past] = []

    @property
    def size(self) -> str:
        """How many scenarios or mutants it is about, then and now."""
        if not self.counts:
            return ""
        now = there_are()[self.counts]
        grown = "" if now == self.counted else f" then, {now} now"
        return f"{self.counted} {self.counts.partition(' ')[0]}{grown}"

    @property
    def value(self) -> str:
        """The range of its samples, in words."""
        span = (
            self._text(self.most) if self.least == self.most else f"{self._text(self.least)} to {self._text(self.most)}"
        )
        median = "" if self.median is None else f", median {self._text(self.median)}"
        runs = "" if self.runs is None else f" ({self.runs} sample{'' if self.runs == 1 else 's'})"
        return span + median + runs

    @property
    def limit_text(self) -> str:
        """The limit, in words."""
        if self.limit is None:
            return "–"
        return self._text(self.limit) + (" (claimed)" if self.claimed else "")

    @property
    def verdict(self) -> str:
        """Whether the worst sample kept the limit."""
        if self.limit is None:
            return "–"
        return "kept" if self.most <= self.limit else "**exceeded**"

    def _text(self, value: float) -> str:
        return duration(value) if self.unit == "s" and value >= 10 else f"{round(value, 2):g} {self.unit}"


class Group(BaseModel):
    """Figures that belong together."""

    model_config = ConfigDict(extra="forbid")

    title: str
    figures: list[Figure]


class Survivor(BaseModel):
    """A mutant of the source that the fast tier does not notice.

    Attributes:
        line: Where the change was when it was recorded.
        change: What was there, and what instead.
        why: Why no test notices; most change nothing that anybody could see.
    """

    model_config = ConfigDict(extra="forbid")

    file: str
    line: int
    change: str
    why: str

    @property
    def name(self) -> str:
        """What it is called, wherever it stands in its module today."""
        return f"{self.file}: {self.change}"


class Document(BaseModel):
    """``docs/benchmarks.json``."""

    model_config = ConfigDict(extra="forbid")

    environment: str
    groups: list[Group]
    survivors: list[Survivor] = []

    @property
    def figures(self) -> list[Figure]:
        """Those of every group."""
        return [figure for group in self.groups for figure in group.figures]


def load(path: Path = DATA) -> Document:
    """Read the figures."""
    return Document.model_validate_json(path.read_bytes())


def save(document: Document) -> None:
    """Write the figures."""
    DATA.write_text(document.model_dump_json(indent=1, exclude_defaults=True) + "\n", encoding="utf-8")


def render(document: Document) -> str:
    """The page as Markdown."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Generated from `benchmarks.json` by `make docs`; a test fails when it is out of date.",
            "The worst sample decides whether a limit was kept.",
            "",
            document.environment,
            "",
            *(line for group in document.groups for line in _group(group)),
            *_survivors(document.survivors),
            "## History",
            "",
            "What the figures were before, and what they were on a busy machine or in another setting.",
            "",
            *_history(document.figures),
        ]
    )


def _group(group: Group) -> Iterator[str]:
    yield from (
        f"## {group.title}",
        "",
        "| figure | value | limit | verdict | command | recorded |",
        "|---|---|---|---|---|---|",
    )
    for figure in group.figures:
        what = ". ".join(filter(None, (figure.what, figure.size, figure.note)))
        cells = (what, figure.value, figure.limit_text, figure.verdict, figure.command, figure.recorded.isoformat())
        yield f"| {' | '.join(cells)} |"
    yield ""


def _survivors(survivors: Sequence[Survivor]) -> Iterator[str]:
    if survivors:
        yield from (
            "## Mutants of the source that survive",
            "",
            "What `make mutation` changed without a test of the fast tier turning red, and why none does.",
            "",
            "| where | change | why it survives |",
            "|---|---|---|",
        )
        for one in survivors:
            yield f"| {one.file}:{one.line} | `` {one.change.replace('|', chr(92) + '|')} `` | {one.why} |"
        yield ""


def _history(figures: Sequence[Figure]) -> Iterator[str]:
    for figure in figures:
        if figure.history:
            yield from (f"**{figure.what}**", "")
            yield from (f"- until {past.recorded.isoformat()}: {past.text}" for past in figure.history)
            yield ""


def take_over(document: Document, measured: Sequence[Measurement], on: date) -> list[str]:
    """Replace the figures that ``make bench`` measures; what they were goes into their history.

    Returns:
        Names of measurements that no figure waits for.
    """
    waiting = {figure.bench: figure for figure in document.figures if figure.bench}
    for one in measured:
        figure = waiting.get(one.name)
        if figure is None or not one.samples:
            continue
        figure.history.insert(0, Past(recorded=figure.recorded, text=figure.value))
        figure.least, figure.most, figure.runs = min(one.samples), max(one.samples), len(one.samples)
        figure.unit, figure.limit, figure.median, figure.recorded = one.unit, one.at_most, None, on
        figure.counted = there_are()[figure.counts] if figure.counts else 0
    return [one.name for one in measured if one.name not in waiting]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m suite.benchmarks_page", description="Write docs/benchmarks.md.")
    parser.add_argument(
        "--from", dest="run", type=Path, metavar="reports/RUN", help="first take over a run of make bench"
    )
    run: Path | None = parser.parse_args().run
    document = load(DATA)
    if run is not None:
        folder = RunFolder(run)
        unknown = take_over(document, folder.measurements, folder.run.started_at.date())
        save(document)
        for name in unknown:
            sys.stderr.write(f"no figure in {DATA.name} has bench = {name!r}\n")
    PAGE.write_text(render(document), encoding="utf-8")


if __name__ == "__main__":
    main()
