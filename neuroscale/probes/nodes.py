"""Nodes, and what the cluster itself runs for everybody: DNS and its add-ons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.cluster_dns import evaluate_resolved
from neuroscale.probes.workloads import Available

_SYSTEM = "kube-system"
COREDNS = Ref("Deployment", "coredns", _SYSTEM)
_API_SERVER = Ref("Service", "kubernetes", "default")
#: Not every cluster has them; one that has them has them running.
_ADD_ONS = (Ref("Deployment", "local-path-provisioner", _SYSTEM), Ref("Deployment", "metrics-server", _SYSTEM))
#: Taints that keep pods off the control plane where there are other nodes for them.
_CONTROL_PLANE = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})


@dataclass(frozen=True)
class NodesFit:
    """Each node is Ready, takes new pods, and is short of nothing."""

    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "each node is Ready, takes new pods, and is under no pressure"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each."""
        return evaluate_nodes(cluster.list("Node"))


def evaluate_nodes(nodes: Sequence[Object]) -> Verdict:
    """None has a condition that says trouble, or a taint that keeps new pods away."""
    if not nodes:
        return pending("there is no node")
    others = any(not node["spec"].get("taints") for node in nodes)
    usual = _CONTROL_PLANE if others else frozenset[str]()
    wrong = [f"{node['metadata']['name']} {trouble}" for node in nodes for trouble in _troubles(node, usual)]
    return pending("; ".join(wrong)) if wrong else met(f"{len(nodes)} of {len(nodes)} fit")


def _troubles(node: Object, usual: Collection[str]) -> list[str]:
    conditions = {one["type"]: one for one in node["status"].get("conditions") or []}
    itself = conditions.pop("Ready", {"status": "Unknown", "message": "no such condition"})
    found = [] if itself["status"] == "True" else [f"is not Ready: {itself.get('message', '')}"]
    # Each other condition names a trouble: MemoryPressure, DiskPressure, PIDPressure, NetworkUnavailable.
    found += [f"has {kind}: {one.get('message', '')}" for kind, one in conditions.items() if one["status"] != "False"]
    taints = [taint for taint in node["spec"].get("taints") or [] if taint["key"] not in usual]
    return found + [f"is tainted {taint['key']}={taint.get('value', '')}:{taint['effect']}" for taint in taints]


@dataclass(frozen=True)
class ClusterServicesReady:
    """Each pod of DNS is behind its Service and resolves a name; add-ons that the cluster has run too."""

    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the cluster's DNS resolves names, and its add-ons have all their pods ready"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge the workloads, then ask for the one Service that every cluster has."""
        refs = [COREDNS, *(ref for ref in _ADD_ONS if cluster.get(ref) is not None)]
        verdicts = {ref: Available(ref).check(cluster) for ref in refs}
        if bad := [f"{ref}: {verdict.observed}" for ref, verdict in verdicts.items() if not verdict]:
            return pending("; ".join(bad))
        api_server = cluster.get(_API_SERVER)
        if api_server is None:
            return pending(f"{_API_SERVER} does not exist")
        resolved = evaluate_resolved(cluster, [api_server])
        return met(f"{', '.join(ref.name for ref in refs)}; {resolved.observed}") if resolved else resolved
