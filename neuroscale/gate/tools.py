"""The programs and upstream manifests that the gate needs, from the supply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroscale.components import COMPONENTS
from neuroscale.gate.engine import Engine
from neuroscale.gate.helm import template
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import cache_dir
from neuroscale.supply.builder import Builder
from neuroscale.supply.source import GATE_TOOLS, manifests

_ENGINE, _HELM, _KUSTOMIZE, _CLI = GATE_TOOLS


def provide_kyverno() -> Path:
    """The Kyverno CLI, built if it is missing.

    Raises:
        SupplyError: It cannot be had.
    """
    return Builder().provide([_CLI])[_CLI].path / _CLI


@dataclass(frozen=True)
class Tools:
    """What the gate works with.

    Attributes:
        renderer: Makes objects of folders.
        judge: Evaluates policies; the same program.
        manifests: Component -> folder with its upstream manifests.
        helm: The program, for charts by themselves.
        kyverno: Provides the Kyverno CLI, which only checks of other people judge with; building it takes minutes.
    """

    renderer: Engine
    judge: Engine
    manifests: Mapping[str, Path]
    helm: Path
    kyverno: Callable[[], Path] = provide_kyverno

    def chart(self, folder: Path, values: Sequence[Path] = ()) -> list[Object]:
        """The objects of a Helm chart.

        Args:
            folder: With the chart's own values.
            values: Files with further ones, the last of which decides.

        Raises:
            SupplyError: It does not render.
        """
        return template(self.helm, folder, values)


def provide(*, everything: bool = False) -> Tools:
    """Build what is missing; some minutes the first time, and nothing afterwards.

    Args:
        everything: Build the Kyverno CLI as well, before somebody asks for it.

    Raises:
        SupplyError: A part cannot be had.
        HostError: The disk does not suffice.
        Locked: Another process is building.
    """
    demands = [component.demand for component in COMPONENTS]
    wanted = [part for demand in demands for part in demand.manifests.values()]
    own = [_ENGINE, _HELM, _KUSTOMIZE, *([_CLI] if everything else [])]
    parts = Builder().provide([*wanted, *own])
    engine = Engine(
        parts[_ENGINE].path / _ENGINE, (parts[_HELM].path, parts[_KUSTOMIZE].path), cache_dir() / "rendered" / "gate"
    )
    return Tools(engine, engine, manifests(parts, demands), parts[_HELM].path / _HELM)
