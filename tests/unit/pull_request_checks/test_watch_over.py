"""Who watches over pull requests: what is said of a commit, and when."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from fake_portal import FakePortal
from fakes import PROPOSED

from neuroscale.commit_statuses import CommitStatus, Found, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.platform import Platform
from neuroscale.pull_request_checks import __main__ as program
from neuroscale.pull_request_checks.watch import PATIENCE, due, look
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER, ROOT

NOW = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)
LONG_AGO = NOW - PATIENCE - timedelta(seconds=1)
JUST_NOW = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("found", "since", "state"),
    [
        (None, NOW, "pending"),
        (None, LONG_AGO, "pending"),
        (Found("pending", GATE_WATCHER, LONG_AGO), LONG_AGO, "error"),
        (
            Found("pending", GATE_WATCHER, LONG_AGO),
            JUST_NOW,
            None,
        ),  # who watches was away, and the Job may have been too
        (Found("pending", GATE_WATCHER, JUST_NOW), LONG_AGO, None),
        (Found("success", GATE_REPORTER, LONG_AGO), LONG_AGO, None),
        (Found("failure", GATE_REPORTER, LONG_AGO), LONG_AGO, None),
        (Found("error", GATE_WATCHER, LONG_AGO), LONG_AGO, None),
        (Found("success", "mallory", JUST_NOW), JUST_NOW, "error"),
        (Found("failure", "mallory", JUST_NOW), JUST_NOW, "error"),
        (Found("success", "", JUST_NOW), JUST_NOW, "error"),
    ],
)
def test_what_is_due(found: Found | None, since: datetime, state: str | None) -> None:
    status = due(found, since, NOW)
    assert (status and status.state) == state


def test_who_forged_a_status_is_named() -> None:
    status = due(Found("success", "mallory", JUST_NOW), JUST_NOW, NOW)
    assert status == CommitStatus("error", "mallory said success, and may not; push again for a verdict")


@dataclass
class Server:
    """What is open, and what was said of each commit.

    Attributes:
        proposed: The head of each open pull request.
        known: Commit -> what was said.
        deaf: What is not answered: ``heads``, or a commit.
        told: How often something was said.
    """

    proposed: list[str]
    known: dict[str, Found] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    told: int = 0

    def heads(self) -> list[str]:
        self._answer("heads")
        return self.proposed

    def latest(self, sha: str) -> Found | None:
        self._answer(sha)
        return self.known.get(sha)

    def set(self, sha: str, status: CommitStatus) -> None:
        self.told += 1
        self.known[sha] = Found(status.state, GATE_WATCHER, NOW, status.description)

    def _answer(self, what: str) -> None:
        if what in self.deaf:
            raise NeuroscaleError(f"{what} is not answered")


def test_a_commit_becomes_pending_and_then_an_error_and_is_left_alone() -> None:
    server, seen = Server(["aaaaaaaaaa"]), dict[str, datetime]()
    assert look(server, seen, NOW) == ["aaaaaaaa: pending: the gate will judge it"]  # type: ignore[arg-type]
    assert look(server, seen, NOW + PATIENCE) == []  # type: ignore[arg-type]
    late = NOW + PATIENCE + timedelta(seconds=1)
    assert look(server, seen, late) == ["aaaaaaaa: error: no verdict came within 45 s"]  # type: ignore[arg-type]
    assert look(server, seen, late + PATIENCE) == []  # type: ignore[arg-type]


def test_what_is_no_longer_proposed_is_forgotten() -> None:
    server, seen = Server(["a", "b"]), dict[str, datetime]()
    look(server, seen, NOW)  # type: ignore[arg-type]
    server.proposed.remove("a")
    look(server, seen, NOW)  # type: ignore[arg-type]
    assert seen == {"b": NOW}


def test_two_pull_requests_of_one_commit_are_told_once() -> None:
    server = Server(["aaaaaaaaaa", "aaaaaaaaaa"])
    assert look(server, {}, NOW) == ["aaaaaaaa: pending: the gate will judge it"]  # type: ignore[arg-type]
    assert server.told == 1


def test_a_git_server_that_is_away_ends_nothing_and_nothing_is_forgotten() -> None:
    server, seen = Server(["a"], deaf={"heads"}), {"a": LONG_AGO}
    assert look(server, seen, NOW) == ["heads is not answered"]  # type: ignore[arg-type]
    assert seen == {"a": LONG_AGO}


def test_one_commit_that_cannot_be_spoken_of_leaves_no_other_without_a_word() -> None:
    server = Server(["a", "b", "c"], deaf={"a", "b"})
    assert look(server, {}, NOW) == [  # type: ignore[arg-type]
        "a: a is not answered", "b: b is not answered", "c: pending: the gate will judge it"
    ]  # fmt: skip


def test_what_is_said_is_heard_at_the_git_server(portal: FakePortal, toy_platform: Platform) -> None:
    """Of what a writer says in the gate's name, of the gate's own word, and of two pull requests with one head."""
    first, seen = toy_platform.git_server.branch_head(PROPOSED), dict[str, datetime]()
    portal.propose("another", "third/another.txt")
    portal.open[3] = "another"
    second = toy_platform.git_server.branch_head("another")
    assert first is not None
    assert second is not None
    watching, mallory, gate = (Statuses(portal.url, f"of {user}") for user in (GATE_WATCHER, "mallory", GATE_REPORTER))
    assert sorted(look(watching, seen)) == sorted(
        f"{sha[:8]}: pending: the gate will judge it" for sha in (first, second)
    )
    gate.set(first, CommitStatus("success", "nothing found"))
    mallory.set(second, CommitStatus("success", "trust me"))
    assert look(watching, seen) == [f"{second[:8]}: error: mallory said success, and may not; push again for a verdict"]
    assert look(watching, seen) == []
    found = watching.latest(first), watching.latest(second)
    assert [one and (one.state, one.creator) for one in found] == [("success", GATE_REPORTER), ("error", GATE_WATCHER)]


@pytest.mark.parametrize("status", [401, 404, 422, 500])
def test_a_status_that_cannot_be_written_is_tried_again(
    status: int, portal: FakePortal, toy_platform: Platform
) -> None:
    head = toy_platform.git_server.branch_head(PROPOSED)
    watching, seen = Statuses(portal.url, f"of {GATE_WATCHER}"), dict[str, datetime]()
    path = f"POST /api/v1/repos/neuroscale/platform/statuses/{head}"
    portal.answers[path] = (status, {"message": "no"})
    (line,) = look(watching, seen)
    assert f"answered {status}" in line
    assert GATE_WATCHER not in line, "its token"
    del portal.answers[path]
    assert look(watching, seen) == [f"{str(head)[:8]}: pending: the gate will judge it"]


def test_the_token_may_be_revoked_between_two_looks() -> None:
    """The first look of a server that takes the token again says what is due since the first look of all."""
    server, seen = Server(["a"]), dict[str, datetime]()
    look(server, seen, NOW)  # type: ignore[arg-type]
    late = NOW + PATIENCE + timedelta(seconds=1)
    server.deaf = {"a"}
    assert look(server, seen, late) == ["a: a is not answered"]  # type: ignore[arg-type]
    server.deaf = set()
    assert look(server, seen, late) == ["a: error: no verdict came within 45 s"]  # type: ignore[arg-type]


def test_whoever_watches_is_ready_as_long_as_the_git_server_answers(tmp_path: Path) -> None:
    """One that is away ends nothing, and a token that was revoked is no secret."""
    server, answered = Server([]), tmp_path / "answered"
    for deaf in (False, False, True, True, False):
        server.deaf = {"heads"} if deaf else set()
        said = look(server, {}, NOW, answered=answered)  # type: ignore[arg-type]
        assert said == ["heads is not answered"] * deaf
        assert answered.exists() == (not deaf)


def test_the_readiness_probe_asks_for_the_file_that_the_program_writes(tmp_path: Path) -> None:
    manifest = yaml.safe_load((ROOT / "infrastructure/pull-requests/watch/watch.yaml").read_text(encoding="utf-8"))
    pod = manifest["spec"]["template"]["spec"]
    (container,), (volume,) = pod["containers"], pod["volumes"]
    assert "emptyDir" in volume, "a new pod begins without it"
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": str(program._ANSWERED.parent)}]
    *shell, command = container["readinessProbe"]["exec"]["command"]
    answered = tmp_path / "answered"
    asked = [*shell, command.replace(str(program._ANSWERED), str(answered))]
    assert subprocess.run(asked, check=False).returncode != 0
    answered.touch()
    assert subprocess.run(asked, check=False).returncode == 0
