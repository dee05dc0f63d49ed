"""Commit statuses and approvals at the Git server: what decides whether a pull request may be merged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx

from neuroscale.errors import NeuroscaleError
from neuroscale.git_server_api import API, BRANCH
from neuroscale.host import direct
from neuroscale.settings import GATE_REPORTER, GATE_STATUS

#: Characters that Gitea keeps of a description.
_SHOWN = 255
_WITHIN = 10.0

State = Literal["pending", "success", "failure", "error"]


@dataclass(frozen=True)
class CommitStatus:
    """What is said of a commit.

    Attributes:
        state: ``failure`` if it must not be merged, ``error`` if nobody can say.
        description: One line: why.
    """

    state: State
    description: str

    def write(self, file: Path) -> None:
        """Leave it for :meth:`read`."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> CommitStatus:
        """What was left.

        Raises:
            OSError: There is nothing.
            ValueError: It is no status.
        """
        return cls(**json.loads(file.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Found:
    """A status as the Git server has it.

    Attributes:
        creator: Who set it.
        since: When.
        description: Why.
    """

    state: str
    creator: str
    since: datetime
    description: str = ""


class Statuses:
    """The Git server's statuses and open pull requests.

    Args:
        url: Where it is.
        token: Of a user who may set statuses; whoever only reads needs none.
        transport: How connections are made; the usual way if not given.
    """

    def __init__(self, url: str, token: str = "", transport: httpx.HTTPTransport | None = None) -> None:
        self._client = direct.client(base_url=url, seconds=_WITHIN, transport=transport)
        self._token = token.strip()  # a Secret that was made with an editor ends with a line
        if self._token:
            self._client.headers["Authorization"] = f"token {self._token}"

    def set(self, sha: str, status: CommitStatus) -> None:
        """Say something of a commit.

        Raises:
            NeuroscaleError: The Git server did not take it.
        """
        body = {"context": GATE_STATUS, "state": status.state, "description": status.description[:_SHOWN]}
        self._ask("POST", f"{API}/statuses/{sha}", body)

    def approve(self, number: int, sha: str) -> None:
        """Approve a commit of a pull request: what counts of a verdict, since nobody else can.

        Raises:
            NeuroscaleError: The Git server did not take it.
        """
        body = {"event": "APPROVED", "commit_id": sha, "body": f"{GATE_STATUS} found nothing against {sha}"}
        self._ask("POST", f"{API}/pulls/{number}/reviews", body)

    def approved(self, number: int) -> frozenset[str]:
        """The commits of a pull request that the gate has approved, as far as that counts.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        reviews = self._ask("GET", f"{API}/pulls/{number}/reviews?limit=50")
        return frozenset(
            one["commit_id"]
            for one in reviews
            if one["state"] == "APPROVED" and one["user"]["login"] == GATE_REPORTER and not one["dismissed"]
        )

    def latest(self, sha: str) -> Found | None:
        """What was last said of a commit under our name, by whomever.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        said = self._ask("GET", f"{API}/commits/{sha}/statuses?sort=recentupdate&limit=50")
        ours = [one for one in said if one["context"] == GATE_STATUS]
        if not ours:
            return None
        newest = max(ours, key=lambda one: one["id"])
        creator = (newest["creator"] or {}).get("login", "")
        since = datetime.fromisoformat(newest["updated_at"])
        return Found(newest["status"], creator, since, newest["description"])

    def heads(self) -> list[str]:
        """The commit that each open pull request would merge into ``main``.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        found: list[str] = []
        for page in count(1):
            listed = self._ask("GET", f"{API}/pulls?state=open&base_branch={BRANCH}&limit=50&page={page}")
            if not listed:
                break
            found += [pull["head"]["sha"] for pull in listed]
        return found

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            why = direct.without(self._token, repr(error))
            raise NeuroscaleError(f"The Git server should answer to {method} {path}, but {why}") from None
        if not answer.is_success:
            said = direct.without(self._token, answer.text)[:300]
            raise NeuroscaleError(
                f"The Git server should take {method} {path}, but answered {answer.status_code}: {said}"
            )
        return answer.json()
