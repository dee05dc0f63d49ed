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
from neuroscale.screen import table

_STYLES = {
    "passed": "green",
    "kept": "green",
    "killed": "green",
    "failed": "red",
    "not kept": "red",
    "survived": "red",
    "wrong reason": "red",
}
#: Of each table, and of each reason: more would push what comes first off the screen. The report has all.
_SHOWN, _WHY = 5, 240


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
    """On one screen: what did not pass, what was not kept, which mutants lived, and where the report is.

    Args:
        folder: The run.
        report: The written report; without one, the command that writes it is named.
        note: One line about the report.
    """
    run = folder.run
    verdicts = Counter(result.verdict for result in run.results)
    ran = f"{len(run.results)} scenarios ran in {duration(run.seconds)}"
    head = Text(f"\n{run.kind} {run.name}: {ran}, {_ending(run)}\n", style="bold")
    for verdict in ("passed", "failed", "not run"):
        style = _STYLES.get(verdict, "yellow") if verdicts[verdict] else "dim"
        head.append(f"  {verdicts[verdict]} {verdict}", style=style)
    ended_by = [Text(_beginning(run.why), style="yellow")] if run.why else []
    parts: list[RenderableType] = [head, *ended_by, *_troubled(run), *_restarts(run), *_slos(folder), *_kills(folder)]
    if note:
        parts.append(Text(note, style="yellow"))
    parts.append(Text(f"\nReport: {report or f'neuroscale report {folder.path.name} writes it'}", style="bold"))
    return Group(*parts)


def benchmarks(numbers: Sequence[Benchmark]) -> Table:
    """Minimum, median and maximum of each number beside its limit; only the worst run decides whether it is kept."""
    lines = _table("Numbers to reach", ("what",), ("runs", "min", "median", "max", "at most"), ("",))
    for number in numbers:
        if number.samples:
            found = [number.text(quantile(sorted(number.samples), share) or 0) for share in (0, 0.5, 1)]
            answer = "kept" if max(number.samples) <= number.at_most else "not kept"
        else:
            found, answer = ["–"] * 3, "not measured"
        lines.add_row(Text(number.name), str(len(number.samples)), *found, number.text(number.at_most), _word(answer))
    return lines


def _ending(run: Run) -> str:
    return run.outcome if run.exit_code is None else f"exit code {run.exit_code} ({run.outcome})"


def _troubled(run: Run) -> list[RenderableType]:
    rows_of = (
        (_word(result.verdict), Text(result.scenario), Text(result.step), Text(_beginning(result.why)))
        for result in run.results
        if result.verdict != "passed"
    )
    return _few("Not passed", _table("Not passed", ("verdict", "scenario", "step", "why")), list(rows_of))


def _restarts(run: Run) -> list[RenderableType]:
    title = "Restarts of containers"
    return _few(title, _table(title, ("scenario: container",)), [(Text(restart),) for restart in run.restarts])


def _slos(folder: RunFolder) -> list[RenderableType]:
    measured = [row for row in rows(folder.samples) if row.ranked]
    if not measured:
        return []
    wrong = [row for row in measured if row.answer == "not kept"]
    numbers = ("n", "min", "p50", "p90", "max", "censored", "limit")
    lines: list[Sequence[RenderableType]] = []
    for row in wrong:
        figures = [_figure(row.quantile(share)) for share in (0, 0.5, 0.9, 1)]
        last = str(row.censored), duration(row.claim.at_most) if row.claim else "–", _word(row.answer)
        lines.append((Text(row.slug), Text(row.series), str(len(row.ranked)), *figures, *last))
    judged = sum(row.claim is not None for row in measured)
    counted = Text(f"\n{judged - len(wrong)} of {judged} measured series kept their SLO", style="bold")
    title = "SLOs not kept"
    return [counted, *_few(title, _table(title, ("SLO", "series"), numbers, ("",)), lines)]


def _kills(folder: RunFolder) -> list[RenderableType]:
    kills = folder.kills
    if not kills:
        return []
    wrong = [
        (Text(kill.mutant), Text(kill.scenario), _word(kill.verdict), Text(kill.step or "–"))
        for kill in kills
        if kill.verdict != "killed"
    ]
    stale = f"; {len(folder.stale)} are stale (neuroscale kill-matrix --stale tries them)" if folder.stale else ""
    counted = Text(f"\n{len(kills) - len(wrong)} of {len(kills)} mutants killed{stale}", style="bold")
    return [counted, *_few("Not killed", _table("Not killed", ("mutant", "check", "", "red in step")), wrong)]


def _few(title: str, into: Table, lines: Sequence[Sequence[RenderableType]]) -> list[RenderableType]:
    """The first of a table's lines, so that the end of a run fits a screen; nothing of an empty one."""
    if not lines:
        return []
    for line in lines[:_SHOWN]:
        into.add_row(*line)
    more = len(lines) - _SHOWN
    return [into, Text(f"and {more} more under “{title}” in the report", style="dim")] if more > 0 else [into]


def _beginning(why: str) -> str:
    return why if len(why) <= _WHY else f"{why[:_WHY]} …"


def _table(title: str, words: Sequence[str], numbers: Sequence[str] = (), more: Sequence[str] = ()) -> Table:
    made = table(*words, *numbers, *more, title=title)
    for column in made.columns[len(words) : len(words) + len(numbers)]:
        column.justify, column.no_wrap = "right", True
    return made


def _figure(measured: Measured | None) -> str:
    return measured.text if measured else "–"


def _word(word: str) -> Text:
    return Text(word, style=_STYLES.get(word, "yellow"))
