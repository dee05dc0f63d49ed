"""Work at a rate: on time, recorded in the order of beginning, and over at the end of the block."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass

from neuroscale.polling import pause
from neuroscale.rate_scheduler import RateScheduler

#: How long a busy machine may take for work of no time.
_SECONDS = 10.0


@dataclass(frozen=True)
class Piece:
    at: float
    slow: bool


def test_a_slow_piece_holds_up_no_other_and_is_recorded_where_it_began() -> None:
    numbers, released = itertools.count(), threading.Event()

    def work() -> Piece:
        number = next(numbers)
        if number == 0:
            assert released.wait(_SECONDS)
        return Piece(at=number, slow=number == 0)

    with RateScheduler(work, 100, 4, "test") as scheduler:
        until = time.monotonic() + _SECONDS
        while len(early := scheduler.records) < 4 and time.monotonic() < until:
            pause(0.01)
        released.set()
    assert len(early) >= 4
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
