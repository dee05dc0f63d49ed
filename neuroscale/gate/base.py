"""The tree as it was at another commit, from Git."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import Inconclusive, ProgramFailed
from neuroscale.host.programs import output
from neuroscale.settings import GITOPS_FOLDERS, ROOT

_WITHIN = 30
#: What decides which upstream manifests the supply puts into the tree.
_SUPPLIED = ("neuroscale/supply/pins.toml", "infrastructure/images")


@contextmanager
def checkout(reference: str, repository: Path = ROOT) -> Iterator[Path]:
    """The GitOps folders of a commit, in a folder of their own.

    Args:
        reference: Branch, tag or commit.
        repository: Where the commit is.

    Raises:
        Inconclusive: Git does not have it, or it has none of the folders.
    """
    commit = _git(repository, reference, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}").strip()
    if not (present := _git(repository, reference, "ls-tree", "--name-only", commit, *GITOPS_FOLDERS).splitlines()):
        raise Inconclusive(
            f"{reference} should hold {' or '.join(GITOPS_FOLDERS)}, but holds none. Next: another --base"
        )
    with TemporaryDirectory(prefix="neuroscale-base-") as name:
        archive, tree = Path(name) / "base.tar", Path(name) / "base"
        _git(repository, reference, "archive", "--format=tar", f"--output={archive}", commit, *present)
        try:
            _unpack(archive, tree)
        except tarfile.TarError as error:  # a link that leads out of it, for one
            raise Inconclusive(f"{reference} should unpack, but: {error}. Next: another --base") from error
        yield tree


def _unpack(archive: Path, into: Path) -> None:
    """Unpack what Git packed: no path in it leads out, but a link may.

    Raises:
        tarfile.TarError: One does.
    """
    with tarfile.open(archive) as files:
        for link in filter(tarfile.TarInfo.issym, files):
            if not (into / link.name).parent.joinpath(link.linkname).resolve().is_relative_to(into.resolve()):
                raise tarfile.TarError(f"{link.name} is a link that leads out of it, to {link.linkname}")
        # Python before 3.11.4, as Debian 12 has it, knows no filters.
        if hasattr(tarfile, "data_filter"):
            files.extraction_filter = tarfile.data_filter
        files.extractall(into)  # noqa: S202 - the links were looked at


def supplied_differently(reference: str, repository: Path = ROOT) -> bool:
    """Whether that commit pins other upstream manifests than the working tree.

    Raises:
        Inconclusive: Git does not have it.
    """
    return bool(_git(repository, reference, "diff", "--name-only", reference, "--", *_SUPPLIED).strip())


def _git(repository: Path, reference: str, *arguments: str) -> str:
    try:
        return output(["git", "-C", str(repository), *arguments], within=_WITHIN)
    except ProgramFailed as error:
        if error.code is None:
            raise Inconclusive(f"git should answer, but {error}. Next: git status") from error
        raise Inconclusive(
            f"git should have {reference}, to compare with, but {arguments[0]} fails: {error}. "
            f"Next: git fetch origin, and a clone that is not shallow"
        ) from error
