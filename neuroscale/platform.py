"""The platform as the suite holds it: the cluster, and the repository that describes it."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import kubeconfig_file, load_state
from neuroscale.errors import ClusterUnreachable
from neuroscale.git_server import GitServer
from neuroscale.settings import CLUSTER_NAME


@dataclass(frozen=True)
class Platform:
    """What faults act on and steps speak of."""

    cluster: Cluster
    git_server: GitServer


def connect(name: str = CLUSTER_NAME) -> Platform:
    """The platform that ``neuroscale up`` made on this machine.

    Raises:
        ClusterUnreachable: It made none.
    """
    state = load_state(name)
    if state is None:
        raise ClusterUnreachable(f"A cluster {name} should exist, but this machine made none. Next: neuroscale up")
    cluster = Cluster.from_kubeconfig(kubeconfig_file(name), state)
    return Platform(cluster, GitServer(cluster, state.forge_url, name))
