"""JSON merge patches as judgements: does an object hold these values, and what puts the old ones back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neuroscale.kubernetes.refs import Object


def contains(obj: Any, patch: Any) -> bool:
    """Whether applying the merge patch would change nothing. ``None`` in a patch means that the key is absent or null.

    A map that is not there lacks each of its keys: with the last key of a Secret the API server drops its ``data``.
    Lists are compared element by element, and a longer list in the object is a difference; inside the elements the
    object may hold more keys, since the API server fills in defaults.
    """
    if isinstance(patch, dict):
        return isinstance(obj, dict) and all(
            obj.get(key) is None if value is None else contains(obj[key], value) if key in obj else _takes_away(value)
            for key, value in patch.items()
        )
    if isinstance(patch, list):
        return isinstance(obj, list) and len(obj) == len(patch) and all(map(contains, obj, patch))
    return bool(obj == patch)


def _takes_away(patch: Any) -> bool:
    """Whether a patch names only what shall be absent."""
    return isinstance(patch, dict) and bool(patch) and all(one is None or _takes_away(one) for one in patch.values())


def inverse(patch: Object, before: Object) -> Object:
    """The merge patch that undoes ``patch`` on an object that looked like ``before``."""
    back: Object = {}
    for key, value in patch.items():
        old = before.get(key)
        back[key] = inverse(value, old) if isinstance(value, dict) and isinstance(old, dict) else old
    return back


def flat(patch: Object, prefix: str = "") -> Iterator[str]:
    """A patch as ``spec.replicas=3``, for people."""
    for key, value in patch.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value if not isinstance(value, list) else '[…]'}"
