"""Runs of the gate over a pull request, as its Job reports them, and what must be on the pull request afterwards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from neuroscale.comment_scenarios.troubled_forge import TROUBLES, troubled
from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.components.pull_requests import SCOPES
from neuroscale.errors import ConditionTimeout, NeuroscaleError, PreconditionFailed
from neuroscale.fresh_names import fresh_name
from neuroscale.git_server import GitServer
from neuroscale.kubernetes.refs import Object
from neuroscale.pull_request_checks.report import report
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import MARKER, Proposal, StickyComment, body_of, gitea

_STRANGER = "passer-by"
_FOUND_NOTHING = CommitStatus("success", "nothing found")
#: Runs that begin together, the newest first.
_TOGETHER = 5
_NEXT = "pytest -m portal -k comment"


@dataclass
class Reviewed:
    """A pull request over which the gate runs.

    Attributes:
        token: Of the gate.
        pushed: Its commits, in order.
        strange: A stranger's comment on it, as it was written.
    """

    git_server: GitServer
    branch: str
    number: int
    token: str
    pushed: list[str]
    strange: str = ""

    @property
    def ours(self) -> list[Object]:
        """Comments of the gate's user."""
        return [one for one in self.git_server.comments(self.number) if one["user"]["login"] == GATE_REPORTER]


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        sha: Of what.
        error: Why it failed; empty if it did not.
        seconds: It took.
    """

    sha: str
    error: str
    seconds: float


def open_pull_request(git_server: GitServer) -> Reviewed:
    """A new one, with one commit.

    Raises:
        NeuroscaleError: The Git server refused.
    """
    token = git_server.issue_token(GATE_REPORTER, SCOPES[GATE_REPORTER])
    branch = fresh_name("reviewed")
    git_server.propose(branch, {f"apps/{branch}/README.md": "0\n"}, f"Add {branch}")
    pull = git_server.pull_request(branch)
    if pull is None:
        raise PreconditionFailed(f"{branch} should have a pull request, but has none. Next: {_NEXT}")
    return Reviewed(git_server, branch, pull.number, token, [pull.head])


def run(reviewed: Reviewed, sha: str, url: str = "", *, text: bool = True) -> Ended:
    """Report a commit as the gate's Job does; what it raises is its end.

    Args:
        reviewed: The pull request.
        sha: The commit.
        url: Where the Git server is reached, if not where it is.
        text: Whether whoever judged has left a text for the comment.
    """
    url, proposal, start = url or reviewed.git_server.url, Proposal(reviewed.number, sha), time.monotonic()
    comment = partial(StickyComment, gitea(url), reviewed.token, proposal, _text(sha)) if text else None
    error = ""
    try:
        report(Statuses(url, reviewed.token), proposal, _FOUND_NOTHING, comment)
    except NeuroscaleError as failed:
        error = str(failed)
    return Ended(sha, error, time.monotonic() - start)


def run_of_latest(reviewed: Reviewed) -> Ended:
    """Of the commit that is proposed now."""
    return run(reviewed, reviewed.pushed[-1])


def run_in_trouble(reviewed: Reviewed, trouble: str) -> Ended:
    """Of the commit that is proposed now, at a Git server that has trouble, in the words of features."""
    with troubled(reviewed.git_server.url, TROUBLES[trouble]) as url:
        return run(reviewed, reviewed.pushed[-1], url)


def run_without_text(reviewed: Reviewed) -> Ended:
    """Of the commit that is proposed now; whoever judged found nothing, and left no text for the comment."""
    return run(reviewed, reviewed.pushed[-1], text=False)


def run_with_revoked_token(reviewed: Reviewed) -> Ended:
    """Of the commit that is proposed now; the token ended while it was judged."""
    reviewed.git_server.token_of(GATE_REPORTER, SCOPES[GATE_REPORTER])
    return run_of_latest(reviewed)


def run_all_at_once(reviewed: Reviewed, count: int) -> list[Ended]:
    """Push so many commits while the runs of those before are at work; one of the oldest ends last."""
    waiting: list[str] = []
    runs: list[Future[Ended]] = []
    with ThreadPoolExecutor(count) as pool:
        for number in range(1, count + 1):
            files = {f"apps/{reviewed.branch}/README.md": f"{number}\n"}
            reviewed.pushed.append(reviewed.git_server.push_to(reviewed.branch, files, f"Commit {number}"))
            waiting.append(reviewed.pushed[-1])
            if len(waiting) == _TOGETHER or number == count:
                runs += [pool.submit(run, reviewed, sha) for sha in reversed(waiting)]
                waiting.clear()
    ended = [one.result() for one in runs]
    return [*ended, run(reviewed, reviewed.pushed[1])]


def write_as_stranger(reviewed: Reviewed) -> None:
    """A comment with the gate's marker, by somebody who may write as the gate may."""
    token = reviewed.git_server.issue_token(_STRANGER, SCOPES[GATE_REPORTER])
    theirs, sha = replace(gitea(reviewed.git_server.url), author=_STRANGER), reviewed.pushed[-1]
    StickyComment(theirs, token, Proposal(reviewed.number, sha), "It costs nothing.").publish()
    reviewed.strange = body_of("It costs nothing.", sha)


def delete_by_hand(reviewed: Reviewed) -> None:
    """The gate's comments are removed by an administrator.

    Raises:
        PreconditionFailed: There is none.
    """
    if not reviewed.ours:
        raise PreconditionFailed(f"The gate should have commented, but has not. Next: {_NEXT}")
    for one in reviewed.ours:
        reviewed.git_server.remove_comment(one["id"])


# --- what must have come of it


def assert_fine(ended: Sequence[Ended]) -> None:
    """No run failed.

    Raises:
        ConditionTimeout: One did.
    """
    if failed := [one.error for one in ended if one.error]:
        raise ConditionTimeout(
            f"{len(ended)} runs should end well, but {len(failed)} failed, first: {failed[0]} Next: {_NEXT}"
        )


def assert_one_comment(reviewed: Reviewed) -> None:
    """There is one comment of the gate, of the latest commit.

    Raises:
        ConditionTimeout: There is another number, or it is of another commit.
    """
    bodies = [str(one["body"]) for one in reviewed.ours]
    if len(bodies) != 1:
        raise ConditionTimeout(
            f"The pull request should have one comment of the gate, but has {len(bodies)}. Next: {_NEXT}"
        )
    latest = reviewed.pushed[-1]
    if bodies[0] != body_of(_text(latest), latest):
        raise ConditionTimeout(
            f"The gate's comment should be of the latest commit {latest[:8]}, but is {bodies[0]!r}. Next: {_NEXT}"
        )


def assert_stranger_unharmed(reviewed: Reviewed) -> None:
    """The stranger's comment is as it was written.

    Raises:
        ConditionTimeout: It is not.
    """
    comments = reviewed.git_server.comments(reviewed.number)
    theirs = [str(one["body"]) for one in comments if one["user"]["login"] == _STRANGER]
    if not reviewed.strange.startswith(MARKER) or theirs != [reviewed.strange]:
        raise ConditionTimeout(f"The stranger's comment should be as it was, but there is {theirs}. Next: {_NEXT}")


def assert_not_green(reviewed: Reviewed, ended: Ended, state: str, within: float) -> None:
    """A run failed in time, the commit says so as far as it can, and nothing approves it.

    Raises:
        ConditionTimeout: It ended well, late, or left something green.
    """
    found = Statuses(reviewed.git_server.url).latest(ended.sha)
    said = found.state if found else "none"
    approved = ended.sha in Statuses(reviewed.git_server.url).approved(reviewed.number)
    if not ended.error or said != state or approved or ended.seconds > within:
        raise ConditionTimeout(
            f"The run should fail within {within:.0f} s with the status {state} and no approval, but it took "
            f"{ended.seconds:.1f} s, the status is {said}, approved: {approved}, error: {ended.error or 'none'} "
            f"Next: {_NEXT}"
        )


def _text(sha: str) -> str:
    return f"## Resource and cost delta\n\nOf {sha}.\n"
