"""Work that begins on time, whatever became of the work before it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from neuroscale.polling import pause


class RateScheduler:
    """Begins a piece of work so many times a second, each in a thread of its own, from ``start`` to ``stop``.

    Args:
        work: One piece; it must not raise, as nobody would hear of it.
        rate: Pieces a second.
        at_once: Pieces that may be under way; when that many are, the next ones wait.
        name: Of the threads.
    """

    def __init__(self, work: Callable[[], None], rate: float, at_once: int, name: str) -> None:
        self._work = work
        self._rate = rate
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._thread = threading.Thread(target=self._run, name=f"pace of {name}", daemon=True)

    def start(self) -> None:
        """Begin the first piece."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no more, and wait for what is under way; a second call does nothing."""
        self._over.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            self._pool.submit(self._work)
            due += 1 / self._rate
            pause(max(0.0, due - time.monotonic()))
