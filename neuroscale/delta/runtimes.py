"""Which serving runtime completes a model, and how: incident E2 is a model without figures of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from neuroscale.kubernetes.refs import Object

#: The container that a runtime has for the model.
SERVER = "kserve-container"


def runtime_for(model: Object, wanted: str, runtimes: Iterable[Object], namespace: str) -> Object | None:
    """The runtime that KServe takes: the one that is named, else that of the format with the highest priority.

    Args:
        model: What stands below the framework's name, or below ``model``.
        wanted: Name of the model's format.
        runtimes: By name.
        namespace: The model's; a ServingRuntime of another one is none for it.
    """
    known = [one for one in runtimes if one["kind"] == "ClusterServingRuntime" or _namespace(one) == namespace]
    # One of the namespace goes first, whatever it is called.
    known.sort(key=lambda one: one["kind"] == "ClusterServingRuntime")
    if name := model.get("runtime"):
        return next((one for one in known if one["metadata"]["name"] == name), None)
    fitting = [one for one in known if not one["spec"].get("disabled") and _takes(one, model, wanted)]
    return min(fitting, key=lambda one: _rank(one, model, wanted), default=None)


def _namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace") or "")


def _rank(runtime: Object, model: Object, wanted: str) -> tuple[bool, int]:
    priorities = [int(one.get("priority") or 0) for one in _formats(runtime, model, wanted)]
    return runtime["kind"] == "ClusterServingRuntime", -max(priorities)


def _takes(runtime: Object, model: Object, wanted: str) -> bool:
    protocols, asked = runtime["spec"].get("protocolVersions") or [], model.get("protocolVersion")
    return bool(_formats(runtime, model, wanted)) and (not asked or not protocols or asked in protocols)


def _formats(runtime: Object, model: Object, wanted: str) -> list[Object]:
    """Its entries for a format, of those that are chosen without being named."""
    version = (model.get("modelFormat") or {}).get("version")
    entries = runtime["spec"].get("supportedModelFormats") or []
    return [
        one
        for one in entries
        if one.get("autoSelect") and one.get("name") == wanted and version in (None, one.get("version"))
    ]


def completed(model: Object, own: Sequence[Object], runtime: Object | None) -> list[Object]:
    """The containers of a pod with a model: the runtime's and the model's own, together where they share a name."""
    theirs: list[Object] = (runtime or {"spec": {}})["spec"].get("containers") or []
    # A runtime with one container means that one, whatever it is called.
    server = next((one for one in theirs if one.get("name") == SERVER), theirs[0] if theirs else {})
    others = [one for one in theirs if one is not server]
    return [merged(server, model), *by_name(others, own)]


def by_name(theirs: Iterable[Object], own: Iterable[Object]) -> list[Object]:
    """Two lists of containers; one of the second completes that of the first with its name."""
    found = {str(one.get("name")): one for one in theirs}
    for one in own:
        name = str(one.get("name"))
        found[name] = merged(found[name], one) if name in found else one
    return list(found.values())


def merged(base: Object, over: Object) -> Object:
    """A container with another one's fields above its own; resources amount by amount."""
    below, above = base.get("resources") or {}, over.get("resources") or {}
    resources = {side: {**(below.get(side) or {}), **(above.get(side) or {})} for side in ("requests", "limits")}
    return {**base, **over, "resources": resources}


def with_defaults(container: Object, defaults: dict[str, dict[str, Any]]) -> Object:
    """A container with amounts that stand in where it names none."""
    given = container.get("resources") or {}
    resources = {side: {**defaults[side], **(given.get(side) or {})} for side in ("requests", "limits")}
    return {**container, "resources": {**given, **resources}}
