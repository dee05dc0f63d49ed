"""The Git server's repository through its local clone, which outlives killed runs and replaced clusters."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fake_portal import FakePortal, GitServerOnDisk, QuickGitServer
from fakes import PROPOSED
from repository import git

from neuroscale.errors import ClusterUnreachable, NeuroscaleError
from neuroscale.platform import Platform
from neuroscale.settings import state_dir


@pytest.fixture
def toy_platform(toy_platform: Platform, portal: FakePortal, repository: Path) -> Platform:
    """With a Git server that is asked by git for everything."""
    return Platform(toy_platform.cluster, GitServerOnDisk(toy_platform.cluster, portal.url, repository))


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


def test_a_clone_that_nobody_touched_is_not_checked_out_again(
    toy_platform: Platform, commands: list[tuple[str, bool]]
) -> None:
    git_server, clone = toy_platform.git_server, state_dir() / "platform"
    git_server.read("first.txt")
    commands.clear()
    assert git_server.read("first.txt") == "one\n"
    assert list(dict(commands)) == ["ls-remote"]
    for touched in ("first.txt", "stray.txt", ".git/HEAD", ".git/index"):
        commands.clear()
        (clone / touched).unlink(missing_ok=True)
        (clone / touched).write_text("" if touched.endswith(".txt") else "ref: refs/heads/other\n", encoding="utf-8")
        if touched == ".git/index":
            (clone / touched).unlink()
        assert git_server.read("first.txt") == "one\n"
        assert list(dict(commands)) == ["ls-remote", "checkout", "clean"], touched
        assert git("-C", str(clone), "status", "--porcelain", "--branch") == "## main"


def test_branches_are_named_and_each_has_its_commit(toy_platform: Platform, repository: Path) -> None:
    for name in ("main", "nested/of-main"):
        git("-C", str(repository), "update-ref", f"refs/heads/{name}", "main")
    git("-C", str(repository), "update-ref", "refs/pull/1/head", "main")
    git_server = toy_platform.git_server
    assert git_server.branches() == {"main", PROPOSED, "nested/of-main"}
    for name in ("main", PROPOSED, "nested/of-main"):
        assert git_server.branch_head(name) == git("-C", str(repository), "rev-parse", name)
    for unknown in ("of-main", "another", "nested"):
        assert git_server.branch_head(unknown) is None


def test_the_quick_git_server_says_what_git_says(toy_platform: Platform, portal: FakePortal, repository: Path) -> None:
    """A double of the tests, which reads the files of a repository itself."""
    git_server = toy_platform.git_server
    quick = QuickGitServer(toy_platform.cluster, portal.url, repository)

    def assert_same() -> None:
        assert quick.branches() == git_server.branches()
        for name in (*git_server.branches(), "another"):
            assert quick.branch_head(name) == git_server.branch_head(name)

    assert_same()
    git_server.commit({"first.txt": "two\n"}, "Two")
    git("-C", str(repository), "update-ref", "refs/heads/nested/one", "main")
    assert_same()
    git("-C", str(repository), "pack-refs", "--all")
    git("-C", str(repository), "update-ref", "-d", f"refs/heads/{PROPOSED}")
    assert_same()
    shutil.rmtree(repository)
    git("init", "--quiet", "--bare", "--initial-branch", "main", str(repository))
    assert_same()


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
