"""Work that begins on time, whatever became of the work before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from neuroscale.polling import pause


class Timed(Protocol):
    """What became of a piece of work."""

    @property
    def at(self) -> float:
        """Monotonic seconds at which it began."""


Record = TypeVar("Record", bound=Timed)


class RateScheduler(Generic[Record]):
    """Begins a piece of work so many times a second, each in a thread of its own, until the end of the ``with`` block.

    Args:
        work: One piece, and what became of it; it must not raise, as nobody would hear of it.
        rate: Pieces a second.
        at_once: Pieces that may be under way; when that many are, the next ones wait.
        name: Of the threads.
    """

    def __init__(self, work: Callable[[], Record], rate: float, at_once: int, name: str) -> None:
        self._work = work
        self._rate = rate
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._thread = threading.Thread(target=self._run, name=f"pace of {name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Begin no more, and wait for what is under way; a second call does nothing."""
        self._over.set()
        self._thread.join()
        self._pool.shutdown()

    @property
    def records(self) -> Sequence[Record]:
        """Every piece that has come to an end, in the order of beginning."""
        with self._lock:
            return tuple(sorted(self._records, key=lambda record: record.at))

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            self._pool.submit(self._do)
            due += 1 / self._rate
            pause(max(0.0, due - time.monotonic()))

    def _do(self) -> None:
        record = self._work()
        with self._lock:
            self._records.append(record)
