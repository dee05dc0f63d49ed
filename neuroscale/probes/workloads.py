"""Workloads: Deployments, StatefulSets, their pods, and the Services in front."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending, unrecoverable

#: Waiting reasons of a container that time does not mend.
_STUCK = frozenset({"ErrImageNeverPull", "InvalidImageName"})
#: Likewise, of one whose image is not on the node and does not get there.
_IMAGELESS = _STUCK | {"ErrImagePull", "ImagePullBackOff"}
#: A ReplicaSet that is taken up again gets a new number.
_REVISION = "deployment.kubernetes.io/revision"


def evaluate_workload(obj: Object | None, pods: Iterable[Object]) -> Verdict:
    """Whether a Deployment or StatefulSet has all the pods it wants, each with all containers ready.

    Zero wanted pods is not met: something that is expected to run and is scaled away does not run. ``1/2`` or ``0/1``
    with phase Running is not met either.
    """
    if obj is None:
        return pending("it does not exist")
    wanted = obj["spec"].get("replicas", 1)
    if wanted == 0:
        return pending("it is scaled to 0, so nothing runs")
    status = obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return pending("its controller has not yet seen the latest spec")
    if stuck := next(filter(None, map(_stuck, pods)), None):
        return unrecoverable(stuck)
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    seen = f"{ready} of {wanted} pods ready, {updated} up to date, {status.get('replicas', 0)} in all"
    complete = ready == updated == status.get("replicas", 0) == wanted
    return met(seen) if complete else pending("; ".join([seen, *filter(None, map(_why_not, pods))]))


def evaluate_daemon_set(obj: Object) -> Verdict:
    """Whether a DaemonSet has a ready and current pod on each node that it is for, and is for one at least."""
    status = obj.get("status") or {}
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return pending("its controller has not yet seen the latest spec")
    wanted = status.get("desiredNumberScheduled", 0)
    if wanted == 0:
        return pending("no node is meant for it, so nothing runs")
    ready, updated = status.get("numberReady", 0), status.get("updatedNumberScheduled", 0)
    seen = f"{ready} of {wanted} pods ready, {updated} up to date"
    return met(seen) if ready == updated == wanted else pending(seen)


def _stuck(pod: Object, reasons: Collection[str] = _STUCK) -> str | None:
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in reasons:
            return f"pod {pod['metadata']['name']}: {waiting['reason']}: {waiting.get('message', '')}"
    return None


def _why_not(pod: Object) -> str | None:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"pod {name} {status.get('phase')}: {condition.get('reason')}: {condition.get('message')}"
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            return f"pod {name}: {container['name']} {waiting.get('reason')}"
        if not container.get("ready") and "terminated" not in (container.get("state") or {}):
            return f"pod {name}: {container['name']} runs and is not ready"
    for condition in status.get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "False":
            return f"pod {name} is not Ready: {condition.get('reason')}: {condition.get('message')}"
    return None


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def pods_of(cluster: Cluster, workload: Object) -> list[Object]:
    """The pods that a workload's selector matches."""
    labels = ",".join(f"{key}={value}" for key, value in workload["spec"]["selector"].get("matchLabels", {}).items())
    return cluster.list("Pod", workload["metadata"]["namespace"], labels=labels)


@dataclass(frozen=True)
class Rollout:
    """The pods of a Deployment while it is changed.

    Attributes:
        new: Those of the newest ReplicaSet.
        old: All others.
    """

    new: Sequence[Object]
    old: Sequence[Object]


def split_pods(deployment: Object, replica_sets: Sequence[Object], pods: Sequence[Object]) -> Rollout:
    """The pods of the newest ReplicaSet, and the others; none is new before the latest spec has a ReplicaSet."""
    meta, status = deployment["metadata"], deployment.get("status") or {}
    own = [one for one in replica_sets if meta["uid"] in _owners(one)]
    if not own or status.get("observedGeneration", 0) < meta.get("generation", 0):
        return Rollout((), tuple(pods))
    newest = max(own, key=lambda one: int((one["metadata"].get("annotations") or {}).get(_REVISION, 0)))
    new = [pod for pod in pods if newest["metadata"]["uid"] in _owners(pod)]
    return Rollout(new, [pod for pod in pods if pod not in new])


def _owners(obj: Object) -> list[str]:
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or []]


def rollout_of(cluster: Cluster, ref: Ref) -> Rollout:
    """Fetch and split."""
    deployment = cluster.get(ref)
    if deployment is None:
        return Rollout((), ())
    return split_pods(deployment, cluster.list("ReplicaSet", ref.namespace), pods_of(cluster, deployment))


@dataclass(frozen=True)
class Available:
    """A workload has all its pods, ready."""

    ref: Ref
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.ref} has all its pods ready"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        obj = cluster.get(self.ref)
        return evaluate_workload(obj, _judged(cluster, obj) if obj else ())


def _judged(cluster: Cluster, workload: Object) -> Sequence[Object]:
    """The pods that say what becomes of it: what an earlier rollout has left may look like a relapse (incident C15)."""
    pods = pods_of(cluster, workload)
    if workload["kind"] != "Deployment":
        return pods
    return split_pods(workload, cluster.list("ReplicaSet", workload["metadata"]["namespace"]), pods).new


@dataclass(frozen=True)
class AllAvailable:
    """A component's workloads all have their pods, ready."""

    component: str
    refs: Collection[Ref]
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"all {len(self.refs)} workloads of {self.component} have all containers ready"

    def check(self, cluster: Cluster) -> Verdict:
        """All of them, or the ones that are not."""
        verdicts = {ref: Available(ref).check(cluster) for ref in self.refs}
        bad = {ref: verdict for ref, verdict in verdicts.items() if not verdict}
        if not verdicts:
            return unrecoverable("no workload is expected, so nothing can be said")
        if not bad:
            return met(f"{len(verdicts)} of {len(verdicts)} workloads complete")
        seen = "; ".join(f"{ref}: {verdict.observed}" for ref, verdict in bad.items())
        worst = unrecoverable if any(verdict.state == "unrecoverable" for verdict in bad.values()) else pending
        return worst(f"{len(bad)} of {len(verdicts)} workloads not complete: {seen}")


@dataclass(frozen=True)
class PodUnschedulable:
    """A workload's pod cannot be placed for want of a resource (the symptom of incident A3)."""

    ref: Ref
    resource: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"a pod of {self.ref} is Pending for lack of {self.resource}"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge the scheduler's condition on the pods."""
        obj = cluster.get(self.ref)
        return evaluate_unschedulable(pods_of(cluster, obj) if obj else [], self.resource)


def evaluate_unschedulable(pods: Collection[Object], resource: str) -> Verdict:
    """Whether a pod's PodScheduled condition is False, Unschedulable, and names the resource."""
    for pod in pods:
        for condition in (pod.get("status") or {}).get("conditions", []):
            if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
                said = condition.get("message", "")
                if f"Insufficient {resource}" in said:
                    return met(f"pod {pod['metadata']['name']}: {said}")
                return pending(f"pod {pod['metadata']['name']} is unschedulable for another reason: {said}")
    phases = {pod["metadata"]["name"]: (pod.get("status") or {}).get("phase") for pod in pods}
    return pending(f"pods: {phases or 'none'}")


@dataclass(frozen=True)
class ImagesPulled:
    """No pod waits for an image in vain, also of a Job that nobody looks at (incident F13)."""

    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "no pod waits for an image that cannot be pulled"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each pod."""
        return evaluate_pulled(cluster.list("Pod"))


def evaluate_pulled(pods: Collection[Object]) -> Verdict:
    """None does."""
    waiting = [f"{pod['metadata']['namespace']}: {why}" for pod in pods if (why := _stuck(pod, _IMAGELESS))]
    return pending("; ".join(waiting)) if waiting else met(f"none of {len(pods)} does")


@dataclass(frozen=True)
class ImageNotPulled:
    """A pod waits for an image that cannot be pulled (the symptom of incident F13).

    Attributes:
        namespace: Where.
        job: Whose pod: its name begins with this.
    """

    namespace: str
    job: str
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"a pod of {self.job} in {self.namespace} waits for an image that cannot be pulled"

    def check(self, cluster: Cluster) -> Verdict:
        """Look at its pods."""
        pods = [pod for pod in cluster.list("Pod", self.namespace) if pod["metadata"]["name"].startswith(self.job)]
        pulled = evaluate_pulled(pods)
        return pending(f"pods: {len(pods)}, none of which does") if pulled else met(pulled.observed)
