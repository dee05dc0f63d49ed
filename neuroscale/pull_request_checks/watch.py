"""Sees to it that every open pull request says how it stands: that no verdict came is said too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from neuroscale.commit_statuses import CommitStatus, Found, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER

#: A verdict takes some 20 s; after this nobody is expected to give one.
PATIENCE = timedelta(seconds=45)


def look(
    statuses: Statuses, first_seen: dict[str, datetime], now: datetime | None = None, *, answered: Path | None = None
) -> list[str]:
    """Look at every open pull request once. What the Git server does not answer is asked again by the next look.

    Args:
        statuses: The Git server.
        first_seen: Commit -> when it was first seen; completed, and rid of those that are no longer proposed.
        now: The time; that of this machine if not given.
        answered: A file that is there as long as the Git server answers: whoever watches is Ready with it.

    Returns:
        What was said, and what the Git server did not answer, for the log.
    """
    now = now or datetime.now(UTC)
    try:
        heads = set(statuses.heads())
    except NeuroscaleError as error:
        if answered:
            answered.unlink(missing_ok=True)
        return [str(error)]
    if answered:
        answered.touch()
    for gone in first_seen.keys() - heads:
        del first_seen[gone]
    return [line for head in sorted(heads) for line in _speak_of(head, statuses, first_seen.setdefault(head, now), now)]


def _speak_of(head: str, statuses: Statuses, since: datetime, now: datetime) -> Iterator[str]:
    """Say what is due of a commit. That one cannot be spoken of leaves no other without a word."""
    try:
        if status := due(statuses.latest(head), since, now):
            statuses.set(head, status)
            yield f"{head[:8]}: {status.state}: {status.description}"
    except NeuroscaleError as error:
        yield f"{head[:8]}: {error}"


def due(found: Found | None, since: datetime, now: datetime) -> CommitStatus | None:
    """What is to be said of a commit of which that was last said; ``None``: nothing.

    Args:
        found: What was last said.
        since: When the commit was first seen here.
        now: The time.
    """
    if found is None:
        return CommitStatus("pending", "the gate will judge it")
    if found.creator not in (GATE_REPORTER, GATE_WATCHER):
        return CommitStatus("error", f"{found.creator} said {found.state}, and may not; push again for a verdict")
    if found.state == "pending" and now - max(since, found.since) > PATIENCE:
        return CommitStatus("error", f"no verdict came within {PATIENCE.seconds} s")
    return None
