"""What part of this machine's processors a node gets, and what part of that k3s, when there are not enough of them."""

from __future__ import annotations

from pathlib import Path

from neuroscale.atomic_write import write_atomically
from neuroscale.host.engine import Engine

#: What k3d's own entrypoint runs before k3s starts.
BEFORE_K3S = "/bin/k3d-entrypoint-shares.sh"
#: With cgroup v1 all pods together weigh 1024 for each core, k3s 1024 once: on two busy cores a read of the API server,
#: which elsewhere has a machine of its own, took longer than 10 s. As much as two cores of pods, and no more: with 8192
#: the webhooks that it calls were too late. With cgroup v2 it needs no help.
#: What it has to say goes where the node's first process writes, the node's log; k3d keeps the rest in a file inside.
_SCRIPT = """#!/bin/sh
cd /sys/fs/cgroup/cpu 2>/dev/null || exit 0
mkdir -p k3s && echo 2048 >k3s/cpu.shares && exit 0
echo "k3s weighs as much as one core of pods: its share, 2048, cannot be written to $PWD/k3s/cpu.shares" >/proc/1/fd/2
exit 0
"""
#: A container weighs 1024, as one thread of anybody else does. Beside a few that were busy, controllers could not renew
#: their leases in time: KServe's gave up six times in twenty minutes, and Kubernetes waits longer each time.
_NODE = 8192


def write_script(folder: Path) -> Path:
    """Write what is to be at :data:`BEFORE_K3S` in a node into a folder, and return the file."""
    path = folder / "shares.sh"
    write_atomically(path, _SCRIPT)
    path.chmod(0o755)
    return path


def give(engine: Engine, node: str) -> None:
    """Let a node have as much as eight threads of others; what nobody else needs it has anyway.

    Raises:
        HostError: The engine refused.
    """
    engine.call("update", "--cpu-shares", str(_NODE), node)
