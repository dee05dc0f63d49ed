"""A pod of the portal, of its database or of the Git server is deleted on the way of a form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from neuroscale.backstage_client import Backstage, Task, portal
from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import FormSubmitted, ObjectDeleted
from neuroscale.deaths.survival import Form, Survived
from neuroscale.errors import FaultHadNoEffect, PreconditionFailed
from neuroscale.git_server import GitServer
from neuroscale.git_server_api import SERVICE_URL
from neuroscale.golden_path.form import filled_in
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending
from neuroscale.probes import backstage
from neuroscale.probes.git_server import GITEA
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.probes.workloads import Available, pods_of
from neuroscale.settings import BUDGETS

_WORKLOADS: Mapping[str, Ref] = {
    "the portal": backstage.BACKSTAGE,
    "its database": backstage.POSTGRESQL,
    "the Git server": GITEA,
}
#: A form takes a second or two, and nothing holds it here: what comes too late proves nothing, and is tried again.
_ATTEMPTS = 3
_NEXT = "neuroscale check backstage"


@dataclass(frozen=True)
class ClusterPortal:
    """The portal of the cluster, and its Git server."""

    platform: Platform

    @property
    def backstage(self) -> Backstage:
        """The portal; what is asked of it may be a form, so that the guard is asked each time.

        Raises:
            WriteForbidden: The guard forbids it.
        """
        self.platform.cluster.assert_writable(f"a form to {portal().url}")
        return portal()

    @property
    def git_server(self) -> GitServer:
        """The Git server."""
        return self.platform.git_server

    @property
    def pages(self) -> str:
        """Where it thinks that its pages are."""
        return SERVICE_URL


def die(what: str, breakage: Breakage) -> Survived:
    """Hand a form in, delete a pod before the form's task has ended, and hand in another form when a new one is ready.

    Args:
        what: Whose pod.
        breakage: Takes the forms' branches away again.

    Raises:
        FaultHadNoEffect: The task had ended before the pod did, each time.
        ConditionTimeout: There is no new pod.
    """
    for _ in range(_ATTEMPTS):
        survived, gone = _die(_WORKLOADS[what], breakage)
        if was_struck(portal().task(survived.first.task), gone):
            return survived
    raise FaultHadNoEffect(
        f"A form should be on its way when the pod of {what} goes, but had come through each of {_ATTEMPTS} times. "
        f"Next: {_NEXT}"
    )


def _die(workload: Ref, breakage: Breakage) -> tuple[Survived, datetime]:
    platform = breakage.platform
    before, pods = frozenset(platform.git_server.branches()), _pods(workload, platform)
    if len(pods) != 1:
        raise PreconditionFailed(f"{workload} should have one pod, but has {len(pods)}. Next: {_NEXT}")
    first = _hand_in(breakage)
    effect = breakage.inject(ObjectDeleted(target=Ref.to(pods[0])))
    _wait_until_replaced(workload, pods[0]["metadata"]["uid"], platform)
    over = monotonic()
    return Survived(first, _hand_in(breakage), over, before, ClusterPortal(platform), _NEXT), _gone(effect)


def was_struck(task: Task, gone: datetime) -> bool:
    """Whether a task met a death: it had not succeeded before.

    Args:
        task: As it stands afterwards.
        gone: When what died was gone.
    """
    return not (task.status == "completed" and task.ended_at is not None and task.ended_at < gone)


def _gone(effect: Effect) -> datetime:
    """When the pod was seen to be gone."""
    seen = effect.watcher.watch_events if effect.watcher else ()
    return next((event.clock for event in seen if event.at == effect.at), effect.clock)


def _hand_in(breakage: Breakage) -> Form:
    fault = FormSubmitted(values=filled_in(), on_record=True)
    return Form(fault.values, breakage.inject(fault).snapshot["task"])


def _pods(workload: Ref, platform: Platform) -> list[Object]:
    obj = platform.cluster.get(workload)
    return pods_of(platform.cluster, obj) if obj else []


def _wait_until_replaced(workload: Ref, uid: str, platform: Platform) -> None:
    """Another pod is ready, and the portal offers its form."""

    def evaluate() -> Verdict:
        return evaluate_replaced(_pods(workload, platform), uid)

    probes = (
        ProbeFunction(f"{workload} has another pod", evaluate, "backstage"),
        Available(workload),
        backstage.template_offered(portal()),
    )
    for probe in probes:
        eventually(probe, platform.cluster, within=BUDGETS.recover, every=0.1)


def evaluate_replaced(pods: Collection[Object], uid: str) -> Verdict:
    """There are pods, and the one with this UID is not among them."""
    there = {pod["metadata"]["uid"] for pod in pods}
    return met(f"{len(pods)} pods, all of them others") if there and uid not in there else pending(f"{sorted(there)}")
