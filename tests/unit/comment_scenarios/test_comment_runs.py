"""What the scenarios of the gate's comment find wrong."""

from __future__ import annotations

import re
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from local_server import LocalServer

from neuroscale.comment_scenarios import runs
from neuroscale.comment_scenarios.runs import Ended, Reviewed
from neuroscale.comment_scenarios.troubled_forge import TROUBLES, troubled
from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.git_server import GitServer
from neuroscale.host import direct
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import body_of

OLD, NEW = "a" * 40, "b" * 40


def of(sha: str, author: str = GATE_REPORTER) -> dict[str, Any]:
    return {"id": 1, "user": {"login": author}, "body": body_of(runs._text(sha), sha)}


def reviewed(*comments: dict[str, Any]) -> Reviewed:
    server = SimpleNamespace(url="http://git", comments=lambda _: list(comments))
    return Reviewed(cast("GitServer", server), "branch", 7, "token", [OLD, NEW])


def test_one_comment_of_the_latest_commit_is_right() -> None:
    runs.assert_one_comment(reviewed(of(NEW), of(OLD, "mallory")))


@pytest.mark.parametrize(
    ("comments", "said"),
    [
        ([], "but has 0"),
        ([of(NEW, "mallory")], "but has 0"),
        ([of(NEW), of(NEW)], "but has 2"),
        ([of(OLD)], f"should be of the latest commit {NEW[:8]}, but is .*{OLD}"),
    ],
    ids=["none", "a stranger's", "two", "an older one"],
)
def test_anything_else_is_not(comments: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ConditionTimeout, match=said):
        runs.assert_one_comment(reviewed(*comments))


def test_a_strangers_comment_has_to_be_as_it_was_written() -> None:
    body = body_of("It costs nothing.", NEW)
    theirs = {"id": 1, "user": {"login": runs._STRANGER}, "body": body}
    for found, strange, good in (([theirs], body, True), ([], body, False), ([{**theirs, "body": "x"}], body, False)):
        subject = reviewed(*found)
        subject.strange = strange
        if good:
            runs.assert_stranger_unharmed(subject)
        else:
            with pytest.raises(ConditionTimeout, match="should be as it was, but there is"):
                runs.assert_stranger_unharmed(subject)


def test_a_run_that_failed_is_told() -> None:
    runs.assert_fine([Ended(NEW, "", 1.0)])
    with pytest.raises(ConditionTimeout, match="2 runs should end well, but 1 failed, first: why"):
        runs.assert_fine([Ended(NEW, "", 1.0), Ended(OLD, "why", 1.0)])


def test_what_is_not_there_cannot_be_deleted() -> None:
    with pytest.raises(PreconditionFailed, match="has not"):
        runs.delete_by_hand(reviewed())


@pytest.mark.parametrize(
    ("error", "state", "approved", "seconds", "good"),
    [
        ("why", "error", False, 59.0, True),
        ("", "error", False, 59.0, False),
        ("why", "success", False, 59.0, False),
        ("why", "none", False, 59.0, False),
        ("why", "error", True, 59.0, False),
        ("why", "error", False, 61.0, False),
    ],
)
def test_a_run_that_fails_leaves_nothing_green(
    error: str, state: str, approved: bool, seconds: float, *, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = None if state == "none" else SimpleNamespace(state=state)
    monkeypatch.setattr(Statuses, "latest", lambda *_: found)
    monkeypatch.setattr(Statuses, "approved", lambda *_: {NEW} if approved else set())
    if good:
        runs.assert_not_green(reviewed(), Ended(NEW, error, seconds), "error", 60)
    else:
        with pytest.raises(ConditionTimeout, match=re.escape("should fail within 60 s with the status error")):
            runs.assert_not_green(reviewed(), Ended(NEW, error, seconds), "error", 60)


class Behind(LocalServer):
    """Takes everything, and remembers it."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str, str, str]] = []

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        came = self.came

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                came.append((self.command, self.path, self.headers["Authorization"], body))
                self.send_response(201)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None: ...

        return Handler


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_forge_in_trouble_passes_on_what_is_not_about_comments(trouble: str) -> None:
    with Behind() as behind, troubled(behind.url, TROUBLES[trouble]) as url:
        Statuses(url, "token").set(NEW, CommitStatus("error", "why"))
        with direct.client(base_url=url, seconds=0.3) as client:
            if TROUBLES[trouble].status:
                answer = client.post("/issues/7/comments", json={"body": "x"})
                assert answer.status_code == TROUBLES[trouble].status
                assert set(TROUBLES[trouble].headers) <= {
                    (name.title(), value) for name, value in answer.headers.items()
                }
            else:
                with pytest.raises(httpx.ReadTimeout):
                    client.post("/issues/7/comments", json={"body": "x"})
    ((method, path, token, body),) = behind.came
    assert (method, path.rpartition("/")[2], token) == ("POST", NEW, "token token")
    assert '"state":"error"' in body.replace(" ", "")
