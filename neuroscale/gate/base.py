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
    """The GitOps folders of a commit, in a folder of their own; links in it may lead anywhere.

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
        except (tarfile.TarError, OSError) as error:  # a path that leads out of it, for one
            raise Inconclusive(f"{reference} should unpack, but: {error}. Next: another --base") from error
        yield tree


def _unpack(archive: Path, into: Path) -> None:
    """Unpack what Git packed. Links come last, so that nothing is unpacked through one; where they lead is not said.

    Raises:
        tarfile.TarError: A path in it leads out of it.
    """
    into.mkdir()
    with tarfile.open(archive) as files:
        # Python before 3.11.4, as Debian 12 has it, knows no filters.
        if hasattr(tarfile, "data_filter"):
            files.extraction_filter = tarfile.data_filter
        members = files.getmembers()
        files.extractall(into, [one for one in members if not one.issym()])  # noqa: S202 - Git packs no other links
    for link in filter(tarfile.TarInfo.issym, members):
        place = into / link.name
        if not place.parent.resolve().is_relative_to(into.resolve()) or place.is_symlink():
            raise tarfile.TarError(f"{link.name} leads out of it")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(link.linkname)


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
