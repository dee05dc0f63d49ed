"""Processes of containers as the kernel of a node tells of them, past everything that the API server says.

Nodes are containers on this machine, named as the API server names them; nothing in them is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from neuroscale.cluster.client import Cluster
from neuroscale.host.engine import Engine

#: Everything in one look. A process that ends meanwhile leaves half a section, which is none.
_SCRIPT = """
for process in /proc/[0-9]*; do
  echo "process $process"
  cat "$process/cgroup" "$process/status" 2>/dev/null
done
for limit in /sys/fs/cgroup/kubepods/pod*/*/memory.max /sys/fs/cgroup/kubepods/*/pod*/*/memory.max \\
  /sys/fs/cgroup/memory/kubepods/pod*/*/memory.limit_in_bytes \\
  /sys/fs/cgroup/memory/kubepods/*/pod*/*/memory.limit_in_bytes; do
  [ -f "$limit" ] && echo "limit $limit" && cat "$limit"
done
for one in $(ctr -n k8s.io containers ls -q 'labels."io.cri-containerd.kind"==sandbox'); do
  echo "sandbox $one"
done
exit 0
"""
_SECONDS = 60.0
_CONTAINER = re.compile(r"kubepods\S*[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})\S*?([0-9a-f]{64})")
_SECTION = re.compile(r"^(?=process |limit |sandbox )", re.MULTILINE)
#: What both versions of cgroups write for no limit is larger than any machine.
_UNLIMITED = 1 << 60


@dataclass(frozen=True)
class Process:
    """One process of a container.

    Attributes:
        container: ID of its container.
        pod: UID of its pod.
        users: Real, effective, saved and file system user.
        capabilities: Those that it has: effective, permitted, inheritable or ambient; one bit each.
        bounding: Those that it, or what it executes, could ever have.
        may_gain: Whether a program that it executes may have more than itself.
    """

    name: str
    container: str
    pod: str
    users: tuple[int, ...]
    capabilities: int
    bounding: int
    may_gain: bool


@dataclass(frozen=True)
class Seen:
    """What runs on some nodes.

    Attributes:
        processes: Of containers, those aside that only hold a pod's network.
        limits: Container -> bytes of memory that the kernel lets it have; those without a limit are left out.
    """

    processes: tuple[Process, ...]
    limits: dict[str, int]


def read_nodes(cluster: Cluster) -> Seen:
    """Look at every node of the cluster, once.

    Raises:
        HostError: A node is no container on this machine.
    """
    seen = Seen((), {})
    for node in cluster.list("Node"):
        found = parse(Engine().call("exec", node["metadata"]["name"], "sh", "-c", _SCRIPT, within=_SECONDS))
        seen = replace(seen, processes=(*seen.processes, *found.processes), limits={**seen.limits, **found.limits})
    return seen


def parse(said: str) -> Seen:
    """Read what the script printed."""
    sections = [section.partition("\n") for section in _SECTION.split(said) if section.strip()]
    sandboxes = {head.split()[1] for head, _, _ in sections if head.startswith("sandbox ")}
    processes = tuple(one for head, _, body in sections if head.startswith("process ") for one in _process(body))
    limits = {
        found[2]: int(body)
        for head, _, body in sections
        if head.startswith("limit ") and (found := _CONTAINER.search(head)) and body.strip().isdigit()
    }
    return Seen(
        tuple(one for one in processes if one.container not in sandboxes),
        {container: limit for container, limit in limits.items() if limit < _UNLIMITED},
    )


def _process(body: str) -> Iterator[Process]:
    """The process of a section; none for one of the node's own, and for one that ended while it was looked at."""
    found = _CONTAINER.search(body)
    values = dict(line.split(":", 1) for line in body.splitlines() if ":" in line)
    if found is None or "NoNewPrivs" not in values:
        return
    has = [int(values[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")]
    yield Process(
        name=values["Name"].strip(),
        container=found[2],
        pod=found[1].replace("_", "-"),
        users=tuple(map(int, values["Uid"].split())),
        capabilities=has[0] | has[1] | has[2] | has[3],
        bounding=int(values["CapBnd"], 16),
        may_gain=values["NoNewPrivs"].strip() == "0",
    )
