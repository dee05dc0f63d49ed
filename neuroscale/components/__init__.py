"""The components of the platform: one module for each, with a literal ``COMPONENT``; found, not listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping

from neuroscale.cluster.ports import Port
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.host import packages
from neuroscale.supply.contract import Demand

__all__ = [
    "COMPONENTS",
    "GROUND",
    "PLATFORM_NAMESPACES",
    "PORTS",
    "Component",
    "Evidence",
    "Stage",
    "demands",
    "endpoints",
    "install_tools",
    "selected",
]


def _discovered() -> tuple[Component, ...]:
    """Every module of this package that declares one, in the order of milestones."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    declared = (getattr(module, "COMPONENT", None) for module in modules)
    return tuple(sorted((one for one in declared if one is not None), key=lambda one: (one.milestone, one.name)))


COMPONENTS = _discovered()
#: What all others stand on: there is no platform without the first milestone.
GROUND = COMPONENTS[0].milestone
PORTS: tuple[Port, ...] = tuple(port for component in COMPONENTS for port in component.ports)
#: No tenant's: those of Kubernetes itself and of the components.
PLATFORM_NAMESPACES = frozenset({"kube-node-lease", "kube-public", "kube-system"}).union(
    *(component.namespaces for component in COMPONENTS)
)


def selected(milestones: Collection[str]) -> tuple[Component, ...]:
    """The components of some milestones, and of the one that all stand on."""
    return tuple(one for one in COMPONENTS if one.milestone == GROUND or one.milestone in milestones)


def demands(milestones: Collection[str]) -> tuple[Demand, ...]:
    """What these milestones' components ask of a supply."""
    return tuple(one.demand for one in selected(milestones))


def install_tools(milestones: Collection[str]) -> Iterator[str]:
    """Install what scenarios of these milestones need on this machine; a line for each thing done."""
    for component in selected(milestones):
        for package, purpose in component.tools.items():
            yield from packages.offer([package], purpose)


def endpoints(ports: Mapping[str, int]) -> dict[str, str]:
    """Title to URL of what answers on this machine; a cluster that is older than a port does not have it."""
    return {port.title: f"{port.scheme}://127.0.0.1:{ports[port.name]}" for port in PORTS if port.name in ports}
