"""Sees to it that every open pull request says how it stands: that no verdict came is said too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from neuroscale.commit_statuses import CommitStatus, Found, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER

#: A verdict takes some 20 s; after this nobody is expected to give one.
PATIENCE = timedelta(seconds=45)


def look(statuses: Statuses, first_seen: dict[str, datetime], now: datetime | None = None) -> list[str]:
    """Look at every open pull request once.

    Args:
        statuses: The Git server.
        first_seen: Commit -> when it was first seen; completed, and rid of those that are no longer proposed.
        now: The time; that of this machine if not given.

    Returns:
        What was said, for the log.

    Raises:
        NeuroscaleError: The Git server did not answer.
    """
    now, said = now or datetime.now(UTC), []
    heads = {proposal.head for proposal in statuses.proposals()}
    for gone in first_seen.keys() - heads:
        del first_seen[gone]
    for head in sorted(heads):
        since = first_seen.setdefault(head, now)
        if status := due(statuses.latest(head), since, now):
            statuses.set(head, status)
            said.append(f"{head[:8]}: {status.state}: {status.description}")
    return said


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


def safely(statuses: Statuses, first_seen: dict[str, datetime], answered: Path) -> list[str]:
    """Look once; a Git server that is away, or takes the token no longer, is asked again by the next look.

    Args:
        statuses: The Git server.
        first_seen: As in :func:`look`.
        answered: A file that is there as long as the last look succeeded: whoever watches is Ready with it.
    """
    try:
        said = look(statuses, first_seen)
    except NeuroscaleError as error:
        answered.unlink(missing_ok=True)
        return [str(error)]
    answered.touch()
    return said
