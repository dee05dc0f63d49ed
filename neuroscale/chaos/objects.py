"""What faults do with objects, and read in them."""

from __future__ import annotations

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.quantities import millicores
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending


def create_unless_present(cluster: Cluster, before: Object) -> None:
    """Create what a snapshot saw; somebody may have been quicker."""
    try:
        cluster.create(fresh(before))
    except ApiError as error:
        if error.reason != "AlreadyExists":
            raise


def delete_if_present(cluster: Cluster, ref: Ref, *, uid: str | None = None, at_once: bool = False) -> None:
    """Delete; somebody may have been quicker. Arguments as of :meth:`Cluster.delete`."""
    try:
        cluster.delete(ref, uid=uid, at_once=at_once)
    except ApiError as error:
        if error.status != 404:
            raise


def end_pods(cluster: Cluster, namespace: str) -> None:
    """Take away what runs in a namespace that is about to go.

    *Measured* with Kubernetes 1.31: a namespace in which a model's pod is leaving is looked at again after half of the
    300 s that such a pod may take, even if it is gone a second later.
    """
    for kind in ("Deployment", "Pod"):
        for found in cluster.list(kind, namespace):
            delete_if_present(cluster, Ref.to(found), at_once=kind == "Pod")


def evaluate_gone(cluster: Cluster, ref: Ref) -> Verdict:
    """Whether an object, or even its kind, is gone; else what holds it."""
    try:
        obj = cluster.get(ref)
    except ApiError as error:
        if error.status != 404:
            raise
        return met("its kind is gone")
    if obj is None:
        return met("it is gone")
    holders = obj["metadata"].get("finalizers")
    return pending("it is still there" + (f", held by finalizers {holders}" if holders else ""))


def end_operation(cluster: Cluster, application: Ref) -> bool:
    """End the operation under way of an Application, as ``argocd app terminate-op`` does; whether there was one."""
    under_way = _phase(cluster.get(application)) == "Running"
    if under_way:
        # Applications have no status apart.
        cluster.patch(application, {"status": {"operationState": {"phase": "Terminating"}}})
    return under_way


def evaluate_ended(cluster: Cluster, application: Ref) -> Verdict:
    """Whether no operation of an Application is under way."""
    phase = _phase(cluster.get(application))
    if phase in ("Running", "Terminating"):
        return pending(f"it is {phase}")
    return met(f"it is {phase}" if phase else "there is none")


def begin_sync(cluster: Cluster, application: Ref) -> None:
    """Begin a sync of an Application, by the options that it has now, as ``argocd app sync`` does.

    It counts as self-heal's first attempt. *Measured* with Argo CD 3.2.1: without a count, which leaves none in the
    object, the status keeps that of the operation before, and with it the backoff.
    """
    policy = ((cluster.get(application) or {}).get("spec") or {}).get("syncPolicy") or {}
    sync = {"prune": True, "autoHealAttemptsCount": 1, "syncOptions": policy.get("syncOptions", [])}
    by = {"username": "neuroscale"}
    cluster.patch(application, {"operation": {"initiatedBy": by, "retry": policy.get("retry", {}), "sync": sync}})


def _phase(application: Object | None) -> str:
    status = (application or {}).get("status") or {}
    return str((status.get("operationState") or {}).get("phase", ""))


def requested_millicores(pod: Object) -> int:
    """What the containers of a pod, or of a pod template, ask for together."""
    return sum(
        millicores(((container.get("resources") or {}).get("requests") or {}).get("cpu", "0"))
        for container in pod["spec"]["containers"]
    )


def fresh(obj: Object) -> Object:
    """An object without what the API server adds, so that it can be created again."""
    added = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "deletionTimestamp")
    meta = {key: value for key, value in obj["metadata"].items() if key not in added}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}
