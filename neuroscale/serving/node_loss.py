"""Nodes go while requests flow: each is drained in turn, or one is killed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Committed, NodeDrained, NodeKilled
from neuroscale.chaos.node_faults import CONTROL_PLANE
from neuroscale.cluster.client import Cluster
from neuroscale.errors import PreconditionFailed
from neuroscale.kubernetes.objects import is_ready
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes import argo, serving
from neuroscale.probes.nodes import COREDNS
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.probes.workloads import pods_of
from neuroscale.results import Recorder
from neuroscale.serving.model_rollouts import MODEL, manifest_of
from neuroscale.serving.request_stream import RequestRecord, Stream, evaluate_unbroken, figures
from neuroscale.settings import APPS_NAMESPACE, BUDGETS

_KUSTOMIZATION = "infrastructure/serving-stack/kustomization.yaml"
#: What the production profile has for the same purpose. Of the controllers as well: the gateway of a cluster whose
#: controllers died with a node goes on sending requests to pods that died with them.
_TWICE: Mapping[str, list[Any]] = {
    "patches": [{"path": "production/replicas.yaml"}],
    "resources": ["production/disruption-budgets.yaml"],
}
#: What issues the webhooks' certificate runs once there as well: nothing waits for it but a renewal.
_PARTS = tuple(ref for ref in serving.WORKLOADS if ref != serving.WEBHOOK_CERTS)
#: For so many seconds beyond the limit every request must be answered.
_BEYOND = 10.0


@dataclass(frozen=True)
class Death:
    """A node that was killed.

    Attributes:
        node: Its name.
        at: Monotonic seconds of the deed.
        clock: Wall clock of the same moment.
    """

    node: str
    at: float
    clock: datetime


def run_twice(breakage: Breakage) -> None:
    """Commit that each part of the serving stack, and the model, runs twice, as in production, and wait for that.

    Raises:
        ConditionTimeout: A part did not come to run on two nodes.
    """
    platform, cluster = breakage.platform, breakage.platform.cluster
    _settle(cluster)
    stack = yaml.safe_load(platform.git_server.read(_KUSTOMIZATION) or "")
    path, isvc = manifest_of(MODEL, platform)
    isvc["spec"]["predictor"]["minReplicas"] = 2
    for key, more in _TWICE.items():
        stack[key] += more
    files = {_KUSTOMIZATION: yaml.safe_dump(stack), path: yaml.safe_dump(isvc)}
    breakage.inject(Committed(message="Run what requests go through twice", files=files))
    _wait_apart(cluster)
    _settle(cluster)


def _settle(cluster: Cluster) -> None:
    """What is being rolled out is not to be taken for what comes of a node that goes; on two cores it takes minutes."""
    for probe in (argo.good(serving.APPLICATION), serving.workloads_ready()):
        eventually(probe, cluster, within=BUDGETS.settle)


def _wait_apart(cluster: Cluster) -> None:
    apart = ProbeFunction("each part runs on two nodes", lambda: evaluate_apart(_places(cluster)), "serving")
    eventually(apart, cluster, within=BUDGETS.settle)


def evaluate_apart(places: Mapping[str, Sequence[str]]) -> Verdict:
    """Each part has ready pods on two nodes at least.

    Args:
        places: Part -> the node of each of its ready pods.
    """
    alone = [f"{part} on {', '.join(nodes) or 'none'}" for part, nodes in places.items() if len(set(nodes)) < 2]
    told = "; ".join(f"{part} on {', '.join(sorted(nodes))}" for part, nodes in places.items())
    return pending("; ".join(alone)) if alone else met(told)


def _places(cluster: Cluster) -> dict[str, list[str]]:
    parts = {ref.name: pods_of(cluster, found) if (found := cluster.get(ref)) else [] for ref in _PARTS}
    of_model = cluster.list("Pod", APPS_NAMESPACE, labels=f"serving.kserve.io/inferenceservice={MODEL}")
    return {part: _nodes_of(pods) for part, pods in {**parts, MODEL: of_model}.items()}


def _nodes_of(pods: Iterable[Object]) -> list[str]:
    # A pod that is leaving still answers, and is nobody to count on.
    staying = (pod for pod in pods if "deletionTimestamp" not in pod["metadata"])
    return [pod["spec"]["nodeName"] for pod in staying if is_ready(pod)]


def drain_each(breakage: Breakage) -> list[str]:
    """Drain each node but the control plane's, one after the other, once everything runs on two nodes again.

    The control plane's keeps the Git server's data, and the address of the API server.

    Returns:
        The nodes.
    """
    platform = breakage.platform
    workers = _workers(platform.cluster)
    for node in workers:
        with Breakage(platform, breakage.journal) as drain:
            drain.inject(NodeDrained(node=node))
        _wait_apart(platform.cluster)
    return workers


def _workers(cluster: Cluster) -> list[str]:
    nodes = cluster.list("Node")
    workers = [one["metadata"]["name"] for one in nodes if CONTROL_PLANE not in one["metadata"].get("labels", {})]
    if len(workers) < 2:
        raise PreconditionFailed(
            f"The cluster should have two nodes besides the control plane's, but has {len(workers)}. "
            "Next: neuroscale up --shape three-nodes"
        )
    return sorted(workers)


def kill_one(breakage: Breakage) -> Death:
    """Kill a node that the gateway runs on, and neither the control plane nor the cluster's DNS, which runs once.

    Raises:
        PreconditionFailed: There is none.
    """
    cluster = breakage.platform.cluster
    dns = pods_of(cluster, found) if (found := cluster.get(COREDNS)) else []
    through = set(_places(cluster)[serving.GATEWAY.name]) - set(_nodes_of(dns))
    node = next((name for name in _workers(cluster) if name in through), None)
    if node is None:
        raise PreconditionFailed(
            "The gateway should run on a worker that the cluster's DNS does not run on, but runs on none. "
            "Next: kubectl -n kube-system rollout restart deployment/coredns"
        )
    effect = breakage.inject(NodeKilled(node=node))
    return Death(node, effect.begun, effect.clock)


def start_again(death: Death, platform: Platform) -> float:
    """Start the node that was killed; the rollback finds it done. Returns the monotonic seconds of the deed."""
    start = time.monotonic()
    NodeKilled(node=death.node).revert(platform, {})
    return start


def assert_none_failed(drained: Sequence[str], stream: Stream, platform: Platform, recorder: Recorder) -> None:
    """End the stream; every request of it got the right answer.

    Raises:
        ConditionTimeout: One did not.
    """
    stream.stop()
    records = stream.records
    seen = figures(records)
    recorder.figure(
        claim="nodes-drained", fault=f"{', '.join(drained)} are drained in turn", subject=MODEL,
        series="longest outage", at=records[0].clock if records else datetime.now(UTC),
        seconds=round(seen.outage, 3), facts=seen.facts,
    )  # fmt: skip
    assert_met("no request fails while nodes are drained", evaluate_unbroken(records, {SERVED}), platform)


def assert_answers_again(death: Death, stream: Stream, within: float, platform: Platform, recorder: Recorder) -> None:
    """End the stream; each request of it that was sent later than so many seconds after the death got the right answer.

    Watched to the end of that time and beyond: right answers say nothing of a node whose loss is yet to be felt.

    Raises:
        ConditionTimeout: One did not.
    """
    until = death.at + within + _BEYOND
    sent = ProbeFunction("requests are sent until then", lambda: evaluate_sent(stream.records, until), "serving")
    eventually(sent, platform.cluster, within=within + _BEYOND + BUDGETS.request)
    # Also those that hang are waited for.
    stream.stop()
    records = [record for record in stream.records if record.at >= death.at]
    last, seen = last_failure(records, death.at), figures(records)
    recorder.figure(
        claim="node-killed", fault=f"{death.node} is killed", subject=MODEL, series="until no request fails",
        at=death.clock, seconds=round(last, 3), facts=seen.facts,
    )  # fmt: skip
    wanted = f"requests are answered again, each of them, within {duration(within)}"
    assert_met(wanted, evaluate_again(records, last, within), platform)


def evaluate_sent(records: Sequence[RequestRecord], until: float) -> Verdict:
    """One that was sent at that moment or later has come back.

    Args:
        records: In the order of sending.
        until: Monotonic seconds.
    """
    if not records:
        return pending("none has come back")
    left = until - records[-1].at
    return pending(f"{left:.1f} s to go") if left > 0 else met("the last one that came back was sent later")


def evaluate_again(records: Sequence[RequestRecord], last: float, within: float) -> Verdict:
    """Requests were sent all along, and the last one that failed was sent in time.

    Args:
        records: Those since the deed.
        last: Seconds from the deed to sending the last request that failed.
        within: Seconds.
    """
    if not records or records[-1].at - records[0].at < last:
        return unrecoverable(f"{len(records)} requests came back, so nothing can be said")
    failed = figures(records).wrong
    told = f"{failed} of {len(records)} requests failed, the last one after {duration(last)}"
    return met(told) if last <= within else unrecoverable(told)


def last_failure(records: Sequence[RequestRecord], since: float) -> float:
    """Seconds from a moment to sending the last request that failed; 0 where none did."""
    return max((record.at - since for record in records if SERVED not in record.versions), default=0.0)
