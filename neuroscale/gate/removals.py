"""What a change would take out of the platform: many objects, or one that holds others, are taken for a mistake.

A revert of ``main`` renders, fits its schemas and breaks no policy. What it leaves out is pruned all the same (F12).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from neuroscale.gate.findings import Finding, Places, named
from neuroscale.kubernetes.refs import Object

#: Where a change says what it means to remove: a folder, or the kind and name of an object, one a line. A line counts
#: for the change that adds it, and is of no use to a later one.
FILE = Path("infrastructure", "removals.txt")
#: As many objects may go without a word: an app's.
AT_MOST = 5
#: What takes others along, or holds them to something: of these not one.
_HOLDING = frozenset(
    {
        "AppProject",
        "ApplicationSet",
        "CustomResourceDefinition",
        "LimitRange",
        "Namespace",
        "ResourceQuota",
        "ValidatingPolicy",
    }
)
_SHOWN = 3


def check(was: Places, now: Places, meant: Collection[str]) -> list[Finding]:
    """Reject what removes more than an app does, or what holds others, unless the change says so.

    Args:
        was: Folder -> its objects before, each in its namespace.
        now: The same with the change.
        meant: What the change says that it removes.
    """
    kept = {_key(obj) for objects in now.values() for obj in objects}
    gone = [
        (place, obj)
        for place, objects in was.items()
        for obj in objects
        if _key(obj) not in kept and not {place, f"{obj['kind']} {obj['metadata']['name']}"} & {*meant}
    ]
    return [*_holding(gone), *_many(gone)]


def _holding(gone: Collection[tuple[str, Object]]) -> Iterator[Finding]:
    for place, obj in gone:
        if obj["kind"] in _HOLDING:
            yield Finding(
                "removal", "holds-others", named(place, obj),
                f"it should stay, since others depend on it, but is removed. Next: keep it, or name it in {FILE}",
            )  # fmt: skip


def _many(gone: Collection[tuple[str, Object]]) -> Iterator[Finding]:
    if len(gone) > AT_MOST:
        first = ", ".join(named(place, obj) for place, obj in list(gone)[:_SHOWN])
        yield Finding(
            "removal", "too-many", str(FILE),
            f"a change should remove at most {AT_MOST} objects that it does not name, but removes "
            f"{len(gone)}: {first}, …. Next: keep them, or name their folders in {FILE}",
        )  # fmt: skip


def _key(obj: Object) -> tuple[str, str, str, str]:
    # Another version of its API is the same object.
    group = obj["apiVersion"].rpartition("/")[0]
    return group, obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def meant(before: Path, after: Path) -> set[str]:
    """What a change says that it removes: the lines that it adds to the file.

    Args:
        before: The checkout that it left.
        after: Its own.
    """
    return _lines(after) - _lines(before)


def _lines(checkout: Path) -> set[str]:
    file = checkout / FILE
    # A link may lead anywhere, and is the gate's finding elsewhere.
    if not file.is_file() or file.is_symlink():
        return set()
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line}
