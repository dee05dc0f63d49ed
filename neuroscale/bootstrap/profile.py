"""What makes the production profile of the platform: the two changes that ``production/README.md`` tells of."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.settings import ROOT

#: What a base's component for production is called, and the folder with the Applications that add it.
PRODUCTION = "production"
APPLICATIONS = Path(PRODUCTION, "apps")
#: What is applied by hand and has such a component.
BY_HAND = Path("bootstrap", "argocd")
_ADDED: Mapping[str, list[Any]] = {
    "components": [PRODUCTION],
    "patches": [{"path": f"{PRODUCTION}/requests.yaml", "target": {"kind": "Deployment|StatefulSet"}}],
}


@contextmanager
def production_tree(
    manifests: Mapping[str, Path], milestones: Collection[str], root: Path | None = None
) -> Iterator[Path]:
    """The tree for production's Git server; as :func:`neuroscale.bootstrap.render.gitops_tree` otherwise."""
    with gitops_tree(manifests, milestones, root) as tree:
        promote(tree, (root or ROOT) / APPLICATIONS)
        yield tree


def promote(tree: Path, applications: Path) -> None:
    """Make production's tree of a copy of the trial's.

    Args:
        tree: The copy, which is changed.
        applications: Folder with production's Applications. Those whose milestone the tree is not for stay out.
    """
    for file in sorted(applications.glob("*.yaml")):
        place = tree / "infrastructure" / "apps" / file.name
        if place.exists():
            shutil.copyfile(file, place)
    # As "kustomize edit" does it.
    file = tree / BY_HAND / "kustomization.yaml"
    kustomization = yaml.safe_load(file.read_text(encoding="utf-8"))
    changed = {key: [*kustomization.get(key, []), *added] for key, added in _ADDED.items()}
    file.write_text(yaml.safe_dump({**kustomization, **changed}, sort_keys=False), encoding="utf-8")
