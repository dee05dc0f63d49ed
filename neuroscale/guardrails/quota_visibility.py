"""Whether a refusal by the quota shows where people look: on the Application of what was refused a pod."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import Committed, Fault, FieldsEdited, ObjectDeleted
from neuroscale.cluster.client import Cluster
from neuroscale.errors import PreconditionFailed
from neuroscale.guardrails.quotas import QUOTA, evaluate_counted, taken, wait, wait_until_quiet
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually_each, met, pending
from neuroscale.probes import argo
from neuroscale.probes.knative_resources import MODEL_LABEL, condition, fetch, inference_service, knative_service
from neuroscale.probes.reference_app import CHILD, MANIFEST, NGINX, TEST_APP
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE
from neuroscale.slos import SLOS

MODEL = "demo-iris-2"
_MODEL_MANIFEST = f"apps/{MODEL}/inference-service.yaml"
#: How a refusal by a quota begins, whoever passes it on.
_WORDS = f"exceeded quota: {QUOTA.name}"
_PODS: Object = {"apiVersion": "v1", "kind": "Pod"}
_SLO = "quota-refusal-shown"


@dataclass(frozen=True)
class _Case:
    """Something that wants one pod more than the quota gives.

    Attributes:
        room: How many pods the quota gives beside those that run; negative when one fewer than run.
        refused: What gets no pod; its Application is named like its folder.
    """

    application: str
    refused: Ref
    room: int


#: As the feature says it.
_CASES = {
    "a running model loses its pod": _Case(MODEL, inference_service(MODEL), -1),
    # The first of its new pods is let in, and the second is not.
    "a commit gives a model two pods": _Case(MODEL, inference_service(MODEL), 1),
    "a commit gives the test application two pods": _Case(TEST_APP, NGINX, 0),
}


@dataclass(frozen=True)
class QuotaRefusal:
    """A quota that is too small, and what came of it.

    Attributes:
        effect: The last thing that happened.
    """

    case: _Case
    effect: Effect


def refuse(event: str, breakage: Breakage) -> QuotaRefusal:
    """Make the quota too small, and have a pod wanted.

    Raises:
        PreconditionFailed: No pod of the model runs, or the quota is not taken over.
    """
    case = _CASES[event]
    wait_until_quiet(breakage.platform)
    _leave_room(case.room, breakage)
    return QuotaRefusal(case, breakage.inject(_wanting(event, breakage.platform.cluster)))


def _leave_room(pods: int, breakage: Breakage) -> None:
    """Let the quota give so many pods beside those that are taken."""
    cluster = breakage.platform.cluster
    wait("the quota has counted", lambda: evaluate_counted(cluster, "pods", _PODS), cluster)
    used = int(taken(breakage.platform, "pods")["pods"][1])
    hard = str(used + pods)
    for fault in (
        *disable_automated_sync(CHILD),
        FieldsEdited(target=QUOTA, patch={"spec": {"hard": {"pods": hard}}}),
    ):
        breakage.inject(fault)

    def evaluate() -> Verdict:
        # What the API server goes by is the status, which follows.
        now = ((cluster.get(QUOTA) or {}).get("status") or {}).get("hard", {}).get("pods")
        return met(f"{now} pods") if now == hard else pending(f"{now} pods")

    wait(f"the quota allows {hard} pods", evaluate, cluster)


def _wanting(event: str, cluster: Cluster) -> Fault:
    if event == "a running model loses its pod":
        return ObjectDeleted(target=_pod_of_model(cluster), at_once=True)
    path, line = (_MODEL_MANIFEST, "minReplicas") if "a model" in event else (MANIFEST, "  replicas")
    edits = {path: [(f"{line}: 1", f"{line}: 2")]}
    return Committed(message=f"Have more than the quota gives: {event}", files={}, replaced=edits)


def _pod_of_model(cluster: Cluster) -> Ref:
    for pod in cluster.list("Pod", APPS_NAMESPACE, labels=f"{MODEL_LABEL}={MODEL}"):
        if "deletionTimestamp" not in pod["metadata"]:
            return Ref.to(pod)
    raise PreconditionFailed(f"The model {MODEL} should have a pod, but has none. Next: neuroscale check serving")


@dataclass(frozen=True)
class RefusalShown:
    """The Application of what was refused says so."""

    case: _Case
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'Application "{self.case.application}" is Degraded, and {self.case.refused} names the quota'

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        app = cluster.get(argo.application(self.case.application))
        refused = fetch(cluster, self.case.refused)
        knative = fetch(cluster, knative_service(self.case.refused.name))
        return evaluate_refusal_shown(app, refused, knative)


def evaluate_refusal_shown(app: Object | None, refused: Object | None, knative: Object | None) -> Verdict:
    """Degraded, for what the object itself says; what Knative says of its Service is told beside it."""
    if app is None or refused is None:
        return pending(f"{'the Application' if app is None else 'what was refused'} does not exist")
    health = ((app.get("status") or {}).get("health") or {}).get("status", "Unknown")
    ready = condition(knative, "Ready").get("status", "nothing") if knative else ""
    beside = f"; Knative says Ready={ready}" if ready else ""
    said = _quota_words(refused)
    seen = f"{health}{beside}; {said or 'the quota is not named'}"
    return met(seen) if health == "Degraded" and said else pending(seen)


def _quota_words(obj: Object) -> str:
    """The condition that passes the quota's refusal on; empty for none."""
    for one in (obj.get("status") or {}).get("conditions") or []:
        if _WORDS in one.get("message", ""):
            return f"{one['type']}={one['status']}: {one['message'][:300]}"
    return ""


def wait_until_shown(refusal: QuotaRefusal, platform: Platform, recorder: Recorder) -> None:
    """Wait for it, from when the pod was wanted, and keep how long it took, also when it does not come.

    Raises:
        ConditionTimeout: It does not show within the SLO.
    """
    limit, reached = SLOS[_SLO].at_most, dict[str, float | None]()
    try:
        eventually_each(
            {"shown": RefusalShown(refusal.case)},
            platform.cluster,
            since=refusal.effect.begun,
            within=limit,
            reached=reached,
        )
    finally:
        recorder.recovery(
            claim=_SLO, fault=refusal.effect.fault.description, subject=refusal.case.application,
            series="refused to Degraded", at=refusal.effect.clock, phases=reached, seconds=reached.get("shown"),
            within=limit,
        )  # fmt: skip
