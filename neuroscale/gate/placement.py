"""Where objects will be: the namespace that their Application leads to, unless they say another."""

from __future__ import annotations

from neuroscale.gate.findings import Places, Tree
from neuroscale.gate.scopes import cluster_scoped
from neuroscale.kubernetes.refs import Object

DEFAULT = "default"


def placed(tree: Tree, places: Places | None = None) -> dict[str, list[Object]]:
    """Objects, each in the namespace that it will be made in.

    Args:
        tree: With the Applications.
        places: The objects; those of the tree if not given.
    """
    destinations = {path_of(app): namespace_of(app) for app in tree.applications}
    scoped = cluster_scoped(tree.places)
    return {
        place: [_in(obj, destinations.get(place, DEFAULT)) if obj["kind"] not in scoped else obj for obj in objects]
        for place, objects in (tree.places if places is None else places).items()
    }


def path_of(app: Object) -> str:
    """The folder that an Application deploys; empty: it deploys something else."""
    source = app["spec"].get("source") or {}
    return str(source.get("path") or "").strip("/")


def namespace_of(app: Object) -> str:
    """Where an Application's objects are made that do not say where."""
    return str((app["spec"].get("destination") or {}).get("namespace") or DEFAULT)


def _in(obj: Object, namespace: str) -> Object:
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, "namespace": meta.get("namespace") or namespace}}
