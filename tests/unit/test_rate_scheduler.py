"""Work at a rate: on time, recorded in the order of beginning, and over at the end of the block."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from neuroscale.polling import pause
from neuroscale.rate_scheduler import RateScheduler


@dataclass(frozen=True)
class Piece:
    at: float
    slow: bool


def test_a_slow_piece_holds_up_no_other_and_is_recorded_where_it_began() -> None:
    first = threading.Event()

    def work() -> Piece:
        at, slow = time.monotonic(), not first.is_set()
        first.set()
        pause(0.3 if slow else 0)
        return Piece(at, slow)

    with RateScheduler(work, 100, 4, "test") as scheduler:
        pause(0.15)
        early = scheduler.records
        pause(0.3)
    assert len(early) > 3
    assert not any(piece.slow for piece in early)
    assert scheduler.records[0].slow
    assert list(scheduler.records) == sorted(scheduler.records, key=lambda piece: piece.at)


def test_after_the_end_nothing_begins_and_all_that_began_is_there() -> None:
    begun: list[float] = []

    def work() -> Piece:
        begun.append(time.monotonic())
        pause(0.05)
        return Piece(begun[-1], slow=False)

    with RateScheduler(work, 100, 8, "test") as scheduler:
        pause(0.1)
    count = len(begun)
    pause(0.05)
    scheduler.stop()
    assert len(begun) == len(scheduler.records) == count
