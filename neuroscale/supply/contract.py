"""What a supply promises: the plan beforehand, the provisions afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from neuroscale.settings import ONE_NODE, ShapeName

Condition = Literal["present", "damaged", "outdated", "missing"]


@dataclass(frozen=True)
class Demand:
    """What a component asks of a supply.

    Attributes:
        archives: Parts that hold images which registries have too; built only where no registry is used.
        own_archives: Parts that hold images of our own, which no registry has.
        pulled: Names of pinned images that no recipe makes: only a registry has them.
        manifests: Folder below ``bootstrap/`` or ``infrastructure/`` -> the part with the upstream manifests for it.
    """

    archives: tuple[str, ...] = ()
    own_archives: tuple[str, ...] = ()
    pulled: tuple[str, ...] = ()
    manifests: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_in_registries(self) -> tuple[str, ...]:
        """The parts that every supply has to make."""
        return (*self.own_archives, *self.manifests.values())


@dataclass(frozen=True)
class Provisions:
    """All that a cluster needs to start, and the platform to be installed on it.

    Attributes:
        supply: ``registry`` or ``source``.
        binaries: Programs by name: ``k3d``.
        node_image: Reference of the k3s node image, known to the local Docker engine.
        node_args: Arguments for the k3s server that this node image needs.
        k3d_args: Further arguments for ``k3d cluster create``.
        k3d_env: Environment for k3d.
        image_tarballs: To be mounted read-only at ``/var/lib/rancher/k3s/agent/images``; empty with a registry.
        images: Logical name to the reference used in manifests.
        manifests: Component to the folder that holds its upstream manifests.
        versions: Component to the version really provided.
        shape: Of the cluster's nodes and networks, by its name.
        flannel: Whether the node image has it: what connects the pods of different nodes.
    """

    supply: str
    binaries: Mapping[str, Path]
    node_image: str
    node_args: tuple[str, ...]
    k3d_args: tuple[str, ...]
    k3d_env: Mapping[str, str]
    image_tarballs: tuple[Path, ...]
    images: Mapping[str, str]
    manifests: Mapping[str, Path]
    versions: Mapping[str, str]
    shape: ShapeName = ONE_NODE
    flannel: bool = True


@dataclass(frozen=True)
class PlannedPart:
    """One part and what providing it would cost.

    Attributes:
        seconds: Expected build time; 0 when present.
        size: Bytes on disk; 0 when not known before the first build.
    """

    name: str
    condition: Condition
    seconds: float
    size: int
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """What ``provide`` would do now.

    Attributes:
        name: Of the supply.
        reason: Why this supply.
        parts: All that is needed, in the order of building.
        seconds: Expected time until all is built.
        needed: Bytes of free disk that the build takes at its peak.
        free: Bytes free where the cache is.
    """

    name: str
    reason: str
    parts: tuple[PlannedPart, ...]
    seconds: float
    needed: int
    free: int

    @property
    def to_do(self) -> tuple[PlannedPart, ...]:
        """The parts that are not there yet."""
        return tuple(part for part in self.parts if part.condition != "present")


class Supply(Protocol):
    """Where images, binaries and upstream manifests come from."""

    @property
    def name(self) -> str:
        """``registry`` or ``source``."""
        ...

    @property
    def reason(self) -> str:
        """One line: why this supply."""
        ...

    def plan(self, demands: Collection[Demand]) -> Plan:
        """What is there and what is to be done. Needs no Docker and changes nothing."""
        ...

    def build(self, demands: Collection[Demand]) -> None:
        """Make what is missing, without Docker.

        Raises:
            SupplyError: A part cannot be had.
            HostError: The disk does not suffice, or a build tool is missing.
            Locked: Another process is building.
        """
        ...

    def provide(self, demands: Collection[Demand]) -> Provisions:
        """Make what is missing and hand over everything.

        Raises:
            SupplyError: A part cannot be had.
            HostError: Docker or the disk does not suffice.
            Locked: Another process is building.
        """
        ...
