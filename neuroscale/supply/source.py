"""The supply that needs no image registry: everything is built from Go modules and Debian packages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neuroscale.errors import SupplyError
from neuroscale.host.engine import Engine
from neuroscale.supply.artifacts import NODE_IMAGES, Catalogue
from neuroscale.supply.builder import Builder, all_versions
from neuroscale.supply.contract import Demand, Plan, Provisions
from neuroscale.supply.pins import pins
from neuroscale.supply.store import Stored

#: What every cluster of this supply is made with and of.
_NODE = ("k3d", "node")
#: Programs of the CI gate, which no cluster needs.
GATE_TOOLS = ("gate-engine", "helm", "kustomize", "kyverno-cli")
#: Programs that judge the production profile beside it.
CHECKERS = ("kube-score",)

#: Images that are nowhere to be pulled from again must never be collected. The kubelet would do so on any disk that
#: looks 85 % full to it, and evict pods besides.
KEEP_IMAGES = (
    "--kubelet-arg=image-gc-high-threshold=100",
    "--kubelet-arg=image-gc-low-threshold=99",
    "--kubelet-arg=eviction-hard=memory.available<100Mi,nodefs.available<1Gi,imagefs.available<1Gi",
)
_LEAN = (
    "--disable=traefik,metrics-server,local-storage",
    "--kube-proxy-arg=conntrack-max-per-core=0",
    # A quota on a kind that did not exist when the quota was made refuses all of its objects until the next full count,
    # which Kubernetes leaves to every five minutes: the models of a new platform, that is.
    "--kube-controller-manager-arg=resource-quota-sync-period=5s",
)
#: Where k3s keeps it anyway, with its own settings and one more: SQLite waits for the disk at its checkpoints, not at
#: each write. What a process that is killed has written is kept; power that fails may cost the last seconds.
#: *Measured* beside other programs that write: an update of a lease took 2.2 s, and controllers gave up theirs.
_DATABASE = (
    "--datastore-endpoint=sqlite:///var/lib/rancher/k3s/server/db/state.db"
    "?_journal=WAL&cache=shared&_busy_timeout=30000&_txlock=immediate&_synchronous=NORMAL"
)
#: For a node of the registry: flannel is in it.
UPSTREAM_NODE_ARGS = (*_LEAN, *KEEP_IMAGES, _DATABASE)
#: For a node built here: a bridge instead of flannel, whose plugin no module proxy serves.
NODE_ARGS = ("--flannel-backend=none", "--disable-network-policy", *UPSTREAM_NODE_ARGS)


@dataclass
class SourceSupply:
    """Builds what the milestones need and keeps it in the user's cache folder.

    Attributes:
        reason: Why this supply.
        builder: Where it is built and kept.
        engine: Where the node image is loaded.
    """

    reason: str
    builder: Builder = field(default_factory=Builder)
    engine: Engine = field(default_factory=Engine)
    name: str = "source"

    def plan(self, demands: Collection[Demand]) -> Plan:
        """What is there and what is to be done. Needs no Docker and changes nothing."""
        return self.builder.plan(self.name, self.reason, targets(demands))

    def build(self, demands: Collection[Demand]) -> None:
        """Make what is missing, without Docker.

        Raises:
            SupplyError: A build failed, or an image is wanted that only a registry has.
            HostError: The disk is too small, or a build tool is missing.
            Locked: Another process is building.
        """
        self.builder.provide(targets(demands))

    def provide(self, demands: Collection[Demand]) -> Provisions:
        """Build what is missing, load the node image into the engine, and hand over everything.

        Raises:
            SupplyError: A build failed, or an image is wanted that only a registry has.
            HostError: The disk is too small, a build tool is missing, or the engine does not take the node image.
            Locked: Another process is building.
        """
        parts = self.builder.provide(targets(demands))
        node = parts["node"].facts["references"]
        if not all(self.engine.has_image(reference) for reference in node.values()):
            self.engine.load(parts["node"].path / "images.tar")
        return Provisions(
            supply=self.name,
            binaries={"k3d": parts["k3d"].path / "k3d"},
            node_image=node["node"],
            node_args=NODE_ARGS,
            k3d_args=("--no-lb",),
            # k3d's own helper image does nothing here but sleep, and so does pause.
            k3d_env={"K3D_IMAGE_TOOLS": node["pause"]},
            image_tarballs=tarballs(parts, demands),
            images=dict(pins().images),
            manifests=manifests(parts, demands),
            versions=all_versions(parts),
            flannel=False,
        )

    def prune(self, demands: Collection[Demand]) -> tuple[list[str], int]:
        """Remove what outdated recipes left, in the cache and, if it answers, in the engine.

        Args:
            demands: Of every component; what none of them asks for goes.

        Returns:
            What was removed, and the bytes that the part of it in the cache took.

        Raises:
            Locked: Another process is building.
        """
        wanted = [*_built(demands), *GATE_TOOLS, *CHECKERS]
        removed, size = self.builder.prune(wanted)
        outdated = self._outdated_images(Catalogue(wanted, pins()).recipe["node"]) if self.engine.answers() else []
        return [*map(str, removed), *filter(self.engine.remove_image, outdated)], size

    def _outdated_images(self, recipe: str) -> list[str]:
        names = [f"neuroscale/{image}" for image in NODE_IMAGES]
        return [reference for name in names for reference in self.engine.images(name) if not reference.endswith(recipe)]


def targets(demands: Collection[Demand]) -> list[str]:
    """The parts that make all that is asked for.

    Raises:
        SupplyError: An image is wanted that no recipe makes.
    """
    if pulled := [image for demand in demands for image in demand.pulled]:
        raise SupplyError(
            f"Every image should have a recipe to be built from source, but {', '.join(pulled)} has none: "
            "only a registry has it. Next: --supply registry"
        )
    return _built(demands)


def _built(demands: Collection[Demand]) -> list[str]:
    parts = (part for demand in demands for part in (*demand.archives, *demand.not_in_registries))
    return list(dict.fromkeys([*_NODE, *parts]))


def tarballs(parts: Mapping[str, Stored], demands: Collection[Demand]) -> tuple[Path, ...]:
    """The archives to be imported by the node, as far as they were built."""
    archives = [part for demand in demands for part in (*demand.archives, *demand.own_archives)]
    return tuple(parts[part].path / "images.tar" for part in dict.fromkeys(archives) if part in parts)


def manifests(parts: Mapping[str, Stored], demands: Collection[Demand]) -> dict[str, Path]:
    """Folder of the repository -> the folder that holds its upstream manifests."""
    return {folder: parts[part].path / "manifests" for demand in demands for folder, part in demand.manifests.items()}
