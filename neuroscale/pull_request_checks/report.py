"""What is said of a commit that was judged: the comment, then its status, which is not good without the comment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.polling import REAL_CLOCK, Clock, Verdict, met, pending, wait_until
from neuroscale.sticky_comments import Proposal, StickyComment

#: Seconds for a status.
BUDGET = 10.0
#: Of what a comment failed by; a status keeps 255 characters.
_SHOWN = 240
_NEXT = "Next: kubectl -n pull-requests logs JOB -c judge"


def report(
    statuses: Statuses,
    proposal: Proposal,
    status: CommitStatus,
    comment: Callable[[], StickyComment] | None,
    clock: Clock = REAL_CLOCK,
) -> list[str]:
    """Comment, then approve and set the status; look at the comment again when older runs are over.

    Args:
        statuses: The Git server.
        proposal: What was judged.
        status: The verdict.
        comment: Makes the comment; ``None`` where nothing was left for one, as of a commit that cannot be priced.
        clock: Time source.

    Returns:
        What became of it, for the log.

    Raises:
        NeuroscaleError: Something could not be said; where it is the comment, the status says so, if that can be set.
    """
    said: list[str] = []
    try:
        made = _made(comment, status)
        if made:
            said.append(made.publish())
        if status.state == "success":
            statuses.approve(*proposal)  # first: whoever waits for the status finds it mergeable
        _set(statuses, proposal, status, clock)
        if made and (later := made.settle()):
            said.append(later)
    except NeuroscaleError as error:
        no_word = CommitStatus("error", f"not reported: {reason_of(error)}")
        try:
            _set(statuses, proposal, no_word, clock)
        except NeuroscaleError as worse:
            raise NeuroscaleError(f"{error} The status could not be set either: {worse}") from error
        raise
    return said


def text_of(file: Path) -> str:
    """The text for a comment that whoever judged has left.

    Raises:
        NeuroscaleError: It cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise NeuroscaleError(f"The comment should be read from {file}, but {error}. {_NEXT}") from error


def _made(comment: Callable[[], StickyComment] | None, status: CommitStatus) -> StickyComment | None:
    """What is to be said; ``None`` of a commit that is not good and has no price."""
    if comment is None:
        if status.state == "success":
            raise NeuroscaleError(
                f"A good verdict should come with a comment, but whoever judged left no comment. {_NEXT}"
            )
        return None
    try:
        return comment()
    except NeuroscaleError:
        raise
    except Exception as error:  # what nobody foresaw is no pass either
        raise NeuroscaleError(f"The comment could not be made: {type(error).__name__}: {error}. {_NEXT}") from error


def reason_of(error: NeuroscaleError) -> str:
    """Why, in as much as a status can hold: of a wait its last sentence tells, not its first."""
    words = " ".join(str(error).split())
    return words.partition("Last seen: ")[2][:_SHOWN] or words[:_SHOWN]


def _set(statuses: Statuses, proposal: Proposal, status: CommitStatus, clock: Clock) -> None:
    def ask() -> Verdict:
        try:
            statuses.set(proposal.sha, status)
        except NeuroscaleError as error:
            return pending(str(error))
        return met(status.state)

    wait_until(ask, f"{proposal.sha[:8]} has its status", "kubectl -n forge logs deploy/gitea", within=BUDGET,
               every=1.0, clock=clock)  # fmt: skip
