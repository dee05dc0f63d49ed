"""The API server's audit log of the cluster: what one user has asked for, and whether it was a write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroscale.bootstrap_scenarios.audited import LOG_IN_NODE, USER
from neuroscale.bootstrap_scenarios.own_cluster import NEXT, OwnCluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.host.engine import Engine
from neuroscale.kubernetes.refs import Object

_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
#: Asked with a create, and nothing is made.
_REVIEWS = frozenset(
    {
        "localsubjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectreviews",
        "subjectaccessreviews",
        "tokenreviews",
    }
)
_SHOWN = 5


@dataclass(frozen=True)
class Asked:
    """What was asked for in some time.

    Attributes:
        reads: How many reads; a log that has none has seen nothing.
        apart: Writes that write nothing: dry runs and reviews.
        writes: All others.
    """

    reads: int
    apart: tuple[str, ...]
    writes: tuple[str, ...]


def length(own: OwnCluster) -> int:
    """Bytes of the log now.

    Raises:
        HostError: There is none.
    """
    return int(_in_node(own, "stat", "-c", "%s", LOG_IN_NODE))


def since(own: OwnCluster, start: int) -> Asked:
    """What has been asked for since the log had so many bytes."""
    return asked(_in_node(own, "tail", "-c", f"+{start + 1}", LOG_IN_NODE).splitlines())


def _in_node(own: OwnCluster, *command: str) -> str:
    return Engine().call("exec", f"k3d-{own.name}-server-0", *command)


def asked(lines: Sequence[str]) -> Asked:
    """What the lines of a log say that the user has asked for."""
    reads, apart, writes = 0, list[str](), list[str]()
    for event in map(json.loads, filter(None, lines)):
        if event["user"]["username"] != USER or event["stage"] != "ResponseComplete":
            continue
        if event["verb"] not in _WRITES:
            reads += 1
        elif _writes_nothing(event):
            apart.append(_in_words(event))
        else:
            writes.append(_in_words(event))
    return Asked(reads, tuple(apart), tuple(writes))


def _writes_nothing(event: Mapping[str, Object]) -> bool:
    target = event.get("objectRef") or {}
    return "dryRun=All" in str(event["requestURI"]) or target.get("resource") in _REVIEWS


def _in_words(event: Mapping[str, Object]) -> str:
    target = event.get("objectRef") or {}
    names = [target.get(key) for key in ("resource", "namespace", "name", "subresource")]
    return f"{event['verb']} {'/'.join(str(name) for name in names if name)} by {event.get('userAgent', 'nobody')}"


def assert_no_write(found: Asked) -> None:
    """The log has seen the user, and no write of his.

    Raises:
        PreconditionFailed: It has seen nothing.
        ConditionTimeout: It has seen a write.
    """
    if not found.reads:
        raise PreconditionFailed(f"The audit log should have seen the bootstrap read, but has not. Next: {NEXT}")
    if found.writes:
        raise ConditionTimeout(
            f"The bootstrap should write nothing, but wrote {len(found.writes)} times, beside {len(found.apart)} dry "
            f"runs and reviews: {'; '.join(found.writes[:_SHOWN])}. Next: {NEXT}"
        )
