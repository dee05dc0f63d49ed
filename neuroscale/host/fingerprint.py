"""Whether files are as they were: quicker to ask than to start a program that makes them so."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path


def of(*paths: Path) -> str:
    """Files and folders with all below them, as one word: another name, content, link or mode makes another word.

    Args:
        paths: What is not there counts as missing; links are not followed.

    Raises:
        OSError: Something cannot be read, or disappeared meanwhile.
    """
    digest = blake2b()
    for path in paths:
        for part in _parts(path):
            digest.update(repr(part).encode())
    return digest.hexdigest()


def _parts(path: Path) -> Iterator[tuple[str, int, bytes]]:
    if not os.path.lexists(path):
        return
    mode, content = path.lstat().st_mode, b""
    if stat.S_ISLNK(mode):
        content = os.fsencode(path.readlink())
    elif stat.S_ISREG(mode):
        content = path.read_bytes()
    yield str(path), mode, content
    if stat.S_ISDIR(mode):
        for entry in sorted(path.iterdir()):
            yield from _parts(entry)
