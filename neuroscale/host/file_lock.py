"""One process at a time: whoever comes second is told who is first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from neuroscale.atomic_write import naming
from neuroscale.errors import Locked


@contextmanager
def held(file: Path, busy: Callable[[str], Locked]) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when the process dies, however it dies.

    Args:
        file: The lock file; beside it stands who holds it.
        busy: The error for whoever comes second, given the holder's pid and start time in words.

    Raises:
        Locked: Another process holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    holder = file.with_suffix(".holder")
    lock = FileLock(file, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise busy(_who(holder)) from error
    try:
        me = psutil.Process()
        started = datetime.fromtimestamp(me.create_time(), UTC).isoformat(timespec="seconds")
        with naming(holder):
            holder.write_text(json.dumps({"pid": me.pid, "started": started}), encoding="utf-8")
        yield
    finally:
        lock.release()


def exclusive(file: Path, purpose: str) -> AbstractContextManager[None]:
    """Hold a lock file of this machine while something is made.

    Args:
        file: The lock file.
        purpose: What the holder does, for the message another process gets.

    Raises:
        Locked: Another process holds it; the text names its pid and start time.
    """
    return held(
        file,
        lambda who: Locked(
            f"{purpose} should have this machine to itself, but {who} is at it. "
            "Next: wait for it to end, or stop it, and run the same command again"
        ),
    )


def _who(holder: Path) -> str:
    try:
        about = json.loads(holder.read_text(encoding="utf-8"))
        return f"pid {about['pid']}, started {about['started']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
