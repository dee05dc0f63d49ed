"""What a fault is, and the faults that Kubernetes objects and the repository can suffer.

A fault is a small frozen value: the journal stores it as JSON, and a later process can revert it from there. Whether
it took effect is judged on what a watch saw, since a self-healing platform may have mended it before anybody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from neuroscale.chaos.commit_faults import Committed, FormSubmitted, PullRequestMerged, PullRequestProposed
from neuroscale.chaos.creation_faults import CreatedByProgram, ObjectCreated
from neuroscale.chaos.edit_faults import ApplicationEdited, FieldsEdited, SecretEdited
from neuroscale.chaos.fault_base import BringsObject, ObjectFault, Snapshot
from neuroscale.chaos.freeze_fault import Frozen
from neuroscale.chaos.git_server_faults import MemberAdded, ProtectionChanged
from neuroscale.chaos.monkeypatching import FunctionPatched
from neuroscale.chaos.node_faults import NodeDrained, NodeKilled
from neuroscale.chaos.objects import (
    create_unless_present,
    requested_millicores,
)
from neuroscale.chaos.push_hook_fault import PushHookSwitchedOff
from neuroscale.cluster.watch import WatchEvent
from neuroscale.kubernetes.quantities import millicores
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable

__all__ = [
    "ApplicationEdited",
    "Committed",
    "ContainerAdded",
    "CpuTaken",
    "CreatedByProgram",
    "Fault",
    "FieldsEdited",
    "FormSubmitted",
    "Frozen",
    "FunctionPatched",
    "MemberAdded",
    "NodeDrained",
    "NodeKilled",
    "ObjectCreated",
    "ObjectDeleted",
    "ProtectionChanged",
    "PullRequestMerged",
    "PullRequestProposed",
    "PushHookSwitchedOff",
    "ScaledTo",
    "SecretEdited",
    "Snapshot",
]


class ObjectDeleted(ObjectFault):
    """An object is deleted. What puts it back is the platform's business; the revert only makes sure it is there.

    Attributes:
        by_hand: Nothing of the platform puts it back: a remedy does.
        held: A finalizer is expected to hold it: the deletion is ordered and does not come about.
        at_once: A pod gets no time to end.
    """

    kind: Literal["object-deleted"] = "object-deleted"
    by_hand: bool = False
    held: bool = False
    at_once: bool = False

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} is deleted{', and held' if self.held else ''}"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Delete it in the background, as ``kubectl delete`` does."""
        platform.cluster.delete(self.target, at_once=self.at_once)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The old UID was seen to go, or another one has taken the name; one that is held was seen to be marked."""
        if snapshot["before"] is None:
            return unrecoverable(f"{self.target} did not exist before")
        uid = snapshot["before"]["metadata"]["uid"]
        return _seen_held(uid, seen) if self.held else _seen_gone(uid, seen)

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Create it again if nobody has. The pod of a controller is replaced under another name."""
        before = snapshot["before"]
        if before is None or (self.target.kind == "Pod" and before["metadata"].get("ownerReferences")):
            return
        if platform.cluster.get(self.target) is None:
            create_unless_present(platform.cluster, before)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:
        """One that was held goes once nothing holds it, and is then for the platform to put back."""
        if not self.held or snapshot["before"] is None:
            return met("the revert was all")
        now = platform.cluster.get(self.target)
        if now is None or now["metadata"].get("deletionTimestamp"):
            return pending("it is about to go" if now else "it is gone")
        return met("it is there")


class ScaledTo(ObjectFault):
    """A workload is scaled, for instance to nothing."""

    kind: Literal["scaled-to"] = "scaled-to"
    replicas: int

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} is scaled to {self.replicas}"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Set ``spec.replicas``."""
        platform.cluster.patch(self.target, {"spec": {"replicas": self.replicas}})

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The status was seen to count the wanted number of ready pods."""
        if snapshot["before"] is None:
            return unrecoverable(f"{self.target} does not exist")
        if snapshot["before"]["spec"].get("replicas", 1) == self.replicas:
            return unrecoverable(f"it had {self.replicas} replicas before")
        counts = [(event.obj.get("status") or {}).get("readyReplicas", 0) for event in seen]
        wanted = [
            count
            for count, event in zip(counts, seen, strict=True)
            if count == self.replicas == event.obj["spec"].get("replicas", 1)
        ]
        return met(f"it has {self.replicas} ready pods") if wanted else pending(f"ready pods so far: {counts}")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Scale back."""
        if snapshot["before"] is not None and platform.cluster.get(self.target) is not None:
            platform.cluster.patch(self.target, {"spec": {"replicas": snapshot["before"]["spec"].get("replicas", 1)}})


class ContainerAdded(ObjectFault):
    """The pods of a workload get one more container."""

    kind: Literal["container-added"] = "container-added"
    container: Object

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} gets a container {self.container['name']} of {self.container['image']}"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Patch the pod template; a merge patch replaces the list whole."""
        if snapshot["before"] is not None:
            self._give(platform, [*_containers(snapshot["before"]), self.container])

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The pod template was seen to hold it."""
        if snapshot["before"] is None:
            return unrecoverable(f"{self.target} does not exist")
        if self._has_it(snapshot["before"]):
            return unrecoverable("it had such a container before")
        return met("it is there") if any(self._has_it(one.obj) for one in seen) else pending("it is not there")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Take it out again."""
        now = platform.cluster.get(self.target)
        if snapshot["before"] is not None and now is not None and self._has_it(now):
            self._give(platform, [one for one in _containers(now) if one["name"] != self.container["name"]])

    def _has_it(self, workload: Object) -> bool:
        return self.container["name"] in [one["name"] for one in _containers(workload)]

    def _give(self, platform: Platform, containers: list[Object]) -> None:
        platform.cluster.patch(self.target, {"spec": {"template": {"spec": {"containers": containers}}}})


class CpuTaken(BringsObject):
    """A pod of higher priority takes so much CPU that a workload's pod must go and does not fit again.

    What is asked for is computed from the node at hand: everything free, and more than half of what the workload's pod
    asks for, so that evicting that pod is what makes room.
    """

    kind: Literal["cpu-taken"] = "cpu-taken"
    target: Ref
    priority_class: str
    image: str
    short_of: Ref

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} takes the CPU that {self.short_of} needs"

    def snapshot(self, platform: Platform) -> Snapshot:
        """The filler that this node needs."""
        # What a pod on its way out holds is free in a moment: counted as taken, it would leave room for the workload.
        pods = [
            pod
            for pod in platform.cluster.list("Pod")
            if pod["status"].get("phase") in ("Pending", "Running") and "deletionTimestamp" not in pod["metadata"]
        ]
        node = platform.cluster.list("Node")[0]
        free = millicores(node["status"]["allocatable"]["cpu"]) - sum(map(requested_millicores, pods))
        workload = platform.cluster.get(self.short_of)
        needed = requested_millicores(workload["spec"]["template"]) if workload else 0
        return {"before": platform.cluster.get(self.target), "millicpu": free + needed * 6 // 10, "needed": needed}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Create the pod."""
        amounts = {"cpu": f"{snapshot['millicpu']}m", "memory": "64Mi"}
        platform.cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                # As the policies want it, where they are in force.
                "metadata": {
                    "name": self.target.name,
                    "namespace": self.target.namespace,
                    "labels": {"owner": "platform-team", "cost-center": "cc-platform"},
                },
                "spec": {
                    "priorityClassName": self.priority_class,
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": 0,
                    "containers": [
                        {
                            "name": "filler",
                            "image": self.image,
                            "resources": {"requests": amounts, "limits": amounts},
                            "securityContext": {"runAsNonRoot": True},
                        }
                    ],
                },
            }
        )

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The filler was seen to be placed on the node."""
        if snapshot["needed"] <= 0:
            return unrecoverable(f"{self.short_of} asks for no CPU, so nothing can make it short of it")
        placed = [event for event in seen if event.obj["spec"].get("nodeName")]
        return met(f"the filler holds {snapshot['millicpu']}m") if placed else pending("the filler is not placed yet")


Fault = Annotated[
    ObjectDeleted
    | ObjectCreated
    | CreatedByProgram
    | FieldsEdited
    | ApplicationEdited
    | SecretEdited
    | ScaledTo
    | ContainerAdded
    | CpuTaken
    | Committed
    | Frozen
    | NodeDrained
    | NodeKilled
    | FormSubmitted
    | PullRequestProposed
    | PullRequestMerged
    | MemberAdded
    | ProtectionChanged
    | PushHookSwitchedOff
    | FunctionPatched,
    Field(discriminator="kind"),
]


def _seen_held(uid: str, seen: Sequence[WatchEvent]) -> Verdict:
    """Whether an object was seen to be marked for deletion, and held by a finalizer."""
    marked = [one.obj["metadata"] for one in seen if one.uid == uid and one.event != "DELETED"]
    holders = next((meta.get("finalizers") for meta in marked if meta.get("deletionTimestamp")), None)
    return met(f"UID {uid} is to go, held by {holders}") if holders else pending("it is not to go")


def _seen_gone(uid: str, seen: Sequence[WatchEvent]) -> Verdict:
    """Whether an object was seen to go, or another one to have its name; else what holds it."""
    for event in seen:
        if event.event == "DELETED" and event.uid == uid:
            return met(f"UID {uid} is gone")
        if event.uid != uid:
            return met(f"UID {uid} is gone, UID {event.uid} has taken the name")
    holders = seen[-1].obj["metadata"].get("finalizers") if seen else None
    return pending(f"UID {uid} is still there" + (f", held by finalizers {holders}" if holders else ""))


def _containers(workload: Object) -> list[Object]:
    return list(workload["spec"]["template"]["spec"]["containers"])
