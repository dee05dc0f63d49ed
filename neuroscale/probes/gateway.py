"""The way into the cluster: the gateway's Service, its load balancer, and who is behind it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.inference_client import GATEWAY_SERVICE
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.endpoints import ready, slices_of
from neuroscale.probes.serving import GATEWAY
from neuroscale.probes.workloads import evaluate_daemon_set

#: k3s makes a DaemonSet for each Service of type LoadBalancer, and names the Service on it.
_BALANCER = "svccontroller.k3s.cattle.io"
_OF_GATEWAY = f"{_BALANCER}/svcname={GATEWAY_SERVICE.name},{_BALANCER}/svcnamespace={GATEWAY_SERVICE.namespace}"
#: Which priority k3s gives the pods of a Service's load balancer; ``system-node-critical`` where it does not say.
PRIORITY = f"{_BALANCER}/priorityclassname"
#: As the scheduler says it of a pod whose ports on the node are another's.
_NO_PORTS = "didn't have free ports"


@dataclass(frozen=True)
class GatewayReached:
    """What arrives at the gateway's Service reaches the gateway, and nobody else."""

    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the gateway's Service has a load balancer, and nobody but the gateway behind it"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch the Service, what k3s runs for it, and the gateway's pods."""
        namespace = GATEWAY_SERVICE.namespace
        return evaluate_reached(
            cluster.get(GATEWAY_SERVICE),
            cluster.list("DaemonSet", "kube-system", labels=_OF_GATEWAY),
            ready(slices_of(cluster, GATEWAY_SERVICE)),
            _own_pods(cluster.list("ReplicaSet", namespace), cluster.list("Pod", namespace)),
        )


def evaluate_reached(
    service: Object | None, balancers: Sequence[Object], endpoints: Sequence[Object], own: Collection[str]
) -> Verdict:
    """It has an address, each balancer runs, and each endpoint is one of the gateway's pods.

    A cluster of a cloud has balancers of its own, which nothing in the cluster tells of but the address.
    """
    if service is None:
        return pending("it does not exist")
    wrong = [
        f"its load balancer {balancer['metadata']['name']}: {seen.observed}"
        for balancer in balancers
        if not (seen := evaluate_daemon_set(balancer))
    ]
    if not ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        wrong.append(f"it has no address, and is of type {service['spec']['type']}")
    names = [(end.get("targetRef") or {}).get("name") or ", ".join(end["addresses"]) for end in endpoints]
    if not names:
        wrong.append("it has no ready endpoint")
    if strangers := [name for name in names if name not in own]:
        wrong.append(f"{len(strangers)} of {len(names)} endpoints are not the gateway's: {', '.join(strangers)}")
    if wrong:
        return pending("; ".join(wrong))
    return met(f"{len(names)} endpoints, all of them the gateway's; {len(balancers)} load balancers of k3s")


@dataclass(frozen=True)
class PortsTaken:
    """Somebody else has the node's ports that the gateway's load balancer needs (the symptom of incident E3)."""

    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the gateway's Service has no address, and its load balancer waits for ports that somebody else has"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch the Service, and the pods that k3s runs for it."""
        pods = cluster.list("Pod", "kube-system", labels=_OF_GATEWAY)
        return evaluate_ports_taken(cluster.get(GATEWAY_SERVICE), pods)


def evaluate_ports_taken(service: Object | None, pods: Sequence[Object]) -> Verdict:
    """Whether the Service is without an address and a pod of its load balancer without ports."""
    if service is None:
        return pending("it does not exist")
    address = (((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}])[0]
    waiting = [
        f"pod {pod['metadata']['name']}: {condition['message']}"
        for pod in pods
        for condition in (pod.get("status") or {}).get("conditions") or []
        if condition["type"] == "PodScheduled" and _NO_PORTS in (condition.get("message") or "")
    ]
    seen = f"its address: {', '.join(map(str, address.values())) or 'none'}; "
    seen += waiting[0] if waiting else f"none of {len(pods)} pods of its load balancer waits for ports"
    return met(seen) if waiting and not address else pending(seen)


def _own_pods(replica_sets: Sequence[Object], pods: Sequence[Object]) -> set[str]:
    """Names of the gateway's pods by who owns them: anybody can give a pod the gateway's labels."""
    of_gateway = {one["metadata"]["uid"] for one in replica_sets if _owned(one, "name", {GATEWAY.name})}
    return {pod["metadata"]["name"] for pod in pods if _owned(pod, "uid", of_gateway)}


def _owned(obj: Object, by: str, values: Collection[str]) -> bool:
    return any(
        owner.get("controller") and owner[by] in values for owner in obj["metadata"].get("ownerReferences") or []
    )
