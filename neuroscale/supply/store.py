"""The content store: finished parts, each in a folder named by the hash of its recipe.

A part is built beside its final place and renamed into it when all of it is on disk, so a kill at any point leaves
either the whole part or a leftover that the next run sweeps away. Every file's hash stands in ``manifest.json`` and is
compared before use; an unchanged size, modification time and inode spare the reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscale.atomic_write import write_atomically
from neuroscale.supply.contract import Condition

MANIFEST, STAMP = "manifest.json", "verified.json"
_KEPT = (MANIFEST, STAMP)
_BUILDING = ".building"


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Finding:
    """What a look at a stored part found."""

    condition: Condition
    why: str = ""


@dataclass(frozen=True)
class Stored:
    """A part in the store.

    Attributes:
        path: Its folder.
        facts: What the build wrote down about it: versions, image references.
        size: Bytes of all files.
    """

    path: Path
    facts: dict[str, Any]
    size: int


class Store:
    """Parts by name and recipe hash.

    Args:
        root: Folder that holds the store; made on demand.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, part: str, recipe: str) -> Path:
        """Where a part of this recipe is, or would be."""
        return self.root / part / recipe

    def check(self, part: str, recipe: str, *, rehash: bool = False) -> Finding:
        """Is the part there and unharmed?

        Args:
            part: Name of the part.
            recipe: Hash of its recipe.
            rehash: Read every byte, whatever the stamp says.
        """
        place = self.place(part, recipe)
        if not place.is_dir():
            others = self.root / part
            if others.is_dir() and any(_is_part(child) for child in others.iterdir()):
                return Finding("outdated", "its recipe has changed")
            return Finding("missing")
        try:
            files = _read(place / MANIFEST)["files"]
            stamp = {} if rehash else _read_stamp(place)
            now = {name: _identity(place / name) for name in files}
            for name, entry in files.items():
                changed = stamp.get(name) != now[name]
                if changed and (now[name][0] != entry["size"] or sha256(place / name) != entry["sha256"]):
                    return Finding("damaged", f"{name} is not what was stored")
        except (OSError, ValueError, KeyError, TypeError) as error:
            return Finding("damaged", f"{error.__class__.__name__}: {error}")
        if stamp != now:
            _write(place / STAMP, now)
        return Finding("present")

    def get(self, part: str, recipe: str) -> Stored:
        """A part that :meth:`check` found present."""
        place = self.place(part, recipe)
        manifest = _read(place / MANIFEST)
        return Stored(place, manifest["facts"], sum(entry["size"] for entry in manifest["files"].values()))

    @contextmanager
    def building(self, part: str, recipe: str, facts: dict[str, Any]) -> Iterator[Path]:
        """A folder to build in; what stands in it at the end becomes the part, with the facts as they are then."""
        place = self.place(part, recipe)
        place.parent.mkdir(parents=True, exist_ok=True)
        builder = place.with_name(f"{recipe}{_BUILDING}")
        if builder.exists():
            # Moved away first: children of a killed run may still be writing there, and lose their way by it.
            left = builder.with_name(f"{builder.name}.{time.time_ns()}")
            builder.rename(left)
            with suppress(OSError):
                discard(left)
        builder.mkdir()
        start = time.monotonic()
        try:
            yield builder
            files = {
                name: {"size": (builder / name).stat().st_size, "sha256": _flushed(builder / name)}
                for name in sorted(_files(builder))
            }
            _write(builder / STAMP, {name: _identity(builder / name) for name in files})
            seconds = round(time.monotonic() - start, 1)
            _write(builder / MANIFEST, {"part": part, "seconds": seconds, "facts": facts, "files": files})
            discard(place)
            builder.rename(place)
        finally:
            discard(builder)

    def leftovers(self, wanted: Mapping[str, str]) -> list[Path]:
        """Folders that hold no wanted part: outdated recipes and unfinished builds.

        Args:
            wanted: Part to the hash of its recipe.
        """
        return sorted(place for place in self.root.glob("*/*") if wanted.get(place.parent.name) != place.name)


def discard(path: Path) -> None:
    """Remove a folder, whatever its permissions: Go writes its module cache read-only."""
    if not path.exists():
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path)


def folder_size(path: Path) -> int:
    """Bytes of all files below a folder, as the disk counts them."""
    size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            # Another process may be building or clearing up meanwhile.
            with suppress(FileNotFoundError):
                size += Path(folder, name).lstat().st_blocks * 512
    return size


def _is_part(child: Path) -> bool:
    # A builder that was killed just before it was renamed has its manifest already.
    return _BUILDING not in child.name and (child / MANIFEST).is_file()


def _files(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*"):
        name = str(file.relative_to(folder))
        if file.is_file() and name not in _KEPT:
            yield name


def _identity(file: Path) -> list[int]:
    about = file.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ino]


def _flushed(file: Path) -> str:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
    return sha256(file)


def _read(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"{file.name} holds no object")
    return content


def _read_stamp(place: Path) -> dict[str, Any]:
    stamp = place / STAMP
    try:
        return _read(stamp) if stamp.is_file() else {}
    except (ValueError, TypeError):
        return {}


def _write(file: Path, content: dict[str, Any]) -> None:
    write_atomically(file, json.dumps(content, indent=1, sort_keys=True))
