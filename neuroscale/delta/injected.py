"""Containers that nobody writes down: what Knative and KServe put into the pods that they make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from neuroscale.delta.surroundings import Surroundings
from neuroscale.kubernetes.refs import Object

#: Side and resource -> setting of Knative's ``config-deployment``, and what stands in for it: what is always asked for,
#: and what is asked for besides where the feature ``queueproxy.resource-defaults`` is on.
#: https://github.com/knative/serving/blob/knative-v1.21.0/pkg/deployment/config.go
_QUEUE: tuple[tuple[str, str, str | None, str], ...] = (
    ("requests", "cpu", "25m", "25m"),
    ("requests", "memory", None, "400Mi"),
    ("limits", "cpu", None, "1000m"),
    ("limits", "memory", None, "800Mi"),
)
_SIDECAR = "queue.sidecar.serving.knative.dev/"
#: Parts of the server's own figures; nobody here uses them, and they are rounded by Knative's own rules.
PERCENTAGES = (f"{_SIDECAR}resource-percentage", f"{_SIDECAR}resourcePercentage")
#: What KServe's own configuration says of each container that it adds.
#: https://github.com/kserve/kserve/blob/v0.20.0/config/configmap/inferenceservice.yaml
_FETCHED = {"cpuRequest": "100m", "memoryRequest": "100Mi", "cpuLimit": "1", "memoryLimit": "1Gi"}
_MODELCAR = {"cpu": "10m", "memory": "15Mi"}


def queue_proxy(around: Surroundings, annotations: Mapping[str, Any]) -> Object:
    """Knative's sidecar, which is in each of its pods."""
    generous = str(around.knative_setting("config-features", "queueproxy.resource-defaults")).lower() == "enabled"
    resources: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for side, resource, always, by_default in _QUEUE:
        setting = around.knative_setting("config-deployment", f"queue-sidecar-{resource}-{side[:-1]}")
        own = annotations.get(f"{_SIDECAR}{resource}-resource-{side[:-1]}")
        if amount := own or setting or (by_default if generous else always):
            resources[side][resource] = amount
    return {"name": "queue-proxy", "resources": resources}


def revision_defaults(around: Surroundings) -> dict[str, dict[str, str]]:
    """What Knative gives to the containers of a revision that say nothing."""
    found: dict[str, dict[str, str]] = {"requests": {}, "limits": {}}
    for side, amounts in found.items():
        for resource in ("cpu", "memory"):
            if amount := around.knative_setting("config-defaults", f"revision-{resource}-{side[:-1]}"):
                amounts[resource] = amount
    return found


def model_defaults(around: Surroundings) -> dict[str, dict[str, str]]:
    """What KServe gives to a model's container that says nothing, before its runtime is asked."""
    return _four(around.kserve_setting("inferenceService", "resource", {}))


def fetching(around: Surroundings, uri: str) -> tuple[list[Object], list[Object]]:
    """What brings a model into its pod: containers beside the server, and initialising ones."""
    if uri.startswith("pvc://"):
        return [], []
    if uri.startswith("oci://") and around.kserve_setting("storageInitializer", "enableModelcar"):
        both = {
            resource: around.kserve_setting("storageInitializer", f"{resource}Modelcar", default)
            for resource, default in _MODELCAR.items()
        }
        car = {"name": "modelcar", "resources": {"requests": both, "limits": both}}
        return [car], [{**car, "name": "modelcar-init"}]
    settings = {key: around.kserve_setting("storageInitializer", key, default) for key, default in _FETCHED.items()}
    said = next((one["spec"].get("container") or {} for one in around.storage if _fetches(one, uri)), {})
    resources, own = _four(settings), said.get("resources") or {}
    merged = {side: {**amounts, **(own.get(side) or {})} for side, amounts in resources.items()}
    return [], [{"name": "storage-initializer", "resources": merged}]


def _fetches(storage: Object, uri: str) -> bool:
    """Whether a ClusterStorageContainer is for a model's address."""
    spec = storage["spec"]
    if storage.get("disabled") or spec.get("workloadType", "initContainer") != "initContainer":
        return False
    formats = spec.get("supportedUriFormats") or []
    return any(
        ("prefix" in one and uri.startswith(str(one["prefix"]))) or ("regex" in one and _matches(one["regex"], uri))
        for one in formats
    )


def _matches(pattern: object, uri: str) -> bool:
    try:
        return re.search(str(pattern), uri) is not None
    except re.error:
        return False


def agent(around: Surroundings, part: Object) -> list[Object]:
    """KServe's sidecar that logs requests or puts them together."""
    wanted = part.get("logger") is not None or part.get("batcher") is not None
    return [{"name": "agent", "resources": _four(around.kserve.get("agent", {}))}] if wanted else []


def _four(settings: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Amounts as KServe's configuration names them."""
    return {
        f"{side.lower()}s": {
            resource: str(settings[f"{resource}{side}"])
            for resource in ("cpu", "memory")
            if settings.get(f"{resource}{side}")
        }
        for side in ("Request", "Limit")
    }


def address(model: Object | None, containers: list[Object]) -> Iterator[str]:
    """Where a pod's model is fetched from: the model says it, or the environment of a server written by hand."""
    if model is not None:
        if model.get("storageUri"):
            yield str(model["storageUri"])
        return
    # KServe looks at the first container, whatever it is called.
    for variable in containers[0].get("env") or [] if containers else []:
        if variable.get("name") == "STORAGE_URI" and variable.get("value"):
            yield str(variable["value"])
            return
