"""Nodes, and what the cluster itself runs for everybody: DNS and its add-ons."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.rcode

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.endpoints import ready, slices_of
from neuroscale.probes.workloads import Available

_SYSTEM = "kube-system"
COREDNS = Ref("Deployment", "coredns", _SYSTEM)
_DNS = Ref("Service", "kube-dns", _SYSTEM)
_API_SERVER = Ref("Service", "kubernetes", "default")
_DNS_PORT = 53
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
        """Judge the workloads, then ask each pod behind the Service that every pod asks for names."""
        refs = [COREDNS, *(ref for ref in _ADD_ONS if cluster.get(ref) is not None)]
        verdicts = {ref: Available(ref).check(cluster) for ref in refs}
        if bad := [f"{ref}: {verdict.observed}" for ref, verdict in verdicts.items() if not verdict]:
            return pending("; ".join(bad))
        ends = ready(slices_of(cluster, _DNS))
        if not ends:
            return pending(f"{_DNS} has no ready endpoint, so no name is resolved")
        api_server = cluster.get(_API_SERVER)
        if api_server is None:
            return pending(f"{_API_SERVER} does not exist")
        address = api_server["spec"]["clusterIP"]
        answers = {end["addresses"][0]: _resolved(cluster, end, "AAAA" if ":" in address else "A") for end in ends}
        if bad := [f"{one} {seen}, not {address}" for one, seen in answers.items() if seen != f"answers {address}"]:
            return pending(f"asked for {_API_SERVER}, {'; '.join(bad)}")
        return met(f"{', '.join(ref.name for ref in refs)}; {len(ends)} of {len(ends)} endpoints of {_DNS} resolve")


def _resolved(cluster: Cluster, end: Object, record: str) -> str:
    """What an endpoint of DNS answers when it is asked for the API server's Service."""
    pod = end.get("targetRef") or {}
    if pod.get("kind") != "Pod":
        return "is no pod"
    question = dns.message.make_query(f"{_API_SERVER.name}.{_API_SERVER.namespace}.svc.cluster.local", record)
    try:
        answer = dns.message.from_wire(
            cluster.exchange(Ref("Pod", pod["name"], _SYSTEM), _DNS_PORT, question.to_wire())
        )
    except (ApiError, dns.exception.DNSException) as error:
        return f"answers nothing: {error}"
    if not question.is_response(answer):
        return f"answers {dns.rcode.to_text(answer.rcode())} to another question"
    addresses = sorted(str(address) for found in answer.answer for address in found)
    return f"answers {', '.join(addresses) or dns.rcode.to_text(answer.rcode())}"
