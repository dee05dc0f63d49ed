"""The Git server's repository through its local clone, which outlives killed runs and replaced clusters."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from repository import git

from neuroscale.errors import ClusterUnreachable, NeuroscaleError
from neuroscale.platform import Platform
from neuroscale.settings import state_dir


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "apps").mkdir(parents=True)
    (folder / "apps" / "a.yaml").write_text("a: 1\n", encoding="utf-8")
    (folder / ".gitignore").write_text("*.yaml\n", encoding="utf-8")
    return folder


def test_filling_makes_main_equal_to_a_folder(toy_platform: Platform, tree: Path, repository: Path) -> None:
    assert toy_platform.git_server.fill(tree, "All")
    assert toy_platform.git_server.files("apps") == {"apps/a.yaml": "a: 1\n"}
    assert toy_platform.git_server.read("first.txt") is None
    assert not toy_platform.git_server.fill(tree, "Again")


def test_an_empty_repository_is_filled_although_the_clone_knows_the_folder(
    toy_platform: Platform, tree: Path, repository: Path
) -> None:
    """So it is after the cluster was recreated: the clone on this machine is older than the Git server."""
    toy_platform.git_server.fill(tree, "All")
    shutil.rmtree(repository)
    git("init", "--quiet", "--bare", "--initial-branch", "main", str(repository))
    assert toy_platform.git_server.head() is None
    assert toy_platform.git_server.fill(tree, "All")
    assert git("-C", str(repository), "rev-list", "--count", "main") == "1"


def test_what_a_killed_run_left_in_the_clone_is_dropped(toy_platform: Platform) -> None:
    toy_platform.git_server.read("first.txt")
    clone = state_dir() / "platform"
    (clone / "first.txt").write_text("half", encoding="utf-8")
    (clone / "stray").mkdir()
    assert toy_platform.git_server.read("first.txt") == "one\n"
    assert not (clone / "stray").exists()


def test_committing_what_is_there_already_is_no_commit(toy_platform: Platform) -> None:
    head = toy_platform.git_server.head()
    assert toy_platform.git_server.commit({"first.txt": "one\n", "gone.txt": None}, "Nothing") is None
    assert toy_platform.git_server.head() == head


def test_revert_restores_the_content(toy_platform: Platform) -> None:
    commit = toy_platform.git_server.commit({"first.txt": "two\n"}, "Two")
    assert commit is not None
    assert toy_platform.git_server.revert(commit) == toy_platform.git_server.head()
    assert toy_platform.git_server.read("first.txt") == "one\n"


def test_a_git_that_fails_says_so_and_keeps_the_password(toy_platform: Platform) -> None:
    with pytest.raises(NeuroscaleError, match=r"git revert at .* should succeed.*Next: ") as caught:
        toy_platform.git_server.revert("0" * 40)
    assert "password" not in str(caught.value)
    assert "cGFzc3dvcmQ" not in str(caught.value)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Each git command that was run, and whether it had the password."""
    run, seen = subprocess.run, list[tuple[str, bool]]()

    def recorded(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if options.get("env"):  # the tests' own git has none
            seen.append((command[1], "Authorization: Basic" in " ".join(options["env"].values())))
        return run(command, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr("neuroscale.host.programs.subprocess.run", recorded)
    return seen


def test_what_the_clone_has_is_not_fetched_again(
    toy_platform: Platform, repository: Path, commands: list[tuple[str, bool]]
) -> None:
    git_server = toy_platform.git_server
    assert git_server.read("first.txt") == "one\n"
    assert "fetch" in dict(commands)
    commands.clear()
    assert git_server.read("first.txt") == "one\n"
    git_server.commit({"first.txt": "two\n"}, "Two")
    assert git_server.read("first.txt") == "two\n"
    assert "fetch" not in dict(commands)
    parent = git("-C", str(repository), "rev-parse", "main~1")
    git("-C", str(repository), "update-ref", "refs/heads/main", parent)
    assert git_server.read("first.txt") == "one\n"
    assert "fetch" in dict(commands)


def test_a_folder_is_the_same_in_two_commits_or_not(toy_platform: Platform) -> None:
    git_server = toy_platform.git_server
    one = git_server.commit({"a/file.txt": "one\n"}, "One") or ""
    two = git_server.commit({"b/file.txt": "two\n"}, "Two") or ""
    three = git_server.commit({"a/file.txt": "three\n"}, "Three") or ""
    assert git_server.same_folder("a", one, two)
    assert not git_server.same_folder("a", one, three)
    for unknown in ("", "0" * 40, "no-such"):
        assert not git_server.same_folder("a", unknown, two)
    assert not git_server.same_folder("b", one, two)


def test_only_a_push_has_the_password(toy_platform: Platform, commands: list[tuple[str, bool]]) -> None:
    toy_platform.git_server.commit({"first.txt": "two\n"}, "Two")
    toy_platform.git_server.files("apps")
    assert {command for command, password in commands if password} == {"push"}
    assert {"ls-remote", "fetch"} <= {command for command, password in commands if not password}


def test_a_git_that_hangs_is_given_up(toy_platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroscale.git_server._GIT_SECONDS", 0.0001)
    with pytest.raises(
        ClusterUnreachable,
        match=r"git ls-remote at .* did not end within .*Next: neuroscale status",
    ):
        toy_platform.git_server.head()
