"""Which object is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: A Kubernetes object as the API server sends it.
Object = dict[str, Any]

_API_VERSIONS = {
    "Application": "argoproj.io/v1alpha1",
    "ApplicationSet": "argoproj.io/v1alpha1",
    "AppProject": "argoproj.io/v1alpha1",
    "ConfigMap": "v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "EndpointSlice": "discovery.k8s.io/v1",
    "Event": "v1",
    "Job": "batch/v1",
    "Namespace": "v1",
    "Node": "v1",
    "Pod": "v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "ReplicaSet": "apps/v1",
    "Secret": "v1",
    "Service": "v1",
    "StatefulSet": "apps/v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
}


@dataclass(frozen=True)
class Ref:
    """An object by kind and name.

    Attributes:
        namespace: ``None`` for cluster-scoped kinds.
        api_version: Filled in from the kind for the kinds that the suite itself speaks of.
    """

    kind: str
    name: str
    namespace: str | None = None
    api_version: str = ""

    def __post_init__(self) -> None:
        if not self.api_version:
            object.__setattr__(self, "api_version", api_version_of(self.kind))

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f'{self.kind} "{where}{self.name}"'

    @classmethod
    def to(cls, obj: Mapping[str, Any]) -> Ref:
        """The reference to an object that is at hand."""
        meta = obj["metadata"]
        return cls(obj["kind"], meta["name"], meta.get("namespace"), obj["apiVersion"])


def api_version_of(kind: str) -> str:
    """The API version the suite uses for a kind.

    Raises:
        KeyError: The suite does not speak of this kind; name its API version.
    """
    return _API_VERSIONS[kind]
