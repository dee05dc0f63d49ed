"""The supply that needs no image registry: everything is built from Go modules and Debian packages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neuroscale.host.engine import Engine
from neuroscale.supply.artifacts import NODE_IMAGES, Catalogue
from neuroscale.supply.builder import Workshop, all_versions
from neuroscale.supply.contract import Milestone, Plan, Provisions
from neuroscale.supply.pins import pins
from neuroscale.supply.store import Stored

#: What each milestone adds to the ones before it; A is the ground that every other stands on.
TARGETS: Mapping[Milestone, tuple[str, ...]] = {
    "a": ("k3d", "node", "images-a", "argocd-files"),
    "b": ("images-b", "images-own", "serving-stack-files"),
    "d": ("images-d", "kyverno-files"),
}

#: Programs of the CI gate, which no cluster needs.
GATE_TOOLS = ("kyverno-cli", "helm")

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
#: For a node of the registry: flannel is in it.
UPSTREAM_NODE_ARGS = (*_LEAN, *KEEP_IMAGES)
#: For a node built here: a bridge instead of flannel, whose plugin no module proxy serves.
NODE_ARGS = ("--flannel-backend=none", "--disable-network-policy", *UPSTREAM_NODE_ARGS)


@dataclass
class SourceSupply:
    """Builds what the milestones need and keeps it in the user's cache folder.

    Attributes:
        reason: Why this supply.
        workshop: Where it is built and kept.
        engine: Where the node image is loaded.
    """

    reason: str
    workshop: Workshop = field(default_factory=Workshop)
    engine: Engine = field(default_factory=Engine)
    name: str = "source"

    def plan(self, milestones: Collection[Milestone]) -> Plan:
        """What is there and what is to be done. Needs no Docker and changes nothing."""
        return self.workshop.plan(self.name, self.reason, targets(milestones))

    def build(self, milestones: Collection[Milestone]) -> None:
        """Make what is missing, without Docker.

        Raises:
            SupplyError: A build failed.
            HostError: The disk is too small, or a build tool is missing.
            Locked: Another process is building.
        """
        self.workshop.provide(targets(milestones))

    def provide(self, milestones: Collection[Milestone]) -> Provisions:
        """Build what is missing, load the node image into the engine, and hand over everything.

        Raises:
            SupplyError: A build failed.
            HostError: The disk is too small, a build tool is missing, or the engine does not take the node image.
            Locked: Another process is building.
        """
        parts = self.workshop.provide(targets(milestones))
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
            image_tarballs=tarballs(parts),
            images=dict(pins().images),
            manifests=manifests(parts),
            versions=all_versions(parts),
        )

    def prune(self) -> tuple[list[str], int]:
        """Remove what outdated recipes left, in the cache and, if it answers, in the engine.

        Returns:
            What was removed, and the bytes that the part of it in the cache took.

        Raises:
            Locked: Another process is building.
        """
        wanted = [*targets(TARGETS), *GATE_TOOLS]
        removed, size = self.workshop.prune(wanted)
        outdated = self._outdated_images(Catalogue(wanted, pins()).recipe["node"]) if self.engine.answers() else []
        return [*map(str, removed), *filter(self.engine.remove_image, outdated)], size

    def _outdated_images(self, recipe: str) -> list[str]:
        names = [f"neuroscale/{image}" for image in NODE_IMAGES]
        return [reference for name in names for reference in self.engine.images(name) if not reference.endswith(recipe)]


def targets(milestones: Collection[Milestone], of: Mapping[Milestone, tuple[str, ...]] = TARGETS) -> list[str]:
    """The parts that milestones ask for, by this supply's table or another's."""
    return [part for name, parts in of.items() if name == "a" or name in milestones for part in parts]


def tarballs(parts: Mapping[str, Stored]) -> tuple[Path, ...]:
    """The archives to be imported by the node."""
    return tuple(part.path / "images.tar" for name, part in parts.items() if name.startswith("images-"))


def manifests(parts: Mapping[str, Stored]) -> dict[str, Path]:
    """Component to the folder that holds its upstream manifests."""
    return {
        name.removesuffix("-files"): part.path / "manifests"
        for name, part in parts.items()
        if name in {"argocd-files", "kyverno-files", "serving-stack-files"}
    }
