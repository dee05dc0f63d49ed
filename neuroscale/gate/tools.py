"""The programs and upstream manifests that the gate needs, from the supply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroscale.components import COMPONENTS
from neuroscale.gate.helm import template
from neuroscale.kubernetes.refs import Object
from neuroscale.supply.builder import Builder
from neuroscale.supply.source import GATE_TOOLS, manifests

_CLI, _HELM = GATE_TOOLS


def provide_helm() -> Path:
    """Helm, built if it is missing.

    Raises:
        SupplyError: It cannot be had.
    """
    return Builder().provide([_HELM])[_HELM].path / _HELM


@dataclass(frozen=True)
class Tools:
    """What the gate works with.

    Attributes:
        kyverno: The Kyverno CLI.
        manifests: Component -> folder with its upstream manifests.
        helm: Provides Helm; building it takes minutes, and only a tree with a chart needs it.
    """

    kyverno: Path
    manifests: Mapping[str, Path]
    helm: Callable[[], Path] = provide_helm

    def chart(self, folder: Path, values: Sequence[Path] = ()) -> list[Object]:
        """The objects of a Helm chart.

        Args:
            folder: With the chart's own values.
            values: Files with further ones, the last of which decides.

        Raises:
            SupplyError: It does not render, or Helm cannot be had.
        """
        return template(self.helm(), folder, values)


def provide(*, charts: bool = False) -> Tools:
    """Build what is missing; some minutes the first time, and nothing afterwards.

    Args:
        charts: Build Helm as well, before somebody asks for it.

    Raises:
        SupplyError: A part cannot be had.
        HostError: The disk does not suffice.
        Locked: Another process is building.
    """
    demands = [component.demand for component in COMPONENTS]
    wanted = [part for demand in demands for part in demand.manifests.values()]
    parts = Builder().provide([*wanted, _CLI, *([_HELM] if charts else [])])
    return Tools(parts[_CLI].path / _CLI, manifests(parts, demands))
