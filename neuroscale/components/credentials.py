"""Secrets that Git must not have, and who has read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from neuroscale.cluster.apply import apply_all
from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.objects import namespace, secret
from neuroscale.kubernetes.refs import Ref

#: As `kubectl rollout restart` says it.
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def provide_secret(cluster: Cluster, ref: Ref, values: Mapping[str, str], readers: Iterable[Ref]) -> None:
    """Apply a Secret and its namespace, and restart who had the old values: a variable is read when a container starts.

    Args:
        cluster: Where.
        ref: The Secret.
        values: All that it holds.
        readers: Workloads; those that do not exist yet will read the new ones.
    """
    apply_all(cluster, (namespace(ref.namespace or ""), secret(ref, values)))
    for reader in readers:
        if cluster.get(reader) is not None:
            annotations = {_RESTARTED: datetime.now(UTC).isoformat(timespec="seconds")}
            cluster.patch(reader, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
