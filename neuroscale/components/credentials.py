"""Secrets that Git must not have, and who has read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from neuroscale.cluster.apply import apply_all
from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.objects import namespace, secret
from neuroscale.kubernetes.refs import Ref

#: As `kubectl rollout restart` says it.
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
#: On a Secret whose readers may have its old values: whoever wrote it may have died before they were restarted.
_DUE = "neuroscale.io/readers-not-restarted-since"


def provide_secret(cluster: Cluster, ref: Ref, values: Mapping[str, str], readers: Sequence[Ref]) -> None:
    """Apply a Secret and its namespace. It says that its readers are still to be restarted, see below.

    Args:
        cluster: Where.
        ref: The Secret.
        values: All that it holds.
        readers: Workloads that have it; those that do not exist yet will read the new values.
    """
    made = secret(ref, values)
    if readers:
        made["metadata"]["annotations"] = {_DUE: _now()}
    apply_all(cluster, (namespace(ref.namespace or ""), made))


def restart_readers(cluster: Cluster, ref: Ref, readers: Sequence[Ref]) -> None:
    """Restart who may have a Secret's old values, and say that it is done; nothing where nothing is due.

    A variable is read when a container starts. A run that dies at any point of this leaves it due for the next one.

    Args:
        cluster: Where.
        ref: The Secret.
        readers: Workloads that have it.
    """
    if _DUE not in (((cluster.get(ref) or {}).get("metadata") or {}).get("annotations") or {}):
        return
    for reader in readers:
        if cluster.get(reader) is not None:
            cluster.patch(reader, {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: _now()}}}}})
    cluster.patch(ref, {"metadata": {"annotations": {_DUE: None}}})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
