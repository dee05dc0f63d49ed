"""The content store keeps whole parts only, whatever happens while one is built."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import warm

from neuroscale.supply.store import Store, discard, folder_size

_KILLED = """
import os, signal, sys
from pathlib import Path
from neuroscale.supply import store as module

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    return lambda *arguments, **named: (function(*arguments, **named), die())

moment = sys.argv[2]
if moment == "hashing":
    module.sha256 = die
if moment == "manifest":
    module._write = after(module._write)
if moment == "draft":
    Path.replace = die
if moment == "before rename":
    Path.rename = die
if moment == "after rename":
    Path.rename = after(Path.rename)
with module.Store(Path(sys.argv[1])).building("part", "new", {}) as into:
    (into / "program").write_bytes(b"x" * 100_000)
    if moment == "building":
        die()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def put(store: Store, part: str = "part", recipe: str = "new", content: bytes = b"content") -> Path:
    with store.building(part, recipe, {"versions": {part: "1"}}) as into:
        (into / "folder").mkdir()
        (into / "folder" / "file").write_bytes(content)
    return store.place(part, recipe) / "folder" / "file"


def test_a_part_is_missing_then_present_then_outdated(store: Store) -> None:
    assert store.check("part", "new").condition == "missing"
    put(store)
    assert store.check("part", "new").condition == "present"
    assert store.get("part", "new").facts == {"versions": {"part": "1"}}
    assert store.get("part", "new").size == len(b"content")
    assert store.check("part", "newer").condition == "outdated"


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.write_bytes(b"another"),
        lambda file: file.write_bytes(b"longer than it was"),
        lambda file: file.unlink(),
        lambda file: (file.parent.parent / "manifest.json").write_text("{"),
        lambda file: (file.parent.parent / "manifest.json").write_text("[]"),
        lambda file: (file.parent.parent / "manifest.json").unlink(),
    ],
)
def test_any_harm_is_found(store: Store, harm: object) -> None:
    harm(put(store))  # type: ignore[operator]
    assert store.check("part", "new").condition == "damaged"


def test_harm_that_keeps_size_and_time_is_found_by_rehashing(store: Store) -> None:
    file = put(store)
    about = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"CONTENT")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert store.check("part", "new", rehash=True).condition == "damaged"


def test_a_touched_file_with_the_same_content_is_present(store: Store) -> None:
    os.utime(put(store))
    assert store.check("part", "new").condition == "present"


def test_a_broken_stamp_only_costs_a_second_reading(store: Store) -> None:
    stamp = put(store).parent.parent / "verified.json"
    stamp.write_text("nonsense")
    assert store.check("part", "new").condition == "present"


@pytest.mark.parametrize("moment", ["building", "hashing", "draft", "manifest", "before rename", "after rename"])
def test_kill_at_any_moment_leaves_a_whole_part_or_none(store: Store, moment: str, tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(_KILLED, encoding="utf-8")
    code, said = warm.run("killed", str(store.root), moment, folder=tmp_path, environment=os.environ)
    assert code == -signal.SIGKILL, said
    assert store.check("part", "new").condition in {"missing", "present"}
    put(store)
    assert store.check("part", "new", rehash=True).condition == "present"
    assert store.leftovers({"part": "new"}) == []


def test_a_build_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(FileNotFoundError), store.building("part", "new", {}) as into:
        (into / "absent" / "file").write_bytes(b"half")
    assert list((store.root / "part").iterdir()) == []


def test_leftovers_are_outdated_recipes_and_unfinished_builds(store: Store) -> None:
    put(store, recipe="old")
    put(store, recipe="new")
    (store.root / "part" / "new.building").mkdir()
    put(store, part="gone")
    names = [f"{path.parent.name}/{path.name}" for path in store.leftovers({"part": "new"})]
    assert names == ["gone/new", "part/new.building", "part/old"]


def test_read_only_folders_can_be_discarded(tmp_path: Path) -> None:
    module = tmp_path / "mod" / "example"
    module.mkdir(parents=True)
    (module / "file").write_text("text")
    module.chmod(0o500)
    discard(tmp_path / "mod")
    assert not (tmp_path / "mod").exists()
    discard(tmp_path / "mod")


def test_folder_size_counts_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 50_000)
    assert 50_000 <= folder_size(tmp_path) < 80_000
    assert folder_size(tmp_path / "absent") == 0
