"""What this machine remembers of the cluster it made: the nonce that makes writes lawful, and how to get there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from neuroscale.atomic_write import write_atomically
from neuroscale.errors import Locked, NeuroscaleError
from neuroscale.host.file_lock import held
from neuroscale.settings import CLUSTER_NAME, ONE_NODE, ShapeName, state_dir


class ClusterState(BaseModel):
    """The local half of the ownership proof.

    Attributes:
        milestones: Whose components it was given.
        healthy: Whose components were all well together once; fewer after a bootstrap that failed half-way.
        complete: Whether its creation came to its end; one that was cut short is made anew.
        ports: Name of a mapped port, or ``api`` -> the port on 127.0.0.1; ``None`` for an adopted cluster. A cluster
            that is older than a component does not have the component's ports.
        shape: Of its nodes and networks, by its name.
    """

    model_config = ConfigDict(frozen=True)
    name: str
    nonce: str
    server: str
    adopted: bool = False
    complete: bool = True
    created_at: datetime
    supply: str = "none"
    milestones: list[str] = ["a"]
    healthy: list[str] = []
    images: dict[str, str] = {}
    versions: dict[str, str] = {}
    ports: dict[str, int] | None = None
    forge_url: str
    tarballs: list[str] = []
    shape: ShapeName = ONE_NODE

    def save(self) -> None:
        """Remember it."""
        write_atomically(state_file(self.name), self.model_dump_json(indent=1), private=True)


def state_file(name: str = CLUSTER_NAME) -> Path:
    """Path of the state file of a cluster."""
    return state_dir(name) / "state.json"


def kubeconfig_file(name: str = CLUSTER_NAME) -> Path:
    """Path of the kubeconfig that the suite uses; the user's own is never touched."""
    return state_dir(name) / "kubeconfig"


def load_state(name: str = CLUSTER_NAME) -> ClusterState | None:
    """The remembered state, or ``None`` when this machine made no such cluster.

    Raises:
        NeuroscaleError: The file is there and cannot be read as a state.
    """
    path = state_file(name)
    try:
        return ClusterState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise NeuroscaleError(
            f"The state file {path} should describe cluster {name}, but it is damaged: {error.errors()[0]['msg']}. "
            "Nothing can prove any more that the cluster is the suite's. "
            f"Next: k3d cluster delete {name}, remove that file, neuroscale up"
        ) from error


def present_milestones(name: str = CLUSTER_NAME) -> list[str]:
    """Letters of the milestones whose components the cluster was given; none without a cluster."""
    state = load_state(name)
    return state.milestones if state is not None else []


def exclusive(name: str = CLUSTER_NAME) -> AbstractContextManager[None]:
    """Hold the cluster alone: one run at a time breaks it.

    Raises:
        Locked: Another run holds it; its pid and start time are in the text.
    """
    return held(
        state_dir(name) / "lock",
        lambda who: Locked(
            f"Cluster {name} should be free, but another run holds it: {who.rstrip(',')}. "
            "Next: wait for it, or stop that process; its changes are rolled back by the next run"
        ),
    )
