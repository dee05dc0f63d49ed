"""Commits to ``main`` as faults: what the cluster shows once it followed, and how they are taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Committed
from neuroscale.errors import PreconditionFailed
from neuroscale.git_server import Files
from neuroscale.polling import Probe


@dataclass(frozen=True)
class PushedCommit:
    """A commit on ``main``, and what the cluster looks like once it followed.

    Attributes:
        commit: Its id.
        at: When it was pushed.
        expects: Met when the cluster followed.
        before: What held before, to be seen again after a revert.
    """

    commit: str
    at: datetime
    expects: Probe
    before: Probe


def push(breakage: Breakage, message: str, files: Files, expects: Probe, before: Probe) -> PushedCommit:
    """Commit files; how to take them back is in the journal before the push.

    Args:
        breakage: Undoes it.
        message: Of the commit.
        files: Path to content; ``None`` removes.
        expects: What the cluster shows once it followed.
        before: What it shows before, and again after a revert.

    Raises:
        PreconditionFailed: The repository has no commit after the push.
    """
    effect = breakage.inject(Committed(message=message, files=dict(files)))
    commit = breakage.platform.git_server.head()
    if commit is None:
        raise PreconditionFailed(
            "main should have a commit after a push, but the repository is empty. Next: neuroscale up"
        )
    return PushedCommit(commit, effect.clock, expects, before)
