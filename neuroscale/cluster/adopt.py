"""Marking an existing cluster, at its owner's explicit wish, as one that may be broken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml
from urllib3.util import parse_url

from neuroscale.atomic_write import write_atomically
from neuroscale.cluster.client import Cluster, read_kubeconfig, self_contained
from neuroscale.cluster.guard import MARKER_PATH, READS, Read, marker
from neuroscale.cluster.state import ClusterState, kubeconfig_file, load_state
from neuroscale.errors import UsageError, WriteForbidden
from neuroscale.settings import CLUSTER_NAME

#: Node port of the Git server (bootstrap/forge/gitea.yaml).
_FORGE_PORT = 30300


@dataclass(frozen=True)
class OnlyTheMarker:
    """The one write that needs no marker: writing it."""

    def allow(self, method: str, path: str, server: str, read: Read) -> None:  # noqa: ARG002 - the port's signature
        """Let the marker pass, and reads."""
        if method not in READS and path.split("?", maxsplit=1)[0] != MARKER_PATH:
            raise WriteForbidden(f"{method} {path} at {server} was not sent: only the marker may be written here")


def mark(kubeconfig: Path, context: str | None, nonce: str, at: datetime) -> str:
    """Write the marker and remember the cluster; returns its address.

    Raises:
        UsageError: The nonce is not one that ``neuroscale adopt`` prints.
        WriteForbidden: This machine already has a cluster of that name.
    """
    if not re.fullmatch(r"[0-9a-f]{32}", nonce):
        raise UsageError("--allow-destructive should be the 32 hexadecimal digits that `neuroscale adopt` printed")
    if load_state() is not None:
        raise WriteForbidden(
            f"The name {CLUSTER_NAME} should be free, but this machine has a cluster of that name. "
            "Next: neuroscale down, or NEUROSCALE_CLUSTER=another-name"
        )
    cluster = Cluster(read_kubeconfig(kubeconfig, context), OnlyTheMarker())
    cluster.apply(marker(nonce, CLUSTER_NAME))
    content = self_contained(kubeconfig)
    content["current-context"] = context or content["current-context"]
    # The state last: a cluster that is remembered can be reached, and forgotten again.
    write_atomically(kubeconfig_file(), yaml.safe_dump(content), private=True)
    host = parse_url(cluster.server).host  # an IPv6 address in its brackets, unlike what urllib says
    ClusterState(
        name=CLUSTER_NAME,
        nonce=nonce,
        server=cluster.server,
        adopted=True,
        created_at=at,
        forge_url=f"http://{host}:{_FORGE_PORT}",
    ).save()
    return cluster.server
