"""What a run says in the terminal when it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neuroscale.polling import duration
from neuroscale.quantile import quantile
from neuroscale.report.figures import Measured, rows
from neuroscale.results import Run, RunFolder

_STYLES = {
    "passed": "green",
    "kept": "green",
    "killed": "green",
    "failed": "red",
    "not kept": "red",
    "survived": "red",
    "wrong reason": "red",
}


@dataclass(frozen=True)
class Benchmark:
    """A number to reach.

    Attributes:
        at_most: The limit, in ``unit``.
        samples: One for each run.
    """

    name: str
    at_most: float
    samples: Sequence[float]
    unit: Literal["s", "GB"] = "s"

    def text(self, value: float) -> str:
        """A value with its unit."""
        return duration(value) if self.unit == "s" else f"{value:.2f} {self.unit}"


def summary(folder: RunFolder, report: Path | None = None, note: str = "") -> RenderableType:
    """Scenarios by verdict, claims, mutants, and where the report is, for a rich console.

    Args:
        folder: The run.
        report: The written report, if there is one.
        note: One line about the report.
    """
    run = folder.run
    verdicts = Counter(result.verdict for result in run.results)
    head = Text(f"\n{run.kind} {run.name}: {len(run.results)} scenarios ran in {duration(run.seconds)}\n", style="bold")
    for verdict in ("passed", "failed", "not run"):
        style = _STYLES.get(verdict, "yellow") if verdicts[verdict] else "dim"
        head.append(f"  {verdicts[verdict]} {verdict}", style=style)
    parts: list[RenderableType] = [head, *_troubled(run), *_restarts(run), *_claims(folder), *_kills(folder)]
    if note:
        parts.append(Text(note, style="yellow"))
    if report:
        parts.append(Text(f"Report: {report}", style="bold"))
    return Group(*parts)


def benchmarks(numbers: Sequence[Benchmark]) -> Table:
    """Minimum, median and maximum of each number beside its limit; only the worst run decides whether it is kept."""
    table = _table("Numbers to reach", ("what",), ("runs", "min", "median", "max", "at most"), ("",))
    for number in numbers:
        if number.samples:
            found = [number.text(quantile(sorted(number.samples), share) or 0) for share in (0, 0.5, 1)]
            answer = "kept" if max(number.samples) <= number.at_most else "not kept"
        else:
            found, answer = ["–"] * 3, "not measured"
        table.add_row(Text(number.name), str(len(number.samples)), *found, number.text(number.at_most), _word(answer))
    return table


def _troubled(run: Run) -> list[RenderableType]:
    troubled = [result for result in run.results if result.verdict != "passed"]
    if not troubled:
        return []
    table = _table("Not passed", ("verdict", "scenario", "step", "why"))
    for result in troubled:
        table.add_row(_word(result.verdict), Text(result.scenario), Text(result.step), Text(result.why))
    return [table]


def _restarts(run: Run) -> list[RenderableType]:
    if not run.restarts:
        return []
    table = _table("Restarts that no fault caused", ("scenario: container",))
    for restart in run.restarts:
        table.add_row(Text(restart))
    return [table]


def _claims(folder: RunFolder) -> list[RenderableType]:
    measured = [row for row in rows(folder.samples) if row.ranked]
    if not measured:
        return []
    numbers = ("n", "min", "p50", "p90", "max", "censored", "claimed")
    table = _table("Claimed and measured", ("claim", "series"), numbers, ("",))
    for row in measured:
        figures = [_figure(row.quantile(share)) for share in (0, 0.5, 0.9, 1)]
        last = str(row.censored), duration(row.claim.at_most) if row.claim else "–", _word(row.answer)
        table.add_row(Text(row.slug), Text(row.series), str(len(row.ranked)), *figures, *last)
    return [table]


def _kills(folder: RunFolder) -> list[RenderableType]:
    kills = folder.kills
    if not kills:
        return []
    table = _table("Kill matrix", ("mutant", "check", "", "red in step"))
    for kill in kills:
        table.add_row(Text(kill.mutant), Text(kill.scenario), _word(kill.verdict), Text(kill.step or "–"))
    return [table]


def _table(title: str, words: Sequence[str], numbers: Sequence[str] = (), more: Sequence[str] = ()) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, header_style="dim")
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    for name in more:
        table.add_column(name)
    return table


def _figure(measured: Measured | None) -> str:
    return measured.text if measured else "–"


def _word(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, "yellow"))
