"""Nodes that go: drained as for maintenance, or killed as by a loss of power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.host.engine import Engine
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
#: Seconds for all pods of a node to leave: those that are asked by somebody have 30 s and more to say goodbye.
_LEFT_WITHIN = 240


class NodeDrained(FaultModel):
    """A node takes no new pods, and its pods are evicted, by ``kubectl drain``; at the end it takes pods again.

    Attributes:
        node: Its name.
    """

    kind: Literal["node-drained"] = "node-drained"
    node: str

    @property
    def target(self) -> Ref:
        """The node."""
        return Ref("Node", self.node)

    @property
    def description(self) -> str:
        """The deed."""
        return f"node {self.node} is drained"

    def snapshot(self, platform: Platform) -> Snapshot:
        """Where kubectl is."""
        return {"server": _server(platform.cluster.list("Node"))}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Cordon it, and evict its pods.

        Raises:
            HostError: A pod did not leave in time.
        """
        # By the client that proves whose cluster it is; kubectl finds it done.
        platform.cluster.patch(self.target, {"spec": {"unschedulable": True}})
        options = ("--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={_LEFT_WITHIN}s")
        drain = ("kubectl", "drain", self.node, *options)
        Engine().call("exec", snapshot["server"], *drain, within=_LEFT_WITHIN + 10)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """Nothing is on it but what each node has."""
        node = platform.cluster.get(self.target) or {}
        if not (node.get("spec") or {}).get("unschedulable"):
            return pending(f"{self.target} takes pods")
        left = [pod["metadata"]["name"] for pod in platform.cluster.list("Pod") if _stays_for(pod, self.node)]
        return pending(f"still there: {', '.join(left)}") if left else met(f"{self.target} is empty")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Let it take pods again."""
        platform.cluster.patch(self.target, {"spec": {"unschedulable": None}})


class NodeKilled(FaultModel):
    """A node's container is killed with everything in it, and started again at the end.

    Attributes:
        node: Its name, which is the container's.
    """

    kind: Literal["node-killed"] = "node-killed"
    node: str

    @property
    def target(self) -> None:
        """The API server notices in its own time."""
        return

    @property
    def description(self) -> str:
        """The deed."""
        return f"node {self.node} is killed"

    def snapshot(self, platform: Platform) -> Snapshot:  # noqa: ARG002
        """Nothing: it runs."""
        return {}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Kill it."""
        platform.cluster.assert_writable(self.description)
        Engine().call("kill", self.node)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The engine says so."""
        return pending("it runs") if _runs(self.node) else met(f"node {self.node} does not run")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Start it; one that runs is left as it is."""
        Engine().call("start", self.node)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:  # noqa: ARG002
        """The engine says so; whether the node is well again is for the steady state to say."""
        return met("it runs") if _runs(self.node) else pending("it does not run")


def _runs(node: str) -> bool:
    return Engine().call("inspect", "--format", "{{.State.Running}}", node).strip() == "true"


def _server(nodes: Sequence[Object]) -> str:
    """Name of the first node of the control plane; of any where no node says so."""
    names = [node["metadata"]["name"] for node in nodes if CONTROL_PLANE in (node["metadata"].get("labels") or {})]
    return str((names or [node["metadata"]["name"] for node in nodes])[0])


def _stays_for(pod: Object, node: str) -> bool:
    """Whether it is on a node, has not ended, and is none of those that each node has."""
    owners = {owner["kind"] for owner in pod["metadata"].get("ownerReferences") or []}
    ended = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return pod["spec"].get("nodeName") == node and not ended and not owners & {"DaemonSet", "Node"}
