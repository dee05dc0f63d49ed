"""Endpoints: what stands behind a Service."""

from __future__ import annotations

from collections.abc import Iterable

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref

#: On each slice of endpoints, also on one that somebody adds by hand: the Service that it counts for.
_SERVICE = "kubernetes.io/service-name"


def slices_of(cluster: Cluster, service: Ref) -> list[Object]:
    """The slices of a Service."""
    return cluster.list("EndpointSlice", service.namespace, labels=f"{_SERVICE}={service.name}")


def belongs_to(part: Object, service: str) -> bool:
    """Whether a slice is one of this Service's, in its namespace."""
    return bool((part["metadata"].get("labels") or {}).get(_SERVICE) == service)


def ready(slices: Iterable[Object]) -> list[Object]:
    """The endpoints in some slices that requests are sent to; one that does not say is."""
    ends = [end for part in slices for end in part.get("endpoints") or []]
    return [end for end in ends if (end.get("conditions") or {}).get("ready") is not False]
