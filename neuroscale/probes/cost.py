"""Costs: OpenCost, the Prometheus that it asks, what both know, and whether that is all there is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.metering.opencost import Allocation, OpenCost
from neuroscale.metering.prometheus import KUBELET_JOB, OPENCOST_JOB, OWN_JOB, Prometheus, Target
from neuroscale.metering.service import NAMESPACE, MeteringError
from neuroscale.metering.window import Window
from neuroscale.polling import Verdict, met, pending
from neuroscale.prices import Prices
from neuroscale.probes.workloads import AllAvailable

AREA = "cost"
APPLICATION = "neuroscale-opencost"
OPENCOST = Ref("Deployment", "neuroscale-opencost-opencost", NAMESPACE)
PROMETHEUS = Ref("Deployment", "prometheus", NAMESPACE)
WORKLOADS = (OPENCOST, PROMETHEUS)
#: How far OpenCost's floating-point numbers may be from decimals.
_FLOAT = 1e-9
#: After how long at the latest a pod that runs is in OpenCost's answers: a scrape, a step, and time for both.
_SEEN_AFTER = timedelta(seconds=90)
#: How much of the past is looked at; a pod that runs now is in each of its last steps.
_LOOK_BACK = 120
_LISTED = 5


def workloads_ready() -> AllAvailable:
    """Both run."""
    return AllAvailable("what tells costs", WORKLOADS, area=AREA)


def heard(evaluate: Callable[[], Verdict]) -> Verdict:
    """What is to be said of an answer; who gives none may do so later."""
    try:
        return evaluate()
    except MeteringError as error:
        return pending(str(error))


# --- targets


@dataclass(frozen=True)
class TargetsUp:
    """Prometheus scrapes all that it should, each node among it, and nothing of it is down."""

    area: str = AREA
    description: str = "Prometheus scrapes OpenCost, itself and each node's kubelet, and all of them answer"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask Prometheus for what it scrapes, and the API server for the nodes."""
        nodes = [node["metadata"]["name"] for node in cluster.list("Node")]
        return heard(lambda: evaluate_targets(Prometheus(cluster).targets(), nodes))


def evaluate_targets(targets: Sequence[Target], nodes: Collection[str]) -> Verdict:
    """All up, and no fewer than there must be."""
    bad = [
        f"{one.job} {one.instance} is {one.health}: {one.error or 'no reason'}" for one in targets if one.health != "up"
    ]
    kubelets = {one.instance for one in targets if one.job == KUBELET_JOB}
    missing = [f"the kubelet of {node}" for node in sorted(set(nodes) - kubelets)]
    jobs = {one.job for one in targets}
    missing += [job for job in (OPENCOST_JOB, OWN_JOB) if job not in jobs]
    if missing:
        bad.append(f"it does not scrape {', '.join(missing)}")
    if not nodes:
        bad.append("there is no node")
    return pending("; ".join(bad)) if bad else met(f"{len(targets)} of {len(targets)} targets are up")


# --- prices


@dataclass(frozen=True)
class PricesAsInGit:
    """OpenCost bills by the prices that Git has, on each node."""

    prices: Prices
    area: str = AREA
    description: str = "OpenCost has the prices of infrastructure/prices.toml, for each node"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask OpenCost for its prices, and the API server for the nodes."""
        nodes = [node["metadata"]["name"] for node in cluster.list("Node")]
        return heard(lambda: evaluate_prices(OpenCost(cluster).prices(), self.prices, nodes))


def evaluate_prices(found: Mapping[str, Mapping[str, float]], prices: Prices, nodes: Collection[str]) -> Verdict:
    """Each node has a price of a vCPU and of a GiB, and it is the file's."""
    wanted = {resource: float(prices.hourly[resource]) for resource in ("cpu", "memory")}
    wrong = [
        f"{node}: {resource} costs {found.get(node, {}).get(resource, 'nothing')}, and not {price}"
        for node in sorted(nodes)
        for resource, price in wanted.items()
        if abs(found.get(node, {}).get(resource, -1.0) - price) > _FLOAT
    ]
    if not nodes:
        wrong.append("there is no node")
    said = ", ".join(f"{resource} {price}" for resource, price in wanted.items())
    return pending("; ".join(wrong)) if wrong else met(f"{said} {prices.currency} an hour, on {len(nodes)} nodes")


# --- what is found


@dataclass(frozen=True)
class AllFound:
    """Each pod that runs is in what OpenCost says was given in the last minutes."""

    area: str = AREA
    description: str = "each pod that has run for a while is in OpenCost's allocation, those of models among them"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask both at once."""
        now = datetime.now(UTC)
        pods = cluster.list("Pod")
        window = Window.ending(now, _LOOK_BACK)
        return heard(lambda: evaluate_found(OpenCost(cluster).allocations(window, "namespace", "pod"), pods, now))


def evaluate_found(found: Sequence[Allocation], pods: Sequence[Object], now: datetime) -> Verdict:
    """No pod is missing that has run long enough to be seen.

    Args:
        found: By namespace and pod.
        pods: As the API server has them.
        now: What *long enough* counts to.
    """
    known = {one.key for one in found}
    expected = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for pod in pods
        if (since := running_since(pod)) is not None and now - since > _SEEN_AFTER
    }
    missing = sorted(expected - known)
    if missing:
        named = ", ".join("/".join(one) for one in missing[:_LISTED])
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        return pending(f"{len(missing)} of {len(expected)} pods are not in it: {named}{more}")
    return (
        met(f"{len(expected)} of {len(expected)} pods are in it") if expected else pending("no pod has run long enough")
    )


def running_since(pod: Object) -> datetime | None:
    """Since when a pod has had a running container without a break; ``None``: it has none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    starts = [one["state"]["running"]["startedAt"] for one in statuses if "running" in (one.get("state") or {})]
    return min(map(datetime.fromisoformat, starts)) if starts else None
