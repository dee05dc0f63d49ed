"""A forge on paper: pull requests and their comments, as Gitea and GitHub answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import httpx

from neuroscale.polling import Clock
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import Forge, gitea, github

TOKEN = "gho_verysecret"
BASES = {"Gitea": "http://git/api/v1/repos/neuroscale/platform", "GitHub": "https://hub/repos/owner/name"}


def forge(kind: str) -> Forge:
    return gitea("http://git") if kind == "Gitea" else github("owner/name", GATE_REPORTER, "https://hub")


class Time:
    """Passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeForge:
    """One pull request.

    Attributes:
        kind: Gitea gives all comments at once, GitHub pages of so many as are asked for, at most three here.
        state: Of the pull request.
        head: What it proposes.
        comments: Number -> comment.
        statuses: What was said of commits.
        asked: Method and path of each request.
        before: Called with each request first; what it returns is the answer.
    """

    kind: str
    head: str
    state: str = "open"
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    approved: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    before: Callable[[httpx.Request], httpx.Response | None] = lambda _: None
    _lock: RLock = field(default_factory=RLock)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    @property
    def written(self) -> list[str]:
        return [line for line in self.asked if not line.startswith("GET ")]

    def bodies(self, author: str = GATE_REPORTER) -> list[str]:
        return [one["body"] for _, one in sorted(self.comments.items()) if one["user"] == {"login": author}]

    def say(self, author: str | None, body: str) -> int:
        with self._lock:
            number = max(self.comments, default=0) + 1
            user = {"login": author} if author else None
            self.comments[number] = {"id": number, "user": user, "body": body}
            return number

    def handle(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == f"token {TOKEN}"
        path = str(request.url).removeprefix(BASES[self.kind])
        with self._lock:
            self.asked.append(f"{request.method} {path.partition('?')[0]}")
        if special := self.before(request):
            return special
        with self._lock:
            return self._answer(request, path)

    def _answer(self, request: httpx.Request, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            return self._comment(request.method, int(found[1]), body)
        if path.startswith("/issues/7/comments?"):
            return self._page(request)
        match path.split("/")[1:]:
            case ["pulls", "7"]:
                return httpx.Response(200, json={"state": self.state, "head": {"sha": self.head}})
            case ["statuses", sha]:
                self.statuses.append((sha, body["state"], body["description"]))
            case ["pulls", "7", "reviews"]:
                self.approved.append(body["commit_id"])
            case ["issues", "7", "comments"]:
                self.say(GATE_REPORTER, body["body"])
            case _:
                raise AssertionError(path)
        return httpx.Response(201, json={})

    def _comment(self, method: str, number: int, body: dict[str, Any]) -> httpx.Response:
        if number not in self.comments:
            return httpx.Response(404, json={"message": "Not Found"})
        if method == "DELETE":
            del self.comments[number]
            return httpx.Response(204)
        self.comments[number]["body"] = body["body"]
        return httpx.Response(200, json={})

    def _page(self, request: httpx.Request) -> httpx.Response:
        listed = [one for _, one in sorted(self.comments.items())]
        if self.kind == "Gitea":
            return httpx.Response(200, json=listed)
        page = int(request.url.params["page"])
        more = {"Link": f'<{request.url}&more>; rel="next"'} if len(listed) > 3 * page else {}
        return httpx.Response(200, json=listed[3 * page - 3 : 3 * page], headers=more)
