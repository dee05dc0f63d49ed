"""What the gate's comment on a pull request says of each workload."""

from __future__ import annotations

import html
from collections.abc import Mapping
from itertools import takewhile

from neuroscale.errors import ConditionTimeout
from neuroscale.git_server import GitServer, PullRequest
from neuroscale.settings import GATE_REPORTER
from neuroscale.sticky_comments import body_of, is_ours, plain

#: Column -> cell, as it is written.
Row = Mapping[str, str]
_TITLE = "### Workloads"
_NEXT = "kubectl -n pull-requests logs -l app=gate --all-containers"


def read(git_server: GitServer, pull: PullRequest) -> dict[str, Row]:
    """Workload -> its row in the gate's comment.

    Args:
        git_server: Where the pull request is.
        pull: As it is now: the comment must be of its latest commit.

    Raises:
        ConditionTimeout: There is not one comment, or it is of another commit, or without such a table.
    """
    bodies = [plain(one["body"]) for one in git_server.comments(pull.number) if is_ours(one, GATE_REPORTER)]
    found = rows(bodies[0]) if len(bodies) == 1 and is_of(bodies[0], pull.head) else {}
    if not found:
        raise ConditionTimeout(
            f"#{pull.number} should have one comment of the gate, of {pull.head[:8]} and with a table of workloads, "
            f"but has {[body[:200] for body in bodies]}. Next: {_NEXT}"
        )
    return found


def is_of(body: str, sha: str) -> bool:
    """Whether a comment is about a commit."""
    return plain(body) == plain(body_of(body, sha))


def rows(body: str) -> dict[str, Row]:
    """Workload -> its row in a comment's table of workloads; none where there is no such table."""
    after = plain(body).partition(f"\n{_TITLE}\n")[2].lstrip("\n").split("\n")
    # Nothing in a cell is a bar: the gate writes one otherwise.
    lines = [line.strip("|").split("|") for line in takewhile(lambda line: line.startswith("|"), after)]
    header, _, *below = [[html.unescape(cell.strip()) for cell in line] for line in lines] or [[], []]
    found = (dict(zip(header, cells, strict=True)) for cells in below)
    return {row["workload"]: row for row in found}
