"""``neuroscale comment``: the one comment on a pull request at GitHub, for its CI system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neuroscale.errors import UsageError
from neuroscale.screen import say
from neuroscale.sticky_comments import Proposal, StickyComment, github


def comment(  # noqa: PLR0913 - which comment, and where
    file: Annotated[Path, typer.Argument(help="What is to be said, in Markdown.")],
    *,
    pull_request: Annotated[int, typer.Option(help="Its number.")],
    head: Annotated[str, typer.Option(help="The commit that it is about, as the pull request proposes it.")],
    repository: Annotated[str, typer.Option(envvar="GITHUB_REPOSITORY", help="Owner and name.")],
    token: Annotated[str, typer.Option(envvar="GITHUB_TOKEN", help="Rather in the environment than typed.")],
    author: Annotated[str, typer.Option(help="Whose token it is.")] = "github-actions[bot]",
    api: Annotated[str, typer.Option(envvar="GITHUB_API_URL", help="Of GitHub.")] = "https://api.github.com",
) -> None:
    """Keep one comment on a pull request at GitHub up to date. Says nothing of a commit that is proposed no longer."""
    if not file.is_file():
        raise UsageError(f"{file} should be a file with the comment, but is none. Next: neuroscale delta --help")
    text = file.read_text(encoding="utf-8", errors="replace")
    sticky = StickyComment(github(repository, author, api), token, Proposal(pull_request, head), text)
    say(sticky.publish(), markup=False)
    if later := sticky.settle():
        say(later, markup=False)
