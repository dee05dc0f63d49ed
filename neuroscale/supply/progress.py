"""Telling how far the builds are and how long they will still take."""

from __future__ import annotations

import heapq
import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from neuroscale.atomic_write import write_atomically
from neuroscale.polling import duration

_LOG = logging.getLogger(__name__)

_HEARTBEAT = 60.0


def forecast(running: Iterable[float], waiting: Iterable[float], workers: int) -> float:
    """Seconds until all is done, when each idle worker takes the next of those waiting.

    Args:
        running: Seconds left of each build under way.
        waiting: Expected seconds of the others, in order.
        workers: How many build at once.
    """
    busy = sorted(max(left, 1.0) for left in running)
    free = busy + [0.0] * (workers - len(busy))
    heapq.heapify(free)
    for seconds in waiting:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


class Durations:
    """What each part took on this machine, kept across runs.

    Args:
        file: Where they are kept.
        first: What to expect of a part that was never built here.
    """

    def __init__(self, file: Path, first: Mapping[str, float]) -> None:
        self._file = file
        self._first = first
        self._learned = _read(file)

    def expect(self, part: str) -> float:
        """Seconds that the part will take."""
        return self._learned.get(part, self._first[part])

    def learn(self, part: str, seconds: float) -> None:
        """Keep what it took."""
        self._learned[part] = round(seconds, 1)
        write_atomically(self._file, json.dumps(self._learned, indent=1, sort_keys=True))


class Progress:
    """A live table on a terminal; elsewhere a line per event and a heartbeat per minute.

    Args:
        console: Where to print.
        durations: What to expect.
        parts: What will be built, in order.
        workers: How many build at once.
    """

    def __init__(
        self, console: Console, durations: Durations, parts: Iterable[str], workers: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._console, self._durations, self._workers, self._now = console, durations, workers, now
        self._waiting = list(parts)
        self._started: dict[str, float] = {}
        self._built = 0
        self._beat = now()
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=2, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def start(self, part: str) -> None:
        """A build begins."""
        self._waiting.remove(part)
        self._started[part] = self._now()
        self._say(f"building {part}, about {duration(self._durations.expect(part))}; {self._left()}")

    def done(self, part: str) -> float:
        """A build succeeded; returns the seconds it took."""
        took = self._now() - self._started.pop(part)
        self._built += 1
        self._say(f"built {part} in {duration(took)}; {self._left()}")
        return took

    def failed(self, part: str) -> None:
        """A build failed."""
        self._started.pop(part, None)
        others = " and ".join(self._started)
        self._say(f"{part} failed" + (f"; {others} may finish first, to be kept" if others else ""))

    def tick(self) -> None:
        """To be called now and then while builds run."""
        if not self._console.is_interactive and self._now() - self._beat >= _HEARTBEAT:
            self._say(f"still building {', '.join(self._started)}; {self._left()}")

    def _left(self) -> str:
        running = (self._durations.expect(part) - self._elapsed(part) for part in self._started)
        left = forecast(running, map(self._durations.expect, self._waiting), self._workers)
        return f"about {duration(left)} left" if self._started or self._waiting else "all built"

    def _elapsed(self, part: str) -> float:
        return self._now() - self._started[part]

    def _say(self, line: str) -> None:
        self._beat = self._now()
        _LOG.info(line)
        self._console.print(f"supply: {line}", highlight=False)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for part in self._started:
            expected, elapsed = self._durations.expect(part), self._elapsed(part)
            filled = min(int(24 * elapsed / max(expected, 1.0)), 23)
            table.add_row(
                part, "━" * filled + "╌" * (24 - filled), f"{duration(elapsed)} of about {duration(expected)}"
            )
        table.add_row("total", self._left(), f"{self._built} built, {len(self._waiting)} to come")
        return table


def _read(file: Path) -> dict[str, float]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {str(part): float(seconds) for part, seconds in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        # Only an estimate hangs on it.
        return {}
