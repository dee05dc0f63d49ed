"""Commit statuses: what is asked of the Git server, and what its answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from neuroscale.commit_statuses import Comment, CommitStatus, Found, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.settings import GATE_REPORTER, GATE_STATUS, GATE_WATCHER

API = "/api/v1/repos/neuroscale/platform"
TOKEN = "secret"
AT = "2026-11-29T05:00:00Z"
NOON = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)


class Server:
    """Answers, and remembers what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], Any]) -> None:
        self.asked: list[tuple[str, str, Any, str]] = []
        self._answer = answer

    def statuses(self, token: str = TOKEN) -> Statuses:
        return Statuses("http://git", token, httpx.MockTransport(self._handle))  # type: ignore[arg-type]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body, request.headers.get("Authorization", "")))
        answer = self._answer(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def said(number: int, state: str, creator: str = "gate", context: str = GATE_STATUS) -> dict[str, Any]:
    return {
        "id": number, "status": state, "context": context, "description": f"number {number}",
        "creator": {"login": creator}, "updated_at": AT,
    }  # fmt: skip


def test_a_status_is_set_with_our_name_and_token() -> None:
    server = Server(lambda _: {})
    server.statuses().set("abc", CommitStatus("failure", "x" * 300))
    body = {"context": GATE_STATUS, "state": "failure", "description": "x" * 255}
    assert server.asked == [("POST", f"{API}/statuses/abc", body, "token secret")]


def test_an_approval_is_of_one_commit() -> None:
    server = Server(lambda _: {})
    server.statuses().approve(7, "abc")
    ((method, path, body, _),) = server.asked
    assert (method, path, body["event"], body["commit_id"]) == ("POST", f"{API}/pulls/7/reviews", "APPROVED", "abc")


def review(
    commit: str, state: str = "APPROVED", user: str = GATE_REPORTER, *, dismissed: bool = False
) -> dict[str, Any]:
    return {"commit_id": commit, "state": state, "user": {"login": user}, "dismissed": dismissed}


def test_an_approval_counts_when_it_is_the_gates_and_stands() -> None:
    reviews = [
        review("abc"), review("b", "COMMENT"), review("c", user="mallory"), review("d", dismissed=True), review("abc"),
    ]  # fmt: skip
    server = Server(lambda _: reviews)
    assert server.statuses("").approved(7) == {"abc"}
    assert server.asked[0][:2] == ("GET", f"{API}/pulls/7/reviews")


def test_the_latest_of_our_name_counts_whoever_set_it() -> None:
    several = [
        said(3, "success"),
        said(9, "pending", context="another"),
        said(5, "failure", "mallory"),
        said(4, "error"),
    ]
    assert Server(lambda _: several).statuses("").latest("abc") == Found("failure", "mallory", NOON, "number 5")
    assert Server(lambda _: [said(9, "success", context="another")]).statuses().latest("abc") is None
    assert Server(lambda _: [{**said(1, "success"), "creator": None}]).statuses().latest("abc") == Found(
        "success", "", NOON, "number 1"
    )


def test_who_only_reads_needs_no_token() -> None:
    server = Server(lambda _: [])
    assert server.statuses("").latest("abc") is None
    assert [token for *_, token in server.asked] == [""]


def test_every_page_of_pull_requests_is_read() -> None:
    def answer(request: httpx.Request) -> Any:
        page = int(request.url.params["page"])
        assert (request.url.params["state"], request.url.params["base_branch"]) == ("open", "main")
        return [{"number": page, "head": {"sha": f"{page}" * 3}}] if page < 3 else []

    assert Server(answer).statuses().heads() == ["111", "222"]


DEEDS: dict[str, tuple[Callable[[Statuses], object], str]] = {
    "set": (lambda statuses: statuses.set("abc", CommitStatus("success", "")), f"POST {API}/statuses/abc"),
    "approve": (lambda statuses: statuses.approve(7, "abc"), f"POST {API}/pulls/7/reviews"),
    "latest": (lambda statuses: statuses.latest("abc"), f"GET {API}/commits/abc/statuses"),
    "heads": (lambda statuses: statuses.heads(), f"GET {API}/pulls"),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(401, text="token is revoked"), "401: token is revoked"),
        (httpx.Response(404, text="no such commit"), "404: no such commit"),
        (httpx.Response(422, text="reviews of one's own"), "422: reviews of one's own"),
        (httpx.Response(500, text="oops" * 1000), "500: oops"),
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ReadTimeout("too slow"), "too slow"),
    ],
)
def test_an_error_says_what_was_asked_and_not_with_which_token(
    answer: httpx.Response | httpx.HTTPError, said: str, deed: str
) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer

    do, asked = DEEDS[deed]
    with pytest.raises(
        NeuroscaleError, match=rf"The Git server should .*{re.escape(asked)}.*{re.escape(said)}"
    ) as error:
        do(Server(refuse).statuses())
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 500, "it is logged, and becomes a status"


def test_what_is_written_can_be_read(tmp_path: Any) -> None:
    status = CommitStatus("failure", 'it "breaks"\na rule')
    status.write(tmp_path / "status.json")
    assert CommitStatus.read(tmp_path / "status.json") == status
    with pytest.raises(OSError, match="status"):
        CommitStatus.read(tmp_path / "none" / "status.json")


def test_the_gate_and_who_watches_are_different_users() -> None:
    """Whoever takes the token of one has not the other's word."""
    assert GATE_REPORTER != GATE_WATCHER


def test_comments_are_read_written_and_taken_away() -> None:
    listed = [{"id": 2, "user": {"login": "a"}, "body": "x"}, {"id": 1, "user": None, "body": "y"}]
    server = Server(lambda request: listed if request.method == "GET" else httpx.Response(204))
    statuses = server.statuses()
    assert statuses.comments(7) == [Comment(1, "", "y"), Comment(2, "a", "x")]
    statuses.comment(7, "words")
    statuses.edit_comment(2, "others")
    statuses.delete_comment(2)
    assert [asked[:3] for asked in server.asked] == [
        ("GET", f"{API}/issues/7/comments", None),
        ("POST", f"{API}/issues/7/comments", {"body": "words"}),
        ("PATCH", f"{API}/issues/comments/2", {"body": "others"}),
        ("DELETE", f"{API}/issues/comments/2", None),
    ]
    assert Server(lambda _: {"head": {"sha": "abc"}}).statuses().head(7) == "abc"


def test_a_comment_that_is_gone_needs_no_deletion_and_takes_no_edit() -> None:
    gone = Server(lambda _: httpx.Response(404, text="not there")).statuses()
    gone.delete_comment(2)
    with pytest.raises(NeuroscaleError, match="answered 404"):
        gone.edit_comment(2, "x")
    with pytest.raises(NeuroscaleError, match="answered 500"):
        Server(lambda _: httpx.Response(500)).statuses().delete_comment(2)
