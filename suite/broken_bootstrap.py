"""``python -m suite.broken_bootstrap HOW TRACE PATTERN COUNT ARGUMENT…``: the command line, broken on purpose.

A function that is exchanged in the process of the scenario does not reach the bootstrap that this starts. Mutants name
this module in place of :mod:`neuroscale.bootstrap_scenarios.observed`; it breaks the library in its own process, and
then is that module.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from neuroscale.bootstrap_scenarios import observed
from neuroscale.cluster import apply, k3d
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import ClusterState, load_state
from neuroscale.components import COMPONENTS, Stage
from neuroscale.host.engine import Engine
from neuroscale.host.programs import run
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.settings import ARGOCD, MARKER_NAMESPACE

_ANYWHERE = "registry-1.docker.io"
#: Of a block that is for documentation; nobody answers there.
_OUTSIDE = ("192.0.2.1", 443)
_OF_KUBERNETES = ("kube-", "default")
_LAST_STAGE, _FIRST_PROJECT = "GitOps", Ref("AppProject", "neuroscale-platform", ARGOCD)
#: Whatever is exchanged takes what the original takes.
_Function = Callable[..., Any]


def _up() -> dict[str, Any]:
    """Names of the module; by its path, as the package has a function of the module's name."""
    return vars(import_module("neuroscale.bootstrap.up"))


def _before(names: dict[str, Any], name: str, deed: Callable[[], object]) -> None:
    """Do something whenever a function is called, before it is."""
    original: _Function = names[name]

    def called(*arguments: Any, **more: Any) -> Any:
        deed()
        return original(*arguments, **more)

    names[name] = called


# --- the second run


def write_always() -> None:
    """Apply namespaces also where nothing would come of it."""
    asking: _Function = apply._apply  # noqa: SLF001 - what is broken

    def applied(cluster: Cluster, obj: Object) -> None:
        if obj["kind"] == "Namespace":
            cluster.apply(obj)
        else:
            asking(cluster, obj)

    vars(apply)["_apply"] = applied


def look_up() -> None:
    """Let a program look up a registry, whatever comes of it."""
    _before(_up(), "choose", partial(run, ["getent", "hosts", _ANYWHERE], within=10))


def reach_out() -> None:
    """Ask an address outside this machine, whatever comes of it."""

    def ask() -> None:
        with suppress(OSError), socket.create_connection(_OUTSIDE, 0.2):
            pass

    _before(_up(), "choose", ask)


# --- the run after a death


def keep_drafts() -> None:
    """Leave drafts of writers that were killed where they are."""

    def left(folder: Path) -> None:
        del folder

    _up()["discard_drafts"] = left


def trust_half_a_cluster() -> None:
    """Take a cluster whose creation was cut short for a whole one."""

    def whole(name: str) -> ClusterState | None:
        state = load_state(name)
        return state.model_copy(update={"complete": True}) if state is not None else None

    vars(k3d)["load_state"] = whole


def trust_half_a_stage() -> None:
    """Take the stage that ends with the root Application for done where its first project is there."""
    names = _up()
    original: _Function = names["_apply"]

    def applied(stage: Stage, platform: Platform, tree: Path) -> None:
        if stage.name != _LAST_STAGE or platform.cluster.get(_FIRST_PROJECT) is None:
            original(stage, platform, tree)

    names["_apply"] = applied


# --- what is somebody else's


def _remove_by_name(kind: str) -> None:
    """When a cluster is removed, remove also what has a name that begins like those of its own."""
    original: _Function = vars(k3d)["_remove"]

    def removed(name: str) -> None:
        original(name)
        engine = Engine()
        listing = ("ps", "--all") if kind == "container" else (kind, "ls")
        for found in engine.call(*listing, "--quiet", "--filter", f"name=k3d-{name}").split():
            engine.call(kind, "rm", found)

    vars(k3d)["_remove"] = removed


def prune_namespaces() -> None:
    """Delete the namespaces that the platform does not know."""
    names = _up()
    original: _Function = names["_bring_up"]

    def brought_up(platform: Platform, *arguments: Any, **more: Any) -> Any:
        for namespace in unknown(platform.cluster.list("Namespace")):
            platform.cluster.delete(Ref("Namespace", namespace))
        return original(platform, *arguments, **more)

    names["_bring_up"] = brought_up


def unknown(namespaces: Sequence[Object]) -> list[str]:
    """Names of those that are neither a component's, nor Kubernetes' own, nor the suite's."""
    known = {MARKER_NAMESPACE, *(namespace for component in COMPONENTS for namespace in component.namespaces)}
    names = [str(namespace["metadata"]["name"]) for namespace in namespaces]
    return [name for name in names if name not in known and not name.startswith(_OF_KUBERNETES)]


def switch_context() -> None:
    """Make the cluster the current context of whoever has a kubeconfig of his own."""

    def switch() -> None:
        # Of the scenario's, and of nobody else's: without the variable it would be the one of this user.
        file = Path(os.environ["KUBECONFIG"])
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**config, "current-context": "k3d"}), encoding="utf-8")

    _before(_up(), "_cluster", switch)


#: How -> what it breaks.
HOW: Mapping[str, Callable[[], None]] = {
    "write-always": write_always,
    "look-up": look_up,
    "reach-out": reach_out,
    "keep-drafts": keep_drafts,
    "trust-half-a-cluster": trust_half_a_cluster,
    "trust-half-a-stage": trust_half_a_stage,
    **{f"remove-{kind}-by-name": partial(_remove_by_name, kind) for kind in ("container", "volume", "network")},
    "prune-namespaces": prune_namespaces,
    "switch-context": switch_context,
}


def main(arguments: Sequence[str]) -> None:
    """Break it, and run it."""
    how, *rest = arguments
    HOW[how]()
    observed.main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
