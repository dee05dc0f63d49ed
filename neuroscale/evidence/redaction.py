"""Keeping secrets out of what is written down.

Two nets: the values of Secrets that could be read, in every form in which they turn up, and patterns for those that
could not. Both work on whole texts, before anything is cut: half a secret would slip through.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

from neuroscale.kubernetes.refs import Object

REDACTED = "[redacted]"
# Shorter values ("true", "git", "admin") cannot be told from ordinary words; after "password:" the patterns see them.
_SHORTEST = 6
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_SENSITIVE = re.compile(r"(?i)pass(word|wd|phrase)|token$|api[_-]?key|secret([_-]?key)?$|authorization|private[_-]?key")
_PATTERNS = (
    (re.compile(r"-----BEGIN[A-Z ]*PRIVATE KEY-----.*?(-----END[A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), REDACTED),
    (re.compile(r"(://)[^/\s:@\"']*:[^/\s@\"']+@"), rf"\1{REDACTED}@"),
    (
        re.compile(r"(?i)(authorization[\"'\\]*\s*[:=]\s*[\"'\\]*(?:(?:basic|bearer|token)\s+)?)[^\s\"',\\]+"),
        rf"\1{REDACTED}",
    ),
    (
        re.compile(
            r"(?i)((?:pass(?:word|wd|phrase)|token|secret|(?:api|private|secret)[_-]?key)[\"'\\]*\s*[:=]\s*[\"'\\]*)"
            r"(?!(?:true|false|null|none)\b|[{\[\s])[^\s\"',}\\]+"
        ),
        rf"\1{REDACTED}",
    ),
)


class Redactor:
    """Replaces secrets in texts.

    Args:
        secrets: Secret objects as the API server sends them.
    """

    def __init__(self, secrets: Iterable[Object]) -> None:
        forms = {form for secret in secrets for value in _values(secret) for form in _forms(value)}
        # Longest first, so that a value that contains another one goes as a whole.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def tree(self, value: Any) -> Any:
        """A JSON value with every text in it redacted: once it is dumped as YAML, folds could hide a secret."""
        if isinstance(value, dict):
            return {self(key): self.tree(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.tree(item) for item in value]
        return self(value) if isinstance(value, str) else value


def without_secrets(obj: Object) -> Object:
    """An object whose sensitive fields are blanked: all data of a Secret, and values beside or under telling names."""
    blanked: Object = _blanked(obj)
    if obj.get("kind") == "Secret":
        for part in ("data", "stringData"):
            if part in blanked:
                blanked[part] = dict.fromkeys(blanked[part] or {}, REDACTED)
    annotations = (blanked.get("metadata") or {}).get("annotations") or {}
    if _LAST_APPLIED in annotations:
        annotations[_LAST_APPLIED] = REDACTED
    return blanked


def _blanked(value: Any) -> Any:
    if isinstance(value, list):
        return [_blanked(item) for item in value]
    if not isinstance(value, dict):
        return value
    # An environment variable has its telling name beside its value, everything else above it.
    tells = isinstance(value.get("name"), str) and _SENSITIVE.search(value["name"])
    return {
        key: REDACTED
        if isinstance(item, str) and (_SENSITIVE.search(key) or (tells and key == "value"))
        else _blanked(item)
        for key, item in value.items()
    }


def secret_texts(secret: Object) -> Iterator[tuple[str, str]]:
    """What nobody may read in a Secret, by the names of its keys: where it is, and the value."""
    meta = secret["metadata"]
    for key, value in _entries(secret):
        if _SENSITIVE.search(key) or key.endswith((".key", "-key")):
            yield f"{key} of Secret {meta.get('namespace')}/{meta['name']}", value


def _values(secret: Object) -> Iterator[str]:
    return (value for _, value in _entries(secret))


def _entries(secret: Object) -> Iterator[tuple[str, str]]:
    for key, encoded in (secret.get("data") or {}).items():
        try:
            yield key, base64.b64decode(encoded).decode(errors="replace")
        except (binascii.Error, ValueError):
            yield key, str(encoded)
    yield from ((key, str(value)) for key, value in (secret.get("stringData") or {}).items())


def _forms(value: str) -> Iterator[str]:
    """A value as it turns up in texts: as it is, line by line, escaped, URL-encoded, in base64."""
    plain = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    for text in plain:
        if len(text) < _SHORTEST:
            continue
        yield from (text, json.dumps(text)[1:-1], text.replace("'", "''"), quote(text, safe=""), quote_plus(text))
        raw = text.encode()
        yield base64.b64encode(raw).decode()
        # Inside a longer text in base64 ("user:password") a value starts at one of three offsets; the characters at
        # both ends are shared with its neighbours.
        for offset in range(3):
            inner = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
            core = inner[(0, 2, 3)[offset] : -1]
            if len(core) >= _SHORTEST:
                yield core
