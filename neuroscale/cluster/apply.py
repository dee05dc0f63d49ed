"""Applying objects by hand: what others depend on first, then the rest side by side."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from neuroscale.cluster.client import FIELD_MANAGER, Cluster
from neuroscale.kubernetes.refs import Object, Ref

#: Kinds that other objects of the same apply depend on.
_FIRST = ("Namespace", "CustomResourceDefinition", "AppProject")
#: Requests under way at once.
_AT_ONCE = 4


def apply_all(cluster: Cluster, objects: Iterable[Object]) -> None:
    """Server-side apply: dependencies first, then the others side by side. What is as it should be is not written."""
    others: list[Object] = []
    for obj in objects:
        if obj["kind"] in _FIRST:
            _apply(cluster, obj)
        else:
            others.append(obj)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="apply") as pool:
        list(pool.map(partial(_apply, cluster), others))


def _apply(cluster: Cluster, obj: Object) -> None:
    """Apply an object, unless a dry run says that nothing would come of it."""
    there = cluster.get(Ref.to(obj))
    if there is None or _applied(cluster.apply(obj, dry_run=True)) != _applied(there):
        cluster.apply(obj)


def _applied(obj: Object) -> Object:
    """What an apply can change of an object: neither its status nor what others have written about themselves."""
    counted = ("managedFields", "resourceVersion")
    metadata = {key: value for key, value in obj["metadata"].items() if key not in counted}
    ours = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in obj["metadata"].get("managedFields") or []
        if entry.get("manager") == FIELD_MANAGER
    ]
    content = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**content, "metadata": metadata, "managedFields": ours}
