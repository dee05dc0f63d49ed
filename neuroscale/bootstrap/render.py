"""The tree that the Git server's repository shall hold."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.components import COMPONENTS, selected
from neuroscale.settings import GITOPS_FOLDERS, ROOT


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
            source = (root or ROOT) / folder
            if source.is_dir():
                # Build recipes are not for Argo CD.
                shutil.copytree(source, tree / folder, ignore=shutil.ignore_patterns("images", "upstream"))
        wanted = selected(milestones)
        for path in (path for component in COMPONENTS if component not in wanted for path in component.folders):
            _remove(tree / path)
        for component, source in manifests.items():
            for parent in ("bootstrap", "infrastructure"):
                if (tree / parent / component).is_dir():
                    shutil.copytree(source, tree / parent / component / "upstream")
        yield tree


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
