"""A file is written whole or not at all, whoever else writes or reads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neuroscale.atomic_write import discard_drafts, write_atomically


@pytest.mark.parametrize("content", ["ä\n", "ä\n".encode()])
def test_text_and_bytes_are_written(tmp_path: Path, content: str | bytes) -> None:
    file = tmp_path / "new" / "a.json"
    write_atomically(file, content)
    assert file.read_bytes() == "ä\n".encode()
    assert list(file.parent.iterdir()) == [file]


def test_who_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "public" / "a", "")
        write_atomically(tmp_path / "private" / "a", "", private=True)
    finally:
        os.umask(before)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {"public": 0o755, "public/a": 0o644, "private": 0o700, "private/a": 0o600}


def test_a_crash_leaves_the_old_one_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    write_atomically(file, "old")

    def crash(descriptor: int) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="power cut"):
        write_atomically(file, "half of it")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_files_of_one_stem_do_not_share_a_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written from inside each other, as two processes may interleave."""
    sync, files = os.fsync, [tmp_path / name for name in ("a.json", "a.yaml", "a.json")]

    def write_another(descriptor: int) -> None:
        sync(descriptor)
        if files:
            write_atomically(file := files.pop(), f"inner {file.name}")

    monkeypatch.setattr(os, "fsync", write_another)
    write_atomically(tmp_path / "a.yaml", "outer a.yaml")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.json": "inner a.json",
        "a.yaml": "outer a.yaml",
    }


def test_many_at_once_leave_one_whole(tmp_path: Path) -> None:
    file, contents = tmp_path / "a", [str(number) * 100_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomically(file, content), contents * 4))
    assert file.read_text() in contents
    assert list(tmp_path.iterdir()) == [file]


def test_drafts_of_killed_writers_are_swept_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = list[str]()
    # As a killed writer leaves it, which cannot sweep up after itself.
    monkeypatch.setattr(Path, "replace", lambda draft, file: drafts.append(draft.name))
    write_atomically(tmp_path / "state.json", "new")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == drafts
    others = {"state.json", "lock", ".hidden", f".state.json.{'0' * 31}", f".state.json.{'x' * 32}", f"a.{'0' * 32}"}
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f".folder.{'0' * 32}").mkdir()
    discard_drafts(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*others, f".folder.{'0' * 32}"}


def test_where_there_is_no_folder_there_are_no_drafts(tmp_path: Path) -> None:
    discard_drafts(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
