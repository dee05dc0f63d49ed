"""Applying objects by hand: what others depend on first, then the rest side by side."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object

#: Kinds that other objects of the same apply depend on.
_FIRST = ("Namespace", "CustomResourceDefinition", "AppProject")
#: Requests under way at once.
_AT_ONCE = 4


def apply_all(cluster: Cluster, objects: Iterable[Object]) -> None:
    """Server-side apply: dependencies first, then the others side by side. What is as it should be is not changed."""
    others: list[Object] = []
    for obj in objects:
        if obj["kind"] in _FIRST:
            cluster.apply(obj)
        else:
            others.append(obj)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="apply") as pool:
        list(pool.map(cluster.apply, others))
