"""What Git says should exist: names are computed from ``main``, never counted and never written down twice."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from neuroscale import prices as price_file
from neuroscale.git_server import GitServer
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices
from neuroscale.settings import ROOT_APPLICATION


def applications(git_server: GitServer) -> frozenset[str]:
    """Names of all Applications: the root, those under ``infrastructure/apps/``, and one per folder under ``apps/``."""
    return application_names(git_server.files("infrastructure/apps"), git_server.folders("apps"))


def application_names(manifests: Mapping[str, str], folders: list[str]) -> frozenset[str]:
    """The same from the contents of ``infrastructure/apps/`` and the folder names under ``apps/``."""
    named = (obj["metadata"]["name"] for obj in _objects(manifests) if obj["kind"] == "Application")
    return frozenset({ROOT_APPLICATION, *named, *folders})


def inference_services(git_server: GitServer) -> dict[str, str]:
    """Name -> storage URI of each InferenceService below ``apps/``."""
    return service_uris(git_server.files("apps"))


def service_uris(manifests: Mapping[str, str]) -> dict[str, str]:
    """The same from the contents of ``apps/``; an InferenceService without a storage URI has an empty one."""
    return {
        obj["metadata"]["name"]: ((obj["spec"]["predictor"].get("model") or {}).get("storageUri") or "")
        for obj in _objects({path: text for path, text in manifests.items() if path.endswith((".yaml", ".yml"))})
        if obj["kind"] == "InferenceService"
    }


def policies(git_server: GitServer) -> frozenset[str]:
    """Names of the policies below ``infrastructure/kyverno/policies``."""
    return policy_names(git_server.files("infrastructure/kyverno/policies"))


def policy_names(manifests: Mapping[str, str]) -> frozenset[str]:
    """The same from the contents of that folder."""
    documents = _objects({path: text for path, text in manifests.items() if path.endswith((".yaml", ".yml"))})
    # Beside the policies lie patches over them, which are lists.
    found = (document for document in documents if isinstance(document, dict))
    return frozenset(obj["metadata"]["name"] for obj in found if obj["kind"] == "ValidatingPolicy")


def prices(git_server: GitServer) -> Prices:
    """What resources cost.

    Raises:
        Inconclusive: The file is not there, or cannot be read.
    """
    return price_file.parse(git_server.read(str(price_file.FILE)) or "")


def quota(git_server: GitServer) -> Mapping[str, str]:
    """What the quota of workloads allows of each resource."""
    hard: Mapping[str, str] = _one(git_server, "ResourceQuota")["spec"]["hard"]
    return hard


def container_limits(git_server: GitServer) -> Object:
    """The limits of one container: ``min``, ``max`` and defaults, each by resource."""
    limits = _one(git_server, "LimitRange")["spec"]["limits"]
    return next((one for one in limits if one["type"] == "Container"), {})


def limit_range(git_server: GitServer, namespace: str) -> Object:
    """The same for another namespace of tenants: what Knative adds to a pod has its own from there, or is rejected."""
    meta, spec = {"name": "limits", "namespace": namespace}, {"limits": [container_limits(git_server)]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": spec}


def _one(git_server: GitServer, kind: str) -> Object:
    found = (obj for obj in _objects(git_server.files("infrastructure/namespaces/default")) if obj["kind"] == kind)
    return next(found, {"spec": {"hard": {}, "limits": []}})


def _objects(manifests: Mapping[str, str]) -> list[Object]:
    return [obj for text in manifests.values() for obj in yaml.load_all(text, Loader=yaml.CSafeLoader) if obj]
