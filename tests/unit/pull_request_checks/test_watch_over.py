"""Who watches over pull requests: what is said of a commit, and when."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from neuroscale.commit_statuses import CommitStatus, Found, Proposal
from neuroscale.errors import NeuroscaleError
from neuroscale.pull_request_checks import __main__ as program
from neuroscale.pull_request_checks.watch import PATIENCE, due, look, safely
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
    """What is open, and what was said of each commit."""

    heads: list[str]
    known: dict[str, Found] = field(default_factory=dict)
    error: str = ""

    def proposals(self) -> list[Proposal]:
        if self.error:
            raise NeuroscaleError(self.error)
        return [Proposal(number, head, NOW) for number, head in enumerate(self.heads)]

    def latest(self, sha: str) -> Found | None:
        return self.known.get(sha)

    def set(self, sha: str, status: CommitStatus) -> None:
        self.known[sha] = Found(status.state, GATE_WATCHER, NOW, status.description)


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
    server.heads.remove("a")
    look(server, seen, NOW)  # type: ignore[arg-type]
    assert seen == {"b": NOW}


def test_whoever_watches_is_ready_as_long_as_the_git_server_answers(tmp_path: Path) -> None:
    """One that is away ends nothing, and a token that was revoked is no secret."""
    server, answered = Server([]), tmp_path / "answered"
    for error in ("", "", "it takes no such token", "it takes no such token", ""):
        server.error = error
        assert safely(server, {}, answered) == ([error] if error else [])  # type: ignore[arg-type]
        assert answered.exists() == (not error)


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
