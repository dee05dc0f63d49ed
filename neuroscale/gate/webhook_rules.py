"""What Knative's webhooks reject although it fits its schema, and what KServe's rewrites so that it does.

Those that reject the API server asks after the policies: https://github.com/knative/serving,
``pkg/apis/serving/k8s_validation.go``. The one that rewrites it asks before it looks at the schema of a custom kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from neuroscale.guardrails.oracle import pods
from neuroscale.kubernetes.refs import Object

_KNATIVE = "serving.knative.dev"
_REWRITTEN = ("serving.kserve.io", "InferenceService")


def complaints(obj: Object) -> list[str]:
    """What a webhook would reject of an object that the API server itself takes."""
    return [*_references(obj)] if obj["apiVersion"].partition("/")[0] == _KNATIVE else []


def rewritten(obj: Object) -> Object:
    """An object as its schema is asked about it.

    *Measured* with KServe 0.20: its webhook reads an InferenceService into types of its own and writes it again, so
    that ``cpu: 0.1`` is the text ``100m`` before anybody looks. A ServingRuntime, which none rewrites, is rejected.
    """
    group, _, _ = obj["apiVersion"].partition("/")
    return _with_amounts_as_text(obj) if (group, obj["kind"]) == _REWRITTEN else obj


def _with_amounts_as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_amounts_as_text(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: _with_amounts_as_text(one) for key, one in value.items()}
    for side in ("requests", "limits"):
        if isinstance(amounts := found.get(side), dict):
            found[side] = {what: str(one) if isinstance(one, float) else one for what, one in amounts.items()}
    return found


def _references(obj: Object) -> Iterator[str]:
    """Knative asks the registry for a digest, and reads each reference before."""
    for pod in pods(obj):
        for container in pod.containers("containers", "initContainers"):
            image = container.get("image")
            if not (isinstance(image, str) and _readable(image)):
                yield f"{container.get('name')} does not fit: Knative cannot read the image {image!r}"


def _readable(image: str) -> bool:
    """Whether Knative's library for images takes it: of digests it knows those by SHA-256 alone."""
    named, at, digest = image.partition("@")
    if at and not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        return False
    host, slash, path = named.rpartition("/")
    name, colon, tag = path.partition(":")
    # The first part is a registry if it looks like one; what is left is the repository.
    first, _, others = host.partition("/")
    registry = bool(slash) and bool({".", ":"} & set(first))
    repository = "/".join(filter(None, (others if registry else host, name)))
    known = re.fullmatch(r"[a-z0-9_./-]{2,255}", repository) is not None
    return known and (not colon or re.fullmatch(r"[a-zA-Z0-9_.-]{1,127}", tag) is not None)
