"""The Job that judges a proposed commit is killed at a boundary of its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectDeleted
from neuroscale.commit_statuses import Statuses
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, PreconditionFailed
from neuroscale.golden_path import proposals
from neuroscale.golden_path.proposals import JUDGED_WITHIN, Proposed
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending
from neuroscale.probes import pull_requests
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.settings import GATE_REPORTER

Stage = Literal["not there", "not placed", "about to judge", "judging", "judged", "reporting", "reported", "failed"]

_SHA = "neuroscale.io/sha"
_NEXT = "neuroscale check pull_requests"


def _cordoned(platform: Platform) -> Sequence[Fault]:
    """No node takes a pod: one that is made waits."""
    nodes = [Ref.to(node) for node in platform.cluster.list("Node")]
    return [FieldsEdited(target=node, patch={"spec": {"unschedulable": True}}) for node in nodes]


def _token_away(_: Platform) -> Sequence[Fault]:
    """The container that reports cannot be made: the pod waits with the verdict."""
    return [FieldsEdited(target=pull_requests.token(GATE_REPORTER), patch={"data": {"TOKEN": None}})]


def _nothing(_: Platform) -> Sequence[Fault]:
    return ()


#: When -> what holds the pod there until it is killed, and how far it is then. Judging takes long enough to be met.
_BOUNDARIES: Mapping[str, tuple[Callable[[Platform], Sequence[Fault]], Stage]] = {
    "before it starts": (_cordoned, "not placed"),
    "while it judges": (_nothing, "judging"),
    "before its status is written": (_token_away, "judged"),
    "after its status was written": (_nothing, "reported"),
}


def kill(what: str, when: str, breakage: Breakage) -> Proposed:
    """Propose a good model, and kill what judges it.

    Args:
        what: ``pod`` or ``Job``.
        when: Of the boundaries.
        breakage: Takes the pull request away again.

    Raises:
        FaultHadNoEffect: The boundary did not come, or was passed.
    """
    (hold, stage), platform = _BOUNDARIES[when], breakage.platform
    with Breakage(platform, breakage.journal) as holding:
        for fault in hold(platform):
            holding.inject(fault)
        proposed = proposals.propose("a model with everything it needs", breakage)
        head, _ = head_of(proposed, platform)
        pod = _wait_for_stage(stage, head, platform)
        # What waits, or is done, does nothing more; what judges has no token, so that it can say nothing either.
        breakage.inject(ObjectDeleted(target=_target(what, pod), at_once=what == "pod"))
        _assert_written(when, head, platform, written=stage == "reported")
    return proposed


def _target(what: str, pod: Object) -> Ref:
    if what == "pod":
        return Ref.to(pod)
    (owner,) = (one for one in pod["metadata"]["ownerReferences"] if one["kind"] == "Job")
    return Ref("Job", owner["name"], pod["metadata"]["namespace"])


def _wait_for_stage(stage: Stage, head: str, platform: Platform) -> Object:
    """The pod that judges a commit, once it is so far."""
    found: list[Object] = []

    def evaluate() -> Verdict:
        pods = platform.cluster.list("Pod", pull_requests.NAMESPACE, labels="app=gate")
        found[:] = [pod for pod in pods if (pod["metadata"].get("annotations") or {}).get(_SHA) == head]
        return evaluate_stage(found, stage)

    probe = ProbeFunction(f"the gate's pod for {head} is {stage}", evaluate, pull_requests.AREA)
    try:
        eventually(probe, platform.cluster, within=JUDGED_WITHIN, every=0.05)
    except ConditionTimeout as error:
        raise FaultHadNoEffect(str(error)) from error
    return found[0]


def evaluate_stage(pods: Sequence[Object], stage: Stage) -> Verdict:
    """The one pod that judges a commit is so far."""
    stages = [stage_of(pod) for pod in pods] or ["not there"]
    return met(stage) if stages == [stage] else pending(", ".join(stages))


def stage_of(pod: Object) -> Stage:
    """How far a pod of the gate is: it judges in one container, and reports in the next."""
    status = pod.get("status") or {}
    judge, report = (_state(status.get(key)) for key in ("initContainerStatuses", "containerStatuses"))
    if status.get("phase") in ("Succeeded", "Failed"):
        return "reported" if status["phase"] == "Succeeded" else "failed"
    if "running" in judge:
        return "judging"
    if (judge.get("terminated") or {}).get("exitCode") == 0:
        return "reporting" if {"running", "terminated"} & set(report) else "judged"
    return "about to judge" if pod["spec"].get("nodeName") else "not placed"


def _state(statuses: Sequence[Object] | None) -> Object:
    return dict((statuses or [{}])[0].get("state") or {})


def head_of(proposed: Proposed, platform: Platform) -> tuple[str, int]:
    """The commit that is proposed, and the number of its pull request.

    Raises:
        PreconditionFailed: There is none.
    """
    pull = platform.git_server.pull_request(proposed.branch)
    if pull is None:
        raise PreconditionFailed(f"{proposed.branch} should have an open pull request, but has none. Next: {_NEXT}")
    return pull.head, pull.number


def _assert_written(when: str, head: str, platform: Platform, *, written: bool) -> None:
    """Whether the gate's own status is there tells on which side of it the Job died."""
    found = Statuses(platform.git_server.url).latest(head)
    there = found is not None and found.creator == GATE_REPORTER
    if there != written:
        raise FaultHadNoEffect(
            f"The gate's Job should be killed {when}, but its status is {'there' if there else 'not there'}. "
            f"Next: {_NEXT}"
        )


def assert_approved(proposed: Proposed, platform: Platform) -> None:
    """The gate has approved the proposed commit, without which its status counts for nothing.

    Raises:
        ConditionTimeout: It has not.
    """
    head, number = head_of(proposed, platform)
    verdict = evaluate_approved(Statuses(platform.git_server.url).approved(number), head)
    assert_met("the gate has approved the commit", verdict, platform, pull_requests.AREA)


def evaluate_approved(approved: frozenset[str], head: str) -> Verdict:
    """A commit, and no other, is approved."""
    return met(head) if approved == {head} else pending(f"approved are {sorted(approved)} and not {head}")
