"""What the source supply hands over."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroscale.components import demands
from neuroscale.errors import SupplyError
from neuroscale.host.engine import Engine
from neuroscale.milestones import MILESTONES
from neuroscale.supply import Demand
from neuroscale.supply.artifacts import Catalogue
from neuroscale.supply.builder import Builder
from neuroscale.supply.pins import pins
from neuroscale.supply.source import SourceSupply, targets
from neuroscale.supply.store import Stored

_NODE = {"node": "docker.io/neuroscale/node:abc", "pause": "docker.io/neuroscale/pause:abc"}


class FakeBuilder(Builder):
    """Has all parts."""

    def provide(self, targets: object) -> dict[str, Stored]:
        facts = {"node": {"references": _NODE, "versions": {}}, "k3s": {"versions": {"k3s": "v1.31.1+k3s1"}}}
        names = [*targets, "k3s"]  # type: ignore[misc]
        return {name: Stored(Path("/store") / name, facts.get(name, {}), 1) for name in names}


class FakeEngine(Engine):
    """Has some images, and remembers what was loaded."""

    def has_image(self, reference: str) -> bool:
        return reference in present

    def load(self, archive: Path) -> None:
        loaded.append(archive)

    def answers(self) -> bool:
        return bool(present)

    def images(self, repository: str) -> list[str]:
        return sorted(reference for reference in present if reference.startswith(repository))

    def remove_image(self, reference: str) -> bool:
        # Docker keeps what a container uses.
        in_use = "in-use" in reference
        if not in_use:
            present.remove(reference)
        return not in_use


present: set[str] = set()
loaded: list[Path] = []


@pytest.fixture
def supply(tmp_path: Path) -> SourceSupply:
    present.clear()
    loaded.clear()
    return SourceSupply("asked for", FakeBuilder(tmp_path), FakeEngine())


def test_the_node_image_is_loaded_unless_the_engine_has_it(supply: SourceSupply) -> None:
    supply.provide(demands(["a"]))
    assert loaded == [Path("/store/node/images.tar")]
    present.update(_NODE.values())
    supply.provide(demands(["a"]))
    assert len(loaded) == 1


def test_everything_a_cluster_needs_is_handed_over(supply: SourceSupply) -> None:
    provisions = supply.provide(demands(["a"]))
    assert provisions.supply == "source"
    assert provisions.node_image == _NODE["node"]
    assert provisions.k3d_env == {"K3D_IMAGE_TOOLS": _NODE["pause"]}
    assert provisions.image_tarballs == (Path("/store/images-a/images.tar"),)
    assert provisions.images == pins().images
    assert provisions.manifests == {"argocd": Path("/store/argocd-files/manifests")}
    assert provisions.versions == {"k3s": "v1.31.1+k3s1"}
    assert "--kubelet-arg=image-gc-high-threshold=100" in provisions.node_args
    assert ("--flannel-backend=none" in provisions.node_args, provisions.flannel) == (True, False)


def test_a_later_milestone_adds_its_images_and_manifests(supply: SourceSupply) -> None:
    provisions = supply.provide(demands(["a", "b"]))
    assert provisions.image_tarballs == tuple(Path(f"/store/images-{name}/images.tar") for name in ("a", "b", "own"))
    assert provisions.manifests == {
        "argocd": Path("/store/argocd-files/manifests"),
        "serving-stack": Path("/store/serving-stack-files/manifests"),
    }
    guarded = supply.provide(demands(["a", "d"]))
    assert guarded.image_tarballs == tuple(Path(f"/store/images-{name}/images.tar") for name in ("a", "d"))
    assert guarded.manifests["kyverno"] == Path("/store/kyverno-files/manifests")


def test_pruning_leaves_images_that_are_current_or_in_use(supply: SourceSupply) -> None:
    current = f"neuroscale/node:{Catalogue(targets(demands('a')), pins()).recipe['node']}"
    present.update({current, "neuroscale/node:in-use", "neuroscale/node:old", "neuroscale/pause:old"})
    removed, _ = supply.prune(demands(MILESTONES))
    assert removed == ["neuroscale/node:old", "neuroscale/pause:old"]
    assert present == {current, "neuroscale/node:in-use"}


def test_pruning_does_without_an_engine(supply: SourceSupply) -> None:
    assert supply.prune(demands(MILESTONES)) == ([], 0)


def test_milestones_that_add_nothing_of_their_own_stand_on_a(supply: SourceSupply) -> None:
    assert supply.provide(demands([])).image_tarballs == supply.provide(demands(["a"])).image_tarballs


def test_an_image_that_only_a_registry_has_is_not_offered(supply: SourceSupply) -> None:
    with pytest.raises(SupplyError, match=r"portal has none: only a registry has it\. Next: --supply registry"):
        supply.provide([*demands("a"), Demand(pulled=("portal",))])
