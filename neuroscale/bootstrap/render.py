"""The tree that the Git server's repository shall hold."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.components import COMPONENTS, selected
from neuroscale.settings import GITOPS_FOLDERS, ROOT

#: What has a folder for each component.
_PARENTS = ("bootstrap", "infrastructure")


@contextmanager
def gitops_tree(manifests: Mapping[str, Path], milestones: Collection[str], root: Path | None = None) -> Iterator[Path]:
    """The tree for the Git server: a checkout's GitOps folders, plus the upstream manifests where they belong.

    Args:
        manifests: Component -> folder with its upstream manifests, from the supply. A component's manifests go into
            ``upstream/`` of its folder below ``bootstrap/`` or ``infrastructure/``.
        milestones: Letters of those that the cluster is for; what belongs to others is left out.
        root: The checkout; this one, if not said otherwise.
    """
    with TemporaryDirectory(prefix="neuroscale-tree-") as name:
        tree = Path(name)
        for folder in GITOPS_FOLDERS:
            if ((root or ROOT) / folder).is_dir():
                copy_folder(root or ROOT, folder, tree)
        wanted = selected(milestones)
        for path in (path for component in COMPONENTS if component not in wanted for path in component.folders):
            _remove(tree / path)
        for component, source in manifests.items():
            for parent in _PARENTS:
                if (tree / parent / component).is_dir():
                    shutil.copytree(source, tree / parent / component / "upstream")
        yield tree


def copy_folder(root: Path, folder: str, into: Path) -> None:
    """Copy one of the GitOps folders of a checkout as Git has it, without what is not for Argo CD.

    Those are the build recipes, and upstream manifests that somebody has put into a component's folder. An app may be
    called as they are.

    Args:
        root: The checkout.
        folder: Its name.
        into: Where the copy goes.
    """
    left_out = {root / "infrastructure" / "images"}
    left_out |= {root / parent / path.name / "upstream" for parent in _PARENTS for path in (root / parent).glob("*")}

    def ignored(parent: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(parent) / name in left_out}

    shutil.copytree(root / folder, into / folder, symlinks=True, ignore=ignored)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
