"""Names, places and time budgets. The names are those of the reference platform, so that its tools fit ours."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from neuroscale.errors import HostError, UsageError

#: What every checkout has.
_LANDMARK = Path("bootstrap", "root-app.yaml")


def _checkout() -> Path:
    """The checkout that this code is in, else the one around the current directory, else the current directory."""
    here = Path.cwd()
    candidates = (Path(__file__).resolve().parent.parent, here, *here.parents)
    return next((folder for folder in candidates if (folder / _LANDMARK).is_file()), here)


ROOT = _checkout()
#: Where the command was typed: what relative paths in our variables are relative to.
_HERE = Path.cwd()
CLUSTER_NAME = os.environ.get("NEUROSCALE_CLUSTER") or "neuroscale"
#: What the nodes and networks of a cluster are called, each with its figures in :mod:`neuroscale.cluster.shapes`.
ShapeName = Literal["one-node", "three-nodes"]
#: The shape of a cluster that nobody asked to have another one.
ONE_NODE: ShapeName = "one-node"
#: A label as RFC 1123 has it, and short enough for what k3d makes of it.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")

ARGOCD = "argocd"
APPS_NAMESPACE = "default"
GIT_SERVER = "forge"
ROOT_APPLICATION = "neuroscale-infrastructure"
APPLICATION_SET = "neuroscale-model-endpoints"
#: The branch ``main`` of the Git server's repository: these folders of the checkout. Argo CD reconciles them, but for
#: those that the portal reads.
GITOPS_FOLDERS = ("apps", "backstage/catalog", "backstage/templates", "bootstrap", "infrastructure")
#: The name of the status that the protection of ``main`` asks for.
GATE_STATUS = "neuroscale/gate"
#: Who speak for the gate. Gitea lets everybody who may push set any status, but counts no approval except the first's.
GATE_REPORTER, GATE_WATCHER = "gate", "gate-watch"
#: Who opens pull requests at the Git server for the portal; also in the portal's values.
PORTAL_USER = "portal"
MARKER_NAMESPACE, MARKER_NAME = "kube-system", "neuroscale-marker"


def assert_checkout() -> None:
    """Refuse to go on where there are no manifests to work with.

    Raises:
        HostError: The command runs outside of a checkout, as an installed package may.
    """
    if not (ROOT / _LANDMARK).is_file():
        raise HostError(
            f"The command should run in a checkout of the NeuroScale repository, but {ROOT} is in none. "
            "Next: the same command in a checkout"
        )


def cache_dir() -> Path:
    """Where builds are kept. Safe to delete; the next run recreates it."""
    return _folder("CACHE")


def state_dir(cluster: str = CLUSTER_NAME) -> Path:
    """Where the nonce, the kubeconfig and the journal of one cluster live.

    Raises:
        UsageError: The name is none for a cluster; as a path it could lead anywhere.
    """
    if not _NAME.fullmatch(cluster):
        raise UsageError(
            f"The cluster's name should be at most 32 lower-case letters, digits and hyphens, hyphens at neither "
            f"end, but is {cluster!r}. Next: NEUROSCALE_CLUSTER=neuroscale, or another name"
        )
    return _folder("STATE") / cluster


def reports_dir() -> Path:
    """Where runs leave their reports."""
    return _folder("REPORTS")


#: What the variable behind ``NEUROSCALE_`` is called -> the folder where it is not set.
_DEFAULTS: Mapping[str, Callable[[], Path]] = {
    "CACHE": lambda: platformdirs.user_cache_path("neuroscale"),
    "STATE": lambda: platformdirs.user_state_path("neuroscale"),
    "REPORTS": lambda: ROOT / "reports",
}


def places() -> dict[str, str]:
    """The variables of our folders for a process that is started in another folder than this one was.

    Raises:
        HostError: One of them is in a home that is not there.
    """
    return {f"NEUROSCALE_{name}": str(_folder(name)) for name in _DEFAULTS}


def _folder(name: str) -> Path:
    """Absolute, so that programs that are started elsewhere find the same one.

    Raises:
        HostError: It is in a home that is not there.
    """
    said = os.environ.get(f"NEUROSCALE_{name}")
    try:
        return _HERE / (Path(said).expanduser() if said else _DEFAULTS[name]())
    except RuntimeError as error:
        raise HostError(
            f"{said or 'This user'} should have a home, but: {str(error).rstrip('.')}. "
            f"Next: NEUROSCALE_{name}=/a/folder"
        ) from error


@dataclass(frozen=True)
class Budgets:
    """How long each kind of operation may take, in seconds."""

    provision: float = 120
    #: Argo CD's ApplicationSet controller looks again only 3 min after an error, such as a repo-server not yet up.
    settle: float = 240
    #: How long a platform that was well may take until it is so again, before it is called sick.
    recover: float = 150
    heal: float = 60
    pick_up: float = 90
    roll_back: float = 90
    stable: float = 5
    request: float = 10
    check: float = 5


BUDGETS = Budgets()
