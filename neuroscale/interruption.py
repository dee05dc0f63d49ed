"""Being told to stop: heard once, and never in the middle of putting something back.

CI systems cancel with SIGINT, then SIGTERM, then SIGKILL; a terminal that is closed sends SIGHUP. The first of them
interrupts. What comes later changes nothing, since it would only keep the rollback from its work; SIGKILL leaves that
to the journal.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class _Heard:
    """What this process was told.

    Attributes:
        by: Name of the first signal; empty as long as there was none.
        told: Whether the process has been interrupted, which happens once.
        unfinished: How many blocks there are that must not be interrupted.
    """

    by: str = ""
    told: bool = False
    unfinished: int = 0

    def interrupt(self) -> None:
        if self.by and not self.told and not self.unfinished:
            self.told = True
            raise KeyboardInterrupt(self.by)


_heard = _Heard()


def listen() -> None:
    """From now on each of the signals interrupts this process as Ctrl-C does. One that it ignores stays ignored."""
    for number in SIGNALS:
        # Whoever started it with nohup, or in the background of a shell, wants that.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _hear)


def _hear(number: int, _frame: FrameType | None) -> None:
    _heard.by = _heard.by or signal.Signals(number).name
    _heard.interrupt()


@contextmanager
def finishing() -> Iterator[None]:
    """What happens in here is not interrupted, nor are the programs that it starts; a signal is heard at its end."""
    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield
        return
    _heard.unfinished += 1
    # A child inherits this mask: Ctrl-C in a terminal reaches it as well, and would end a push half-way.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)  # whoever does not listen is interrupted here
        finally:
            _heard.unfinished -= 1
        _heard.interrupt()
