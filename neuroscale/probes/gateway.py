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
        name, namespace = GATEWAY_SERVICE.name, GATEWAY_SERVICE.namespace
        labels = f"{_BALANCER}/svcname={name},{_BALANCER}/svcnamespace={namespace}"
        return evaluate_reached(
            cluster.get(GATEWAY_SERVICE),
            cluster.list("DaemonSet", "kube-system", labels=labels),
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


def _own_pods(replica_sets: Sequence[Object], pods: Sequence[Object]) -> set[str]:
    """Names of the gateway's pods by who owns them: anybody can give a pod the gateway's labels."""
    of_gateway = {one["metadata"]["uid"] for one in replica_sets if _owned(one, "name", {GATEWAY.name})}
    return {pod["metadata"]["name"] for pod in pods if _owned(pod, "uid", of_gateway)}


def _owned(obj: Object, by: str, values: Collection[str]) -> bool:
    return any(
        owner.get("controller") and owner[by] in values for owner in obj["metadata"].get("ownerReferences") or []
    )
