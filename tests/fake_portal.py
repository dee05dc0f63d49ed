"""The portal and the Git server's pull requests, as faults and steps ask them: HTTP, on a repository on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from local_server import LocalServer
from repository import git

from neuroscale.cluster.client import Cluster
from neuroscale.git_server import GitServer
from neuroscale.git_server_api import BRANCH, PROTECTION, PUSH_HOOK_URL

GUEST = {"backstageIdentity": {"token": "of a guest"}}


_HOOKS = "hooks.json"


def kept(repository: Path, what: str) -> dict[str, Any]:
    """What a Git server keeps beside a repository, for every process that asks: ``members``, ``protection``."""
    file = repository / f"{what}.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def hooks_of(repository: Path) -> dict[int, dict[str, Any]]:
    """Number -> hook."""
    file = repository / _HOOKS
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {int(number): hook for number, hook in known.items()}


class FakePortal(LocalServer):
    """Both of them, at one address.

    Attributes:
        requests: Method, path and body of each, in order of arrival.
        answers: ``"METHOD /path"`` -> status and body that are answered instead.
        open: Number and branch of each open pull request.
        tasks: What was handed in, with what became of it.
        mergeable: What is said of each pull request.
        token: Of whoever asked last; that of a user is ``of`` them.
        statuses: Commit -> what was said of it, by whom.
        hooks: Those of the repository, as they were written; kept beside it, as a Git server does.
    """

    def __init__(self, repository: Path) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.answers: dict[str, tuple[int, Any]] = {}
        self.open: dict[int, str] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.mergeable = True
        self.token = ""
        self.statuses: dict[str, list[dict[str, Any]]] = {}
        self._repository = str(repository)
        self.hooks = {1: {"config": {"url": PUSH_HOOK_URL}, "active": True}}

    @property
    def hooks(self) -> dict[int, dict[str, Any]]:
        return hooks_of(Path(self._repository))

    @hooks.setter
    def hooks(self, hooks: dict[int, dict[str, Any]]) -> None:
        (Path(self._repository) / _HOOKS).write_text(json.dumps(hooks), encoding="utf-8")

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        portal = self

        class Handler(_Handler):
            owner = portal

        return Handler

    def propose(self, branch: str, path: str, text: str = "new\n") -> None:
        """A branch with one more file, and an open pull request of it."""
        index = {"GIT_INDEX_FILE": f"{self._repository}/index-of-{branch}"}
        self._git("read-tree", BRANCH, **index)
        blob = self._git("hash-object", "-w", "--stdin", feed=text)
        self._git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", **index)
        commit = self._git("commit-tree", self._git("write-tree", **index), "-p", BRANCH, "-m", f"Add {path}")
        self._git("update-ref", f"refs/heads/{branch}", commit)
        self.open[len(self.open) + 1] = branch

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and content."""
        match method, path.strip("/").split("/")[1:]:
            case "POST", ["auth", "guest", "refresh"]:
                return 200, GUEST
            case _, ["scaffolder", "v2", "tasks", *rest]:
                return self._tasks(method, rest, body)
            case _, ["v1", "repos", _, _, what, *rest] if what in self._OF_A_REPOSITORY:
                return self._OF_A_REPOSITORY[what](self, method, rest, body)
            case _, ["v1", "admin", "users", *rest]:
                return self._users(method, rest, body)
            case _, ["v1", "users", user, *rest]:
                return self._user(method, user, rest)
        return 404, {"message": f"nothing is at {method} {path}"}

    def kept(self, what: str) -> dict[str, Any]:
        """See :func:`kept`."""
        return kept(Path(self._repository), what)

    def keep(self, what: str, content: dict[str, Any]) -> None:
        """Keep it."""
        (Path(self._repository) / f"{what}.json").write_text(json.dumps(content), encoding="utf-8")

    def _branches(self, _: str, rest: list[str], __: Any) -> tuple[int, Any]:
        known = self._git("for-each-ref", f"refs/heads/{rest[0]}")
        self._git("update-ref", "-d", f"refs/heads/{rest[0]}")
        return (204, None) if known else (404, {})

    def _collaborators(self, _: str, rest: list[str], body: Any) -> tuple[int, Any]:
        self.keep("members", {**self.kept("members"), rest[0]: body["permission"]})
        return 204, None

    def _protection(self, method: str, _: list[str], body: Any) -> tuple[int, Any]:
        known = self.kept("protection") or dict(PROTECTION)
        if method == "GET":
            return 200, known
        self.keep("protection", {**known, **body})
        return (201 if method == "POST" else 200), {}

    def _statuses(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        said = self.statuses.setdefault(rest[0], [])
        if method == "GET":
            return 200, said
        by = {"creator": {"login": self.token.removeprefix("of ")}, "updated_at": datetime.now(UTC).isoformat()}
        said.append({**body, "id": len(said) + 1, "status": body["state"], **by})
        return 201, {}

    def _user(self, method: str, user: str, rest: list[str]) -> tuple[int, Any]:
        if rest:
            return (201, {"sha1": f"of {user}"}) if method == "POST" else (204, None)
        return (200 if user in self.kept("members") else 404), {}

    def _users(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        members = self.kept("members")
        match method, rest:
            case "POST", []:
                self.keep("members", {body["username"]: "", **members})
                return (422 if body["username"] in members else 201), {}
            case "PATCH", [user]:
                self.keep("members", {**members, user: "site administrator"})
                return 200, {}
            case "DELETE", [user]:
                self.keep("members", {name: role for name, role in members.items() if name != user})
                return (204 if user in members else 404), None
        return 404, {}

    def _tasks(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "POST", []:
                self.tasks[name := f"task-{len(self.tasks) + 1}"] = {"status": "completed", "error": "", **body}
                self.propose(f"model-{body['values']['name']}", f"apps/{body['values']['name']}/model.yaml")
                return 201, {"id": name}
            case "GET", []:
                found = [{"id": name, "spec": {"parameters": task["values"]}} for name, task in self.tasks.items()]
                return 200, {"tasks": found[::-1]}
            case "GET", [name]:
                return 200, {"status": self.tasks[name]["status"]}
            case "GET", [name, "events"]:
                body = {"error": {"message": self.tasks[name]["error"]}, "output": {"links": []}}
                return 200, [{"type": "log", "body": {}}, {"type": "completion", "body": body}]
        return 404, {}

    def _pulls(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, [
                    {
                        "number": number,
                        "head": {"ref": branch, "sha": self._git("rev-parse", branch)},
                        "title": f"Add {branch}",
                        "body": "",
                        "mergeable": self.mergeable,
                    }
                    for number, branch in self.open.items()
                ]
            case "POST", []:
                self.open[len(self.open) + 1] = body["head"]
                return 201, {}
            case "PATCH", [number]:
                self.open.pop(int(number))
                return 201, {}
            case "POST", [_, "reviews"]:
                return 200, {}
            case "POST", [number, "merge"]:
                tree = self._git("rev-parse", f"{self.open[int(number)]}^{{tree}}")
                parents = ("-p", BRANCH, "-p", self.open.pop(int(number)))
                self._git("update-ref", f"refs/heads/{BRANCH}", self._git("commit-tree", tree, *parents, "-m", "Merge"))
                return 200, None
        return 404, {}

    def _hooks(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, [{"id": number, **hook} for number, hook in self.hooks.items()]
            case "POST", []:
                self.hooks = {**self.hooks, max(self.hooks, default=0) + 1: body}
                return 201, {}
            case "PATCH", [number]:
                self.hooks = {**self.hooks, int(number): {**self.hooks[int(number)], **body}}
                return 200, {}
            case "DELETE", [number]:
                self.hooks = {known: hook for known, hook in self.hooks.items() if known != int(number)}
                return 204, None
        return 404, {}

    _OF_A_REPOSITORY: ClassVar[Mapping[str, Callable[..., tuple[int, Any]]]] = {
        "pulls": _pulls,
        "hooks": _hooks,
        "branches": _branches,
        "commits": _statuses,
        "statuses": _statuses,
        "branch_protections": _protection,
        "collaborators": _collaborators,
    }

    def _git(self, *arguments: str, feed: str | None = None, **environment: str) -> str:
        return git("-C", self._repository, *arguments, feed=feed, environment=environment)


class _Handler(BaseHTTPRequestHandler):
    owner: FakePortal

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.owner.requests.append((self.command, path, body))
        said = self.owner.answers.get(f"{self.command} {path}")
        self.owner.token = self.headers.get("Authorization", "").removeprefix("token ")
        status, content = said or self.owner.answer(self.command, path, body)
        if isinstance(content, list) and query.get("page", ["1"]) != ["1"]:
            content = []  # all is on the first page
        self.send_response(status)
        raw = b"" if content is None else json.dumps(content).encode()
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - as the base class has it

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Quiet."""


class GitServerOnDisk(GitServer):
    """Commits and branches on disk, everything else over HTTP."""

    def __init__(self, cluster: Cluster, url: str, repository: Path) -> None:
        super().__init__(cluster, url)
        self._on_disk = repository

    @property
    def _remote(self) -> str:
        return f"file://{self._on_disk}"


class QuickGitServer(GitServerOnDisk):
    """What its branches are is read from the repository's files: git would start two processes each time."""

    def branches(self) -> set[str]:
        return set(self._heads())

    def branch_head(self, branch: str) -> str | None:
        return self._heads().get(branch)

    def _heads(self) -> dict[str, str]:
        packed, loose = self._on_disk / "packed-refs", self._on_disk / "refs" / "heads"
        text = packed.read_text(encoding="ascii") if packed.exists() else ""
        known = {name: commit for commit, name in re.findall("^([0-9a-f]+) refs/heads/(.+)$", text, re.MULTILINE)}
        found = (file for file in loose.rglob("*") if file.is_file() and file.suffix != ".lock")
        return known | {str(file.relative_to(loose)): file.read_text(encoding="ascii").strip() for file in found}
