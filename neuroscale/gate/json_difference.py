"""How two sets of objects differ, as JSON values: ``1``, ``1.0`` and ``true`` are three."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from neuroscale.kubernetes.refs import Object

_SHOWN = 80
_NOTHING = object()


def differences(ours: Iterable[Object], theirs: Iterable[Object], who: tuple[str, str]) -> list[str]:
    """Each field that is not the same, and each object that one alone has; an object counts as often as it is there.

    Args:
        ours: In any order.
        theirs: In any order.
        who: What the two are called.
    """
    left, right = Counter(map(_text, ours)), Counter(map(_text, theirs))
    pairs: dict[str, tuple[list[Object], list[Object]]] = defaultdict(lambda: ([], []))
    for side, only in enumerate((left - right, right - left)):
        for text in sorted(only.elements()):
            obj = json.loads(text)
            pairs[_identity(obj)][side].append(obj)
    return [
        f"{identity}{field}"
        for identity, (some, others) in sorted(pairs.items())
        for one, other in zip_longest(some, others)
        for field in _told(one, other, who)
    ]


def _identity(obj: Object) -> str:
    meta = obj.get("metadata") or {}
    where = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{obj.get('apiVersion')} {obj.get('kind')} {where}{meta.get('name')}"


def _told(one: Object | None, other: Object | None, who: tuple[str, str]) -> Iterator[str]:
    if one is None or other is None:
        yield f" is in {who[other is not None]} alone"
        return
    for path, mine, yours in _fields(one, other):
        yield f" has at {path} {_shown(mine)} in {who[0]}, and {_shown(yours)} in {who[1]}"


def _fields(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path, and both values, of what differs; of lists that are not equally long the whole."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            step = f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"
            yield from _fields(one.get(key, _NOTHING), other.get(key, _NOTHING), f"{path}{step}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from _fields(*pair, f"{path}[{index}]")
    elif _NOTHING in (one, other) or _text(one) != _text(other):
        yield path, one, other


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = "nothing" if value is _NOTHING else _text(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
