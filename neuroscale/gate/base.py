"""The tree as it was at another commit, from Git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.host.programs import output
from neuroscale.settings import GITOPS_FOLDERS, ROOT

_WITHIN = 30
#: The mode of an entry that Git has elsewhere.
_SUBMODULE = "160000"
#: What decides which upstream manifests the supply puts into the tree.
_SUPPLIED = ("neuroscale/supply/pins.toml", "infrastructure/images")


@contextmanager
def checkout(reference: str, repository: Path = ROOT) -> Iterator[Path]:
    """The GitOps folders of a commit, in a folder of their own, as Git checks them out; so does Argo CD.

    An archive would not do: what it lacks or says otherwise is up to attributes that the commit brings itself. Links in
    it may lead anywhere: where they do, is a finding of the gate's.

    Args:
        reference: Branch, tag or commit.
        repository: Where the commit is.

    Raises:
        Inconclusive: Git does not have it, it has none of the folders, or what is in one of them is elsewhere.
    """
    commit = commit_of(reference, repository)
    listed = _git(repository, reference, "ls-tree", "-r", "-z", commit, *GITOPS_FOLDERS).split("\0")[:-1]
    if not listed:
        raise Inconclusive(
            f"{reference} should hold {' or '.join(GITOPS_FOLDERS)}, but holds none. Next: another --base"
        )
    modes = {path: entry.partition(" ")[0] for entry, _, path in (line.partition("\t") for line in listed)}
    with TemporaryDirectory(prefix="neuroscale-base-") as name:
        tree = Path(name) / "base"
        tree.mkdir()
        here = {"GIT_INDEX_FILE": str(Path(name) / "index"), "GIT_WORK_TREE": str(tree)}
        _git(repository, reference, "read-tree", commit, **here)
        _git(repository, reference, "checkout-index", "-z", "--stdin", stdin="\0".join(modes), **here)
        if submodule := next((path for path, mode in modes.items() if mode == _SUBMODULE), None):
            raise Inconclusive(
                f"{reference} should hold all that is in it, but {submodule} is a submodule. Next: another --base"
            )
        yield tree


def commit_of(reference: str, repository: Path = ROOT) -> str:
    """The commit that a reference names.

    Raises:
        Inconclusive: Git does not have it.
    """
    return _git(repository, reference, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").strip()


def merge_base(reference: str, head: str, repository: Path = ROOT) -> str:
    """The commit where a change left what it is proposed for: what came there since is not the change's.

    Args:
        reference: What it is proposed for.
        head: Its last commit.
        repository: Where both are.

    Raises:
        Inconclusive: Git does not have them, or they have nothing in common.
    """
    ends = [commit_of(one, repository) for one in (reference, head)]
    return _git(repository, f"a commit from which both {reference} and {head} come", "merge-base", *ends).strip()


def is_edited(repository: Path = ROOT) -> bool:
    """Whether the working tree has other manifests than its last commit.

    Raises:
        Inconclusive: Git does not answer.
    """
    return bool(_git(repository, "HEAD", "status", "--porcelain", "--", *GITOPS_FOLDERS).strip())


def supplied_differently(reference: str, repository: Path = ROOT, head: str | None = None) -> bool:
    """Whether that commit pins other upstream manifests than another one; than the working tree if none is given.

    Raises:
        Inconclusive: Git does not have it.
    """
    ends = [reference, *([head] if head else [])]
    return bool(_git(repository, reference, "diff", "--name-only", *ends, "--", *_SUPPLIED).strip())


def _git(repository: Path, reference: str, *arguments: str, stdin: str = "", **more: str) -> str:
    """What git prints, with more variables in its environment."""
    command = ["git", "-C", str(repository), *arguments]
    try:
        return output(command, within=_WITHIN, env={**os.environ, **more}, stdin=stdin)
    except ProgramFailed as error:
        if error.code is None:
            raise Inconclusive(f"git should answer, but {error}. Next: git status") from error
        raise Inconclusive(
            f"git should have {reference}, to compare with, but {arguments[0]} fails: {error}. "
            f"Next: git fetch origin, and a clone that is not shallow"
        ) from error
