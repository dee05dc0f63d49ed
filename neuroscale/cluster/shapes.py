"""How many nodes a cluster has and which networks: all that differs between two clusters on this machine.

Nodes built here have no flannel. One node needs none: all pods are on its bridge. Of several, each has a part of the
pods' network on its own bridge and answers on the nodes' network for it (proxy ARP), so that no node has to know where
another one is, and one that was killed is found again as soon as it runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from neuroscale.atomic_write import write_atomically
from neuroscale.settings import ONE_NODE, ShapeName

#: What k3d's own entrypoint runs before k3s starts.
_BEFORE_K3S = "/bin/k3d-entrypoint-pod-network.sh"
#: Where the node image has the bridge of a cluster with one node.
_BRIDGE = "/etc/cni/net.d/10-bridge.conflist"
#: k3d's filters for the server, and for all nodes of a cluster that has agents.
_SERVER, _ALL = "server:0", "server:0;agent:*"
#: What an agent takes as well; the rest is for the server.
_OF_EACH_NODE = ("--kubelet-arg", "--kube-proxy-arg")
#: An ARP answer for somebody else waits 0.8 s by itself.
_SCRIPT = """#!/bin/sh
ip route replace {pods} dev eth0 &&
    echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp &&
    echo 0 >/proc/sys/net/ipv4/neigh/eth0/proxy_delay
"""


@dataclass(frozen=True)
class Shape:
    """A cluster's nodes and networks.

    Attributes:
        agents: Nodes besides the server.
        pods: Network of the pods, of which each node has a /24; empty for that of k3s.
        services: Network of the Services; empty for that of k3s.
    """

    agents: int = 0
    pods: str = ""
    services: str = ""

    def nodes(self, cluster: str) -> list[str]:
        """Names of the nodes, which are those of their containers; the server is the first."""
        return [f"k3d-{cluster}-server-0", *(f"k3d-{cluster}-agent-{number}" for number in range(self.agents))]

    def k3d_arguments(self, node_args: tuple[str, ...], folder: Path, *, flannel: bool) -> Iterator[str]:
        """Arguments for ``k3d cluster create``.

        Args:
            node_args: Of k3s, as the node image needs them.
            folder: Where files are written that nodes are to see.
            flannel: Whether the node image has it. If not, pods are connected as said above.
        """
        for argument in (*node_args, *self._networks()):
            each = self.agents and argument.startswith(_OF_EACH_NODE)
            yield from ("--k3s-arg", f"{argument}@{_ALL if each else _SERVER}")
        if self.agents:
            yield from ("--agents", str(self.agents))
            if not flannel:
                yield from self._pod_network(folder)

    @property
    def everywhere(self) -> str:
        """k3d's filter for all nodes."""
        return _ALL if self.agents else _SERVER

    def _networks(self) -> Iterator[str]:
        if self.pods:
            yield f"--cluster-cidr={self.pods}"
        if self.services:
            yield f"--service-cidr={self.services}"
            yield f"--cluster-dns={ip_network(self.services)[10]}"

    def _pod_network(self, folder: Path) -> Iterator[str]:
        script = folder / "pod-network.sh"
        write_atomically(script, _SCRIPT.format(pods=self.pods))
        script.chmod(0o755)
        yield from ("--volume", f"{script}:{_BEFORE_K3S}:ro@{_ALL}")
        parts = ip_network(self.pods).subnets(new_prefix=24)
        nodes = (_SERVER, *(f"agent:{number}" for number in range(self.agents)))
        for node, part in zip(nodes, parts, strict=False):
            bridge = folder / f"bridge-{node.replace(':', '-')}.conflist"
            write_atomically(bridge, _bridge(str(part)))
            yield from ("--volume", f"{bridge}:{_BRIDGE}:ro@{node}")


def _bridge(part: str) -> str:
    ranges = {"type": "host-local", "ranges": [[{"subnet": part}]]}
    bridge = {
        "type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "ipMasq": True, "hairpinMode": True,
        "ipam": ranges,
    }  # fmt: skip
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "bridge", "plugins": [bridge, portmap]})


#: Networks that neither k3s nor Docker has by itself.
SHAPES: Mapping[ShapeName, Shape] = {
    ONE_NODE: Shape(),
    "three-nodes": Shape(agents=2, pods="10.62.0.0/16", services="10.63.0.0/16"),
}
