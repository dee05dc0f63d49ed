"""What the containers of the pull-request gate run: ``judge``, ``report``, ``watch``."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.git_server_api import SERVICE_URL
from neuroscale.polling import pause
from neuroscale.pull_request_checks import report as reporting
from neuroscale.pull_request_checks import watch as watching
from neuroscale.sticky_comments import Proposal, StickyComment, gitea

_VERDICT = Path("/verdict/status.json")
#: What a reviewer is to read; there is none of what cannot be priced.
_COMMENT = Path("/verdict/comment.md")
#: What the readiness probe asks for.
_ANSWERED = Path("/state/answered")
_EVERY = 2.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_Number = Annotated[int, typer.Option(envvar="NUMBER")]
_Sha = Annotated[str, typer.Option(envvar="SHA")]
_Token = Annotated[str, typer.Option(envvar="TOKEN")]


@app.command()
def judge(number: _Number, sha: _Sha) -> None:
    """Judge a proposed commit, and leave the verdict in a file."""
    # Only here: the other two commands have no use for a renderer.
    from neuroscale.pull_request_checks.judge import judge as judge_commit  # noqa: PLC0415

    status, comment = judge_commit(IN_CLUSTER_URL, number, sha, Path("/tmp"))  # noqa: S108 - the container's own
    _log(f"{sha}: {status.state}: {status.description}")
    if comment is not None:
        _COMMENT.write_text(comment, encoding="utf-8")
    status.write(_VERDICT)


@app.command()
def report(number: _Number, sha: _Sha, token: _Token) -> None:
    """Say at the Git server what was judged."""
    proposal = Proposal(number, sha)
    try:
        status = CommitStatus.read(_VERDICT)
        comment = partial(_comment, token, proposal) if _COMMENT.exists() else None
        for line in reporting.report(Statuses(SERVICE_URL, token), proposal, status, comment):
            _log(f"{sha}: {line}")
    except (NeuroscaleError, OSError, ValueError, TypeError) as error:
        sys.exit(str(error))


@app.command()
def watch(token: _Token) -> None:
    """Look at every open pull request, again and again."""
    statuses, first_seen = Statuses(SERVICE_URL, token), dict[str, datetime]()
    while True:
        for line in watching.look(statuses, first_seen, answered=_ANSWERED):
            _log(line)
        pause(_EVERY)


def _comment(token: str, proposal: Proposal) -> StickyComment:
    return StickyComment(gitea(), token, proposal, reporting.text_of(_COMMENT))


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    app()
