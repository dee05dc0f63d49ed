"""One builder at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from neuroscale.errors import Locked


@contextmanager
def exclusive(file: Path, purpose: str) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when the process dies, however it dies.

    Args:
        file: The lock file; beside it stands who holds it.
        purpose: What the holder does, for the message another process gets.

    Raises:
        Locked: Another process holds it; the text names its pid and start time.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    holder = file.with_suffix(".holder")
    lock = FileLock(file, blocking=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise Locked(
            f"{purpose} should have this machine to itself, but {_who(holder)} is at it. "
            f"Wait for it to end, or stop it, and run the same command again."
        ) from error
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({"pid": os.getpid(), "started": started}), encoding="utf-8")
        yield
    finally:
        lock.release()


def _who(holder: Path) -> str:
    try:
        about = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {about['pid']}, started {about['started']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
