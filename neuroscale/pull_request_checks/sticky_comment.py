"""One comment below a pull request that says what it costs: rewritten with each push, and never piled up.

Runs end in any order, and at once. Whoever is about the commit that would be merged writes; whoever is about an older
one leaves alone what is there. The Git server compares nothing before it takes a comment, so a writer looks again
afterwards until nothing is left to do: an older run that was late has then been written over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from neuroscale.commit_statuses import Comment
from neuroscale.delta.written import MARKER
from neuroscale.errors import NeuroscaleError
from neuroscale.polling import pause
from neuroscale.settings import GATE_REPORTER

#: Looks that must find nothing to do, and seconds between them: longer than from a late run's look to its words.
_CALM, _EVERY = 3, 2.0
#: Looks after which somebody else is at work who does not stop.
_LOOKS = 15


class Forge(Protocol):
    """Where comments are."""

    def head(self, number: int) -> str:
        """The commit that would be merged."""
        ...

    def comments(self, number: int) -> list[Comment]:
        """What is written, the oldest first."""
        ...

    def comment(self, number: int, body: str) -> None:
        """Write something."""
        ...

    def edit_comment(self, comment: int, body: str) -> None:
        """Write something else in its place."""
        ...

    def delete_comment(self, comment: int) -> None:
        """Take it away."""
        ...


def keep(forge: Forge, number: int, sha: str, body: str, *, wait: Callable[[float], None] = pause) -> bool:
    """Let the comment below a pull request be this one.

    Args:
        forge: Where it is.
        number: Of the pull request.
        sha: The commit that the words are about.
        body: The words, with the marker as their first line.
        wait: Lets time pass.

    Returns:
        Whether it is; not if another commit is proposed meanwhile, whose run says what that costs.

    Raises:
        NeuroscaleError: The Git server did not answer, or somebody writes it anew again and again.
    """
    calm = 0
    for _ in range(_LOOKS):
        if forge.head(number) != sha:
            return False
        calm = 0 if _write(forge, number, body) else calm + 1
        if calm == _CALM:
            return True
        wait(_EVERY)
    raise NeuroscaleError(
        f"The comment below pull request {number} should stay as it is written, but is another one after {_LOOKS} looks"
    )


def _write(forge: Forge, number: int, body: str) -> bool:
    """Whether something was to be done: the oldest of our comments is the one, and any other is one too many."""
    ours = [one for one in forge.comments(number) if is_ours(one)]
    for one in ours[1:]:
        forge.delete_comment(one.id)
    if not ours:
        forge.comment(number, body)
    elif ours[0].body.strip() != body.strip():
        forge.edit_comment(ours[0].id, body)
    else:
        return len(ours) > 1
    return True


def is_ours(comment: Comment) -> bool:
    """By the marker and by who wrote it: anybody can write a marker."""
    return comment.author == GATE_REPORTER and comment.body.lstrip().startswith(MARKER)
