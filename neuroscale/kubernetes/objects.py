"""Objects that are made at run time, since Git does not have them."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from neuroscale.kubernetes.refs import Object, Ref


def namespace(name: str) -> Object:
    """An empty namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def secret(ref: Ref, values: Mapping[str, str]) -> Object:
    """A Secret with these texts."""
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": ref.name, "namespace": ref.namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def secret_values(obj: Object | None) -> dict[str, str]:
    """The texts in a Secret; none for one that is not there."""
    return {key: base64.b64decode(value).decode() for key, value in ((obj or {}).get("data") or {}).items()}


def is_ready(pod: Object) -> bool:
    """Whether a pod's condition says that requests are sent to it."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
