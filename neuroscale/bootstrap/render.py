"""Turning folders of the checkout into objects, and into the tree that the forge's repository shall hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from neuroscale.cluster.refs import Object
from neuroscale.errors import SupplyError
from neuroscale.settings import GITOPS_FOLDERS, ROOT

_RENDER_SECONDS = 60


def kubectl() -> str:
    """The kubectl that came with this Python environment, else the one on PATH.

    Raises:
        SupplyError: There is none.
    """
    beside = Path(sys.executable).parent / "kubectl"
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        raise SupplyError("kubectl should come with the Python environment, but is missing. Try: make install")
    return found


def kustomize(folder: Path) -> list[Object]:
    """Objects of a kustomization.

    Raises:
        SupplyError: It does not render.
    """
    done = subprocess.run(
        [kubectl(), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_RENDER_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise SupplyError(f"{folder} should render, but: {done.stderr.strip()}. Try: kubectl kustomize {folder}")
    return documents(done.stdout)


def documents(text: str) -> list[Object]:
    """The objects of a YAML stream."""
    # The C loader reads Argo CD's 1.5 MB manifest in a fifth of the time.
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]


@contextmanager
def gitops_tree(manifests: Mapping[str, Path]) -> Iterator[Path]:
    """The tree for the forge: this checkout's GitOps folders, plus the upstream manifests where they belong.

    Args:
        manifests: Component -> folder with its upstream manifests, from the supply. A component's manifests go into
            ``upstream/`` of its folder below ``bootstrap/`` or ``infrastructure/``.
    """
    with TemporaryDirectory(prefix="neuroscale-tree-") as name:
        tree = Path(name)
        for folder in GITOPS_FOLDERS:
            if (ROOT / folder).is_dir():
                # Build recipes are not for Argo CD.
                shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("images", "upstream"))
        for component, source in manifests.items():
            for parent in ("bootstrap", "infrastructure"):
                if (tree / parent / component).is_dir():
                    shutil.copytree(source, tree / parent / component / "upstream")
        yield tree
