"""What differs between an object before the fault and now, and whose fields those are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neuroscale.kubernetes.refs import Object

#: Keys and list elements from the top of an object; an element stands as ``[name]``, or ``[0]`` if it has no name.
Path = tuple[str, ...]

_ABSENT = object()
# The API server and controllers change these all the time; a difference in them explains nothing.
_NOISE = frozenset({
    "managedFields", "resourceVersion", "generation", "creationTimestamp", "observedGeneration", "lastTransitionTime",
    "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime", "reconciledAt", "history",
})  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """One field. ``before`` and ``now`` are JSON, or "absent"; ``owners`` are field managers."""

    path: Path
    before: str
    now: str
    owners: tuple[str, ...]

    @property
    def text(self) -> str:
        """Four lines for people."""
        owners = ", ".join(self.owners) or "nobody"
        where = ".".join(self.path).replace(".[", "[")
        return f"{where}\n  before: {self.before}\n  now:    {self.now}\n  owner:  {owners}\n"


def differences(before: Object, now: Object) -> list[Difference]:
    """Fields that differ, without those that always do. A field that is gone is shown with its former owners."""
    old, new = dict(_flat(before)), dict(_flat(now))
    found = []
    for path in sorted(old.keys() | new.keys()):
        was, is_ = old.get(path, _ABSENT), new.get(path, _ABSENT)
        if was != is_:
            owners = _owners(now if is_ is not _ABSENT else before, path)
            found.append(Difference(path, _shown(was), _shown(is_), owners))
    return found


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else json.dumps(value, ensure_ascii=False)


def _flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if key not in _NOISE:
                yield from _flat(item, (*path, str(key)))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            name = item.get("name", item.get("type", index)) if isinstance(item, dict) else index
            yield from _flat(item, (*path, f"[{name}]"))
    else:
        yield path, value


def _owners(obj: Object, path: Path) -> tuple[str, ...]:
    """Managers that own the field, a field above it as a whole, or one below it."""
    found = []
    for entry in (obj.get("metadata") or {}).get("managedFields") or []:
        owned = list(_owned(entry.get("fieldsV1") or {}))
        if any(path[: len(field)] == field or field[: len(path)] == path for field in owned):
            found.append(f"{entry.get('manager')} ({entry.get('operation')}, {entry.get('time')})")
    return tuple(found)


def _owned(fields: Any, path: Path = ()) -> Iterator[Path]:
    """Leaves of a ``fieldsV1`` tree: ``f:`` is a key, ``k:`` an element by its key fields, ``v:`` by its value."""
    below = {key: item for key, item in fields.items() if key != "."}
    if not below:
        yield path
    for key, item in below.items():
        kind, _, name = key.partition(":")
        if kind == "f":
            yield from _owned(item, (*path, name))
        elif kind == "k" and (element := _element(name)):
            yield from _owned(item, (*path, f"[{element}]"))
        else:
            yield path  # an element without a name: its list stands for it


def _element(keys: str) -> str:
    parsed = json.loads(keys)
    return str(parsed.get("name", parsed.get("type", "")))
