"""Writing a file whole or not at all; an error names it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors name a file that is written: of a full disk, the system's own does not say where."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = error.filename or str(path)
        raise


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file so that a crash, and whoever reads meanwhile, finds the old content or the new, never half of it.

    Of several that write at once each writes a draft of its own, and the last one stands.

    Args:
        path: Its folder is made where it is missing.
        content: Text is written as UTF-8.
        private: Only the owner may read the file, and a folder that is made for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:  # also Ctrl-C; a draft would lie about for ever
        draft.unlink(missing_ok=True)
        raise


def discard_drafts(folder: Path) -> None:
    """Remove the drafts of writers that were killed, from a folder in which nobody else writes meanwhile."""
    for draft in folder.glob(".*"):
        if re.fullmatch(r"\..+\.[0-9a-f]{32}", draft.name) and draft.is_file():
            draft.unlink()
