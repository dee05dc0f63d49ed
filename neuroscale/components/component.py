"""What a component of the platform declares. Every table of components is derived from these declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neuroscale.cluster.ports import Port
from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.supply.contract import Demand


def no_refresh(platform: Platform) -> Iterable[str]:  # noqa: ARG001 - as every refresh
    """Nothing has to be asked to look again."""
    return ()


@dataclass(frozen=True)
class Stage:
    """One step of the bootstrap.

    Attributes:
        apply: Does it, given the platform and the tree that goes to the Git server.
        ready: What must be met for the stage to be done.
        after: Stages that must be done before this one may begin; the others come up at the same time.
        before: Stages, also of other components, that begin later than this one when both are wanted.
        refresh: Helps along while that is waited for, every few seconds; says what it did.
    """

    name: str
    apply: Callable[[Platform, Path], None]
    ready: Callable[[Platform], Iterable[Probe]]
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    refresh: Callable[[Platform], Iterable[str]] = no_refresh


@dataclass(frozen=True)
class Evidence:
    """What to write down when a scenario fails that needs the component, besides its namespaces' events.

    Attributes:
        kinds: (API version, kind) of objects whose conditions tell how the component sees things.
        logs: Workloads whose logs are kept even while they are ready; a pod that is not ready is always heard.
    """

    kinds: tuple[tuple[str, str], ...] = ()
    logs: tuple[Ref, ...] = ()


@dataclass(frozen=True)
class Component:
    """A part of the platform that comes and goes as a whole.

    Attributes:
        name: What people call it; also the tag of scenarios that need it and the area of its probes.
        milestone: Letter of the milestone that brings it.
        title: One line: what the milestone is about.
        namespaces: Its own; no tenant's workload may run there.
        workloads: What must run.
        applications: Names of its Argo CD Applications.
        folders: Files and folders of the repository that Argo CD shall not find without the component.
        demand: The images and upstream manifests that a supply must provide.
        ports: Ports on this machine that lead to it.
        steady_state: The probes that say that it is well, as Git describes it at this moment.
        stages: How it is brought up.
        evidence: What to write down when a scenario that needs it fails.
        tools: Debian packages that some of its scenarios need on this machine -> what they are, in words.
    """

    name: str
    milestone: str
    title: str
    steady_state: Callable[[Platform], Iterable[Probe]]
    namespaces: tuple[str, ...] = ()
    workloads: tuple[Ref, ...] = ()
    applications: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    demand: Demand = field(default_factory=Demand)
    ports: tuple[Port, ...] = ()
    stages: tuple[Stage, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)
    tools: Mapping[str, str] = field(default_factory=dict)
