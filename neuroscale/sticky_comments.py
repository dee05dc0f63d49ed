"""The one comment of ours on a pull request, on either forge: found again by marker and author, and kept up to date.

Whose turn it is decides the forge, and nothing that a commit says of itself: only the run of the commit that the pull
request proposes at this moment may write. Each check looks at everything anew, does what is missing, and is followed
by another one; so runs that race end with one comment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, NamedTuple

import httpx

from neuroscale.errors import NeuroscaleError
from neuroscale.git_server_api import API, SERVICE_URL
from neuroscale.host import direct
from neuroscale.polling import REAL_CLOCK, Clock, Verdict, met, pause, pending, unrecoverable, wait_until
from neuroscale.settings import GATE_REPORTER, GIT_SERVER

#: The first line of the comment; the reference platform's check has the same.
MARKER = "<!-- neuroscale-cost-proxy -->"
#: Characters that GitHub takes of a comment.
LONGEST = 65_536
#: Seconds for a comment: whoever waits for the status behind it has an answer within 60 s, with what comes after it.
BUDGET = 15.0
#: Seconds that any part of a request may take.
WITHIN = 5.0
#: Seconds after which a run that had looked before the latest push has written, if it ever does: see decision 0029.
SETTLED = WITHIN + 1.0
_EVERY = 1.0
#: Seconds after a write until it is looked at.
_SOON = 0.25
_HEAD = re.compile(r"<!-- head: [^\n]* -->")
_SHOWN = 200


@dataclass(frozen=True)
class Forge:
    """Where a pull request is.

    Attributes:
        url: Of the repository in the forge's HTTP API.
        author: The user whose token is given: whose comments are ours.
        next_move: What to type when it does not take a comment.
        client: Makes the client.
    """

    url: str
    author: str
    next_move: str
    client: Callable[..., httpx.Client]


def gitea(url: str = SERVICE_URL) -> Forge:
    """The embedded Git server; there the gate's reporter speaks."""
    return Forge(f"{url}{API}", GATE_REPORTER, f"kubectl -n {GIT_SERVER} logs deploy/gitea", direct.client)


def github(repository: str, author: str, url: str) -> Forge:
    """A repository at GitHub.

    Args:
        repository: Owner and name.
        author: Whose token it is.
        url: Of the API.
    """
    return Forge(f"{url}/repos/{repository}", author, "gh run rerun --failed", direct.forge_client)


class Proposal(NamedTuple):
    """Which commit of which pull request is spoken of."""

    number: int
    sha: str


class StickyComment:
    """What is to be said of a commit that a pull request proposes.

    Args:
        forge: Where.
        token: Of :attr:`Forge.author`.
        proposal: Of what.
        text: Markdown; a marker and a head in its first two lines are replaced.
        transport: How connections are made; the usual way if not given.
        clock: Time source.

    Raises:
        NeuroscaleError: It says nothing, or is longer than a forge takes.
    """

    def __init__(  # noqa: PLR0913 - where, as whom, of what, what; and what tests bring
        self,
        forge: Forge,
        token: str,
        proposal: Proposal,
        text: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = REAL_CLOCK,
    ) -> None:
        self._forge, self._token, self._proposal, self._clock = forge, token.strip(), proposal, clock
        self._body = direct.without(self._token, body_of(text, proposal.sha))
        if plain(self._body) == plain(body_of("", proposal.sha)):
            raise NeuroscaleError(
                "A comment should say something, but this one is empty, so none was posted. "
                "Next: neuroscale delta --format markdown"
            )
        if len(self._body) > LONGEST:
            raise NeuroscaleError(
                f"A comment should have at most {LONGEST:,} characters, but this one has {len(self._body):,}, so none "
                "was posted. Next: neuroscale delta --format markdown"
            )
        self._client = forge.client(base_url=forge.url, seconds=WITHIN, transport=transport)
        self._client.headers["Authorization"] = f"token {self._token}"
        self._wrote = self._posted = False

    def publish(self) -> str:
        """See to it that it is there, once; what became of it.

        Raises:
            ConditionTimeout: The forge did not take it within :data:`BUDGET`, or said that it will not.
        """
        number, sha = self._proposal
        timeline = wait_until(
            self._check,
            f"pull request {number} has one comment, of {sha[:8]}",
            self._forge.next_move,
            within=BUDGET,
            every=_EVERY,
            clock=self._clock,
        )
        return timeline.last.observed

    def settle(self) -> str:
        """Look again when every older run has ended its last write; what was seen, if there was something to see.

        Raises:
            ConditionTimeout: See :meth:`publish`.
        """
        if not self._wrote:
            return ""
        pause(SETTLED, self._clock)
        self._posted = False
        return self.publish()

    # --- one check

    def _check(self) -> Verdict:
        try:
            ours = sorted(self._ours(), key=lambda one: one["id"])
            # The last question before a write.
            if gone := moved_on(self._ask("GET", self._pull).json(), self._proposal):
                return met(gone)
            return self._write(ours)
        except _NotTaken as error:
            return error.verdict
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return pending(f"the forge answered with what cannot be read: {type(error).__name__}")

    def _write(self, ours: list[dict[str, Any]]) -> Verdict:
        """Do what is missing. The oldest is kept."""
        if not ours:
            # A list may lag behind: whoever posts twice has two.
            if not self._posted:
                self._change("POST", self._comments, self._body)
                self._posted = True
            return pending("posted, and not to be seen yet", again_in=_SOON)
        oldest, *others = ours
        stale = plain(oldest["body"]) != plain(self._body)
        if stale:
            self._change("PATCH", f"/issues/comments/{oldest['id']}", self._body)
        for other in others:
            self._change("DELETE", f"/issues/comments/{other['id']}")
        if stale or others:
            return pending("edited, and not to be seen yet", again_in=_SOON)
        return met("the comment is there and up to date")

    def _change(self, method: str, path: str, body: str | None = None) -> None:
        self._wrote = True  # also when the answer is lost
        self._ask(method, path, None if body is None else {"body": body})

    def _ours(self) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        # Gitea gives all at once, whatever page is asked for.
        for page in count(1):
            answer = self._ask("GET", f"{self._comments}?per_page=100&page={page}")
            found |= {one["id"]: one for one in answer.json() if is_ours(one, self._forge.author)}
            if "next" not in answer.links:
                break
        return list(found.values())

    @property
    def _pull(self) -> str:
        return f"/pulls/{self._proposal.number}"

    @property
    def _comments(self) -> str:
        return f"/issues/{self._proposal.number}/comments"

    # --- one request

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> httpx.Response:
        what = f"{method} {path.partition('?')[0]}"
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            # Of a token that cannot be sent, its text would tell the token.
            raise _NotTaken(pending(f"{what} was not answered: {type(error).__name__}")) from None
        if answer.is_success:
            return answer
        said = direct.without(
            self._token, f"{what} was answered {answer.status_code}: {' '.join(answer.text.split())}"
        )[:_SHOWN]
        if answer.status_code == 404 and method in {"PATCH", "DELETE"}:
            raise _NotTaken(pending(f"{said}: somebody was faster", again_in=_SOON))
        wait = until_asked_again(answer)
        if answer.status_code >= 500 or answer.status_code in {408, 429} or wait is not None:
            raise _NotTaken(pending(said, None if wait is None else max(_EVERY, wait)))
        raise _NotTaken(unrecoverable(said))


class _NotTaken(Exception):
    """A request was not answered as it should be."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict


# --- judgements


def body_of(text: str, sha: str) -> str:
    """A comment as it is posted: its marker, the commit that it is about, and the text."""
    lines = text.replace("\r\n", "\n").split("\n")
    for known in (re.compile(re.escape(MARKER)), _HEAD):
        if lines and known.fullmatch(lines[0].strip()):
            del lines[0]
    return "\n".join([MARKER, f"<!-- head: {sha} -->", *lines])


def is_ours(comment: Mapping[str, Any], author: str) -> bool:
    """Whether a comment has our marker and is of our user. Anybody can write the marker."""
    by = (comment["user"] or {}).get("login")
    return by == author and (comment["body"] or "").partition("\n")[0].strip() == MARKER


def moved_on(pull: Mapping[str, Any], proposal: Proposal) -> str:
    """Why a run has nothing more to say of its commit; empty if it has."""
    if pull["state"] != "open":
        return f"pull request {proposal.number} is {pull['state']}: nothing is said of {proposal.sha[:8]}"
    if (head := str(pull["head"]["sha"])) != proposal.sha:
        return f"pull request {proposal.number} proposes {head[:8]} now: nothing is said of {proposal.sha[:8]}"
    return ""


def plain(body: str | None) -> str:
    """A comment's text without what forges do to its lines and its end."""
    return (body or "").replace("\r\n", "\n").strip()


def until_asked_again(answer: httpx.Response) -> float | None:
    """Seconds for which a forge wants to be left alone, negative if that is over; ``None`` if it did not say."""
    asked, headers = answer.headers.get("Retry-After", ""), answer.headers
    try:
        if asked.isdecimal():
            return float(asked)
        if asked:
            return (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
        # How GitHub says that a token has used up its hour.
        if answer.status_code in {403, 429} and headers.get("X-RateLimit-Remaining") == "0":
            until = datetime.fromtimestamp(float(headers["X-RateLimit-Reset"]), UTC)
            return (until - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None
    return None
