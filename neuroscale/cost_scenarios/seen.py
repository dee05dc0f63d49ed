"""What pods ask for, as the API server has them: added up here on its own, apart from what prices manifests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.objects import is_ready
from neuroscale.kubernetes.quantities import exact, quantity
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import (
    MODEL_LABEL,
    evaluate_generated,
    fetch,
    fetch_generated,
    inference_service,
)
from neuroscale.probes.workloads import evaluate_workload, pods_of
from neuroscale.settings import APPS_NAMESPACE

#: As quotas call them, and as the comment's table does.
FIGURES = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
#: Workload -> its pods.
Pods = Mapping[str, Sequence[Object]]
#: Phases of pods that hold nothing any more.
_OVER = ("Succeeded", "Failed")


@exact()
def effective(pod: Object) -> dict[str, Decimal]:
    """What the scheduler and the quota count for a pod: cores and bytes, by figure.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    spec = pod["spec"]
    extra = {resource: quantity(amount) for resource, amount in (spec.get("overhead") or {}).items()}
    found = {}
    for figure in FIGURES:
        side, resource = figure.split(".")
        most = _most_at_once(spec, side, resource)
        # A pod that nothing limits is not limited by what runs it, either.
        found[figure] = most + (extra.get(resource, 0) if most or side == "requests" else 0)
    return found


def _most_at_once(spec: Object, side: str, resource: str) -> Decimal:
    running = most = Decimal(0)
    for one in spec.get("initContainers") or []:
        amount = _amount(one, side, resource)
        most = max(most, running + amount)
        if one.get("restartPolicy") == "Always":
            running += amount
    return max(most, running + sum(_amount(one, side, resource) for one in spec["containers"]))


def _amount(container: Object, side: str, resource: str) -> Decimal:
    return quantity(((container.get("resources") or {}).get(side) or {}).get(resource, 0))


@exact()
def total(pods: Iterable[Object]) -> dict[str, Decimal]:
    """All of them together."""
    each = [effective(pod) for pod in pods]
    return {figure: sum((one[figure] for one in each), Decimal(0)) for figure in FIGURES}


def look(cluster: Cluster, workload: Object, commit: str) -> tuple[Verdict, Sequence[Object]]:
    """Whether a workload runs as a commit has it and nothing of it is on its way, and its pods.

    Args:
        cluster: Where.
        workload: Its manifest, alone in a folder of its name.
        commit: Of ``main``.
    """
    kind, name = workload["kind"], workload["metadata"]["name"]
    pods: Sequence[Object]
    if kind == "Deployment":
        deployment = cluster.get(Ref(kind, name, APPS_NAMESPACE))
        pods = pods_of(cluster, deployment) if deployment else []
        runs = evaluate_workload(deployment, pods)
    else:
        isvc = fetch(cluster, inference_service(name))
        pods = cluster.list("Pod", APPS_NAMESPACE, labels=f"{MODEL_LABEL}={name}")
        ready = serving.evaluate_service(isvc)
        runs = evaluate_generated(isvc, fetch_generated(cluster, name)) if ready else ready
    live = [pod for pod in pods if (pod.get("status") or {}).get("phase") not in _OVER]
    synced = evaluate_was_synced(cluster.get(argo.application(name)), commit)
    return next((one for one in (synced, runs) if not one), evaluate_quiet(live)), live


def evaluate_was_synced(application: Object | None, commit: str) -> Verdict:
    """Argo CD has applied a commit.

    Not that it finds no difference: KServe rewrites a model of the older form as it is admitted.
    """
    if application is None:
        return pending("its Application does not exist")
    history = (application.get("status") or {}).get("history") or []
    if any(one.get("revision") == commit for one in history):
        return met(f"{commit[:8]} was synced")
    return pending(f"{commit[:8]} was not synced: {argo.describe(application)}")


def evaluate_quiet(pods: Sequence[Object]) -> Verdict:
    """Each pod is there to stay, and Ready."""
    said = {pod["metadata"]["name"]: _state(pod) for pod in pods}
    trouble = [f"pod {name} {state}" for name, state in said.items() if state != "is Ready"]
    if not pods:
        return pending("it has no pod")
    return pending("; ".join(trouble)) if trouble else met(f"{len(pods)} pods, all Ready")


def _state(pod: Object) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "is being deleted"
    return "is Ready" if is_ready(pod) else "is not Ready"


def called(workload: Object) -> str:
    """A workload as the comment names it."""
    return f"{workload['kind']} {APPS_NAMESPACE}/{workload['metadata']['name']}"
