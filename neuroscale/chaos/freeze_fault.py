"""Processes that are there and do nothing: whoever asks them waits, and is told nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.host.engine import Engine
from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.workloads import pods_of

#: What k3s calls itself: API server, scheduler, controllers and kubelet are one process.
_API_SERVER = "/bin/k3s server"
#: For each process that is meant: ask the kernel to do "$1" with it, if that is given, and say in what state it is.
_SCRIPT = """
signal=$1 command=$2 pods=$3
for process in /proc/[0-9]*; do
  if [ -n "$pods" ]; then
    grep -qE "pod($pods)" "$process/cgroup" 2>/dev/null || continue
  else
    case "$(tr '\\0' ' ' <"$process/cmdline" 2>/dev/null)" in "$command"*) ;; *) continue ;; esac
  fi
  [ -z "$signal" ] || kill "-$signal" "${process#/proc/}" 2>/dev/null
  sed -n 's/^State:[[:space:]]*\\(.\\).*/\\1/p' "$process/status" 2>/dev/null
done
exit 0
"""
_SECONDS = 30.0


class Frozen(FaultModel):
    """Processes are stopped by the kernel (SIGSTOP) and go on where they stood (SIGCONT).

    Nodes are containers on this machine, so that not even the API server is needed to end it.

    Attributes:
        workload: Whose pods' processes; without one, the API server's.
    """

    kind: Literal["frozen"] = "frozen"
    workload: Ref | None = None

    @property
    def target(self) -> None:
        """Nothing changes about the object, and the API server may be what is frozen."""
        return

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.workload or 'the API server'} is frozen"

    def snapshot(self, platform: Platform) -> Snapshot:
        """Nodes, and pods of the workload."""
        nodes = [node["metadata"]["name"] for node in platform.cluster.list("Node")]
        if self.workload is None:
            return {"nodes": nodes, "pods": []}
        workload = platform.cluster.get(self.workload)
        pods = pods_of(platform.cluster, workload) if workload else []
        return {"nodes": nodes, "pods": [pod["metadata"]["uid"] for pod in pods]}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:
        """Stop them."""
        if snapshot["pods"] or self.workload is None:
            platform.cluster.assert_writable(self.description)
            _do("STOP", snapshot)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """The kernel says so of each."""
        if not snapshot["pods"] and self.workload is not None:
            return unrecoverable(f"{self.workload} has no pod")
        states = _do("", snapshot)
        stopped = states and set(states) == {"T"}
        return met(f"{len(states)} processes stand still") if stopped else pending(f"states of processes: {states}")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Let them go on."""
        _do("CONT", snapshot)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:  # noqa: ARG002
        """The kernel says of none that it stands still."""
        states = _do("", snapshot)
        return pending(f"states of processes: {states}") if "T" in states else met("none stands still")


def _do(signal: str, snapshot: Snapshot) -> str:
    """Send a signal to the processes, and return their states, a letter each."""
    # Names of cgroups have other hyphens where systemd makes them.
    pods = "|".join(uid.replace("-", "[-_]") for uid in snapshot["pods"])
    said = [
        Engine().call("exec", node, "sh", "-c", _SCRIPT, "sh", signal, _API_SERVER, pods, within=_SECONDS)
        for node in snapshot["nodes"]
    ]
    return "".join("".join(said).split())
