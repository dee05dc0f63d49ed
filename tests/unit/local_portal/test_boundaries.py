"""The boundaries of a form's way: what is said there, and what is on record."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from neuroscale.errors import FaultHadNoEffect
from neuroscale.local_portal.boundaries import BOUNDARIES, Progress, progress_of, status_of

_EVENT = b'insert into "task_events" ("body", "event_type", "task_id") values ($1, $2, $3) returning "id" %s log ID'
_UPDATE = b'update "tasks" set %s'
#: What scaffolder-backend 4.3.0 and our step say one after the other: a statement with its values, or a request's head.
SAID: tuple[tuple[str, bytes], ...] = (
    (
        "before its task is taken up",
        _UPDATE % b'"status" = $1, "last_heartbeat_at" = CURRENT_TIMESTAMP, "secrets" = $2 where processing {} ID open',
    ),
    ("", _EVENT % b'{"message":"Starting up task with 3 steps"}'),
    (
        "before its files are written",
        _EVENT % b'{"message":"Beginning step Write the manifests","stepId":"render","status":"processing"}',
    ),
    ("", b"GET /api/v1/repos/neuroscale/platform/archive/main.tar.gz HTTP/1.1\r\n"),
    (
        "after its files were written",
        _UPDATE
        % b'"state" = $1 where {"state":{"checkpoints":{},"steps":{"render":{"status":"completed","output":{}}}}}',
    ),
    ("", b"GET /api/v1/repos/neuroscale/platform/contents/apps/x?ref=main HTTP/1.1\r\n"),
    ("before its branch is made", b"POST /api/v1/repos/neuroscale/platform/contents HTTP/1.1\r\n"),
    ("", b"GET /api/v1/repos/neuroscale/platform/pulls?state=open HTTP/1.1\r\n"),
    ("before its pull request is opened", b"POST /api/v1/repos/neuroscale/platform/pulls HTTP/1.1\r\n"),
    ("before its end is recorded", _UPDATE % b'"status" = $1, "secrets" = $2 where completed ID processing'),
    ("", _UPDATE % b'"last_heartbeat_at" = CURRENT_TIMESTAMP where ID processing'),
    ("", _UPDATE % b'"status" = $1, "last_heartbeat_at" = now() - $2::interval where processing 1 hour open'),
)
#: Those that begin with what nobody has said at another one before.
_FIRST = {name: one.moment.said[0] for name, one in BOUNDARIES.items() if not one.moment.answered}


def test_each_request_begins_its_own_boundary_and_no_other() -> None:
    for name, text in SAID:
        begun = {boundary for boundary, said in _FIRST.items() if re.search(said, text, re.DOTALL)}
        assert begun == ({name} if name else set()), text
    assert set(_FIRST) == {name for name, _ in SAID if name}


def test_what_comes_after_a_request_is_its_answer() -> None:
    for after, before in (
        ("after its branch was made", "before its branch is made"),
        ("after its pull request was opened", "before its pull request is opened"),
    ):
        assert BOUNDARIES[after].moment.said == BOUNDARIES[before].moment.said
        assert (BOUNDARIES[after].moment.answered, BOUNDARIES[before].moment.answered) == (True, False)
    recorded = BOUNDARIES["after its end was recorded"].moment
    assert recorded.answered
    assert recorded.said == (*BOUNDARIES["before its end is recorded"].moment.said, b"COMMIT")


def test_each_boundary_is_told_from_every_other_by_what_is_on_record() -> None:
    found = [one.progress for one in BOUNDARIES.values()]
    assert len(set(found)) == len(found) == 9


STATE = {
    "state": {
        "checkpoints": {
            "v1.task.checkpoint.gitea.branch": {"status": "success", "value": True},
            "v1.task.checkpoint.gitea.pull-request": {"status": "failed", "reason": "x"},
        },
        "steps": {"render": {"status": "completed", "output": {}}},
    }
}


def portal(said: str, *, pull_request: bool = False) -> Any:
    asked = SimpleNamespace(execute=lambda database, statement: said)
    server = SimpleNamespace(
        branches=lambda: {"main", "model-x"}, pull_request=lambda _: "#1" if pull_request else None
    )
    return cast("Any", SimpleNamespace(database=asked, git_server=server))


def test_what_is_on_record_is_read_at_both_places() -> None:
    row = json.dumps(["processing", STATE, True])
    assert progress_of("id", "model-x", portal(row)) == Progress(
        "processing", written=True, steps=frozenset({"render"}), checkpoints=frozenset({"branch"}), branch=True
    )
    assert progress_of("id", "model-y", portal(row, pull_request=True)).branch is False
    assert progress_of("id", "model-y", portal(row, pull_request=True)).pull_request is True


def test_a_task_that_nobody_took_up_has_no_state() -> None:
    assert progress_of("id", "model-y", portal(json.dumps(["open", None, False]))) == Progress("open")


def test_a_task_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(FaultHadNoEffect, match="The task id should be on record, but is not"):
        progress_of("id", "model-x", portal(""))


def test_how_a_task_stands_is_asked_of_the_database() -> None:
    assert status_of("id", portal("open")) == "open"
