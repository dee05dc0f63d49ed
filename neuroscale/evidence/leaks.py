"""Whether a secret was written down after all: a third net, behind the two of :mod:`neuroscale.evidence.redaction`."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from neuroscale.evidence.redaction import secret_texts
from neuroscale.kubernetes.refs import Object

#: Shorter ones turn up by chance in what a run writes.
_SHORTEST = 12
#: Characters of each that are looked for: a value that was cut or folded is one as well.
_LOOKED_FOR = 48


def leaks(folder: Path, secrets: Iterable[Object]) -> list[str]:
    """Files in which a secret stands, as it is or in base64, and whose it is.

    Args:
        folder: With all that is below it.
        secrets: Secret objects as the API server sends them.

    Raises:
        OSError: A file cannot be read.
    """
    needles = {needle: name for secret in secrets for name, text in secret_texts(secret) for needle in _needles(text)}
    found = []
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        whose = sorted({name for needle, name in needles.items() if needle in content})
        found += [f"{file.relative_to(folder)} has {name}" for name in whose]
    return found


def _needles(text: str) -> list[bytes]:
    lines = [line for line in (line.strip().encode() for line in text.splitlines()) if len(line) >= _SHORTEST]
    # Every key in PEM begins and ends alike.
    plain = [line for line in lines if not line.startswith(b"-----")]
    whole = base64.b64encode(text.encode()) if plain else b""
    return [needle[:_LOOKED_FOR] for needle in (*plain, whole) if needle and not needle.startswith(b"LS0tLS1CRUdJTi")]
