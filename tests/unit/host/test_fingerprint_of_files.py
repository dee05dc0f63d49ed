"""Whether files are as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from neuroscale.host import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "below" / "empty").mkdir(parents=True)
    (root / "below" / "file").write_text("one")
    (root / "link").symlink_to("below")
    return root


CHANGES: dict[str, Callable[[Path], object]] = {
    "content of the same length": lambda root: (root / "below" / "file").write_text("two"),
    "another file": lambda root: (root / "below" / "other").touch(),
    "a name": lambda root: (root / "below" / "file").rename(root / "below" / "other"),
    "a mode": lambda root: (root / "below" / "file").chmod(0o755),
    "no empty folder": lambda root: (root / "below" / "empty").rmdir(),
    "a file for a folder": lambda root: ((root / "below" / "empty").rmdir(), (root / "below" / "empty").touch()),
    "where a link leads": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("nowhere")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen(change: str, folder: Path) -> None:
    before = fingerprint.of(folder)
    assert fingerprint.of(folder) == before
    CHANGES[change](folder)
    assert fingerprint.of(folder) != before


def test_only_what_is_named_counts(folder: Path) -> None:
    before = fingerprint.of(folder / "below" / "file", folder / "link", folder / "missing")
    (folder / "below" / "other").touch()
    assert fingerprint.of(folder / "below" / "file", folder / "link", folder / "missing") == before
    (folder / "missing").touch()
    assert fingerprint.of(folder / "below" / "file", folder / "link", folder / "missing") != before
