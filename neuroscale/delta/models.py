"""The pods of an InferenceService, as KServe makes them of its components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from neuroscale.delta.injected import (
    PERCENTAGES,
    address,
    agent,
    fetching,
    model_defaults,
    queue_proxy,
    revision_defaults,
)
from neuroscale.delta.runtimes import by_name, completed, runtime_for, with_defaults
from neuroscale.delta.surroundings import Surroundings
from neuroscale.guardrails.oracle import pods
from neuroscale.kubernetes.refs import Object

COMPONENTS = ("predictor", "transformer", "explainer")
_MODE, _STOPPED = "serving.kserve.io/deploymentMode", "serving.kserve.io/stop"
#: Its two names each of the modes with a Deployment, and with a Knative Service.
_RAW, _KNATIVE = {"RawDeployment", "Standard"}, {"Serverless", "Knative"}


@dataclass(frozen=True)
class Pods:
    """Pods that are all alike.

    Attributes:
        part: Which of the workload's; empty: there is one sort.
        spec: Of each, with what controllers put in.
        labels: Of each.
        least: How many there are at least.
        most: How many there may be; ``None``: nobody says.
        unpriced: What else they cost that nobody can say.
        content: What runs in them: images, and where models come from.
    """

    part: str
    spec: Object
    labels: Object
    least: int
    most: int | None
    unpriced: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


def of_model(obj: Object, around: Surroundings) -> Iterator[Pods]:
    """A component's pods each."""
    spec = obj.get("spec") or {}
    parts = [(name, spec[name]) for name in COMPONENTS if spec.get(name)]
    for name, part in parts:
        models = next(one.models for one in pods(obj) if one.spec is part)
        yield _component(obj, name, part, models[0] if models else None, around)


def mode_of(obj: Object, around: Surroundings) -> str:
    """How KServe deploys it."""
    own = (obj["metadata"].get("annotations") or {}).get(_MODE)
    mode = str(own or around.kserve_setting("deploy", "defaultDeploymentMode", "Knative"))
    return "raw" if mode in _RAW else "knative" if mode in _KNATIVE else mode


def _component(obj: Object, name: str, part: Object, model: Object | None, around: Surroundings) -> Pods:
    meta, mode = obj["metadata"], mode_of(obj, around)
    own, unpriced = part.get("containers") or [], list[str]()
    annotations = {**(meta.get("annotations") or {}), **(part.get("annotations") or {})}
    spec, uris = dict(part), list(address(model, own))
    if model is not None:
        runtime = _runtime(obj, name, part, model, around)
        if runtime is None and name == "predictor":
            unpriced.append("its serving runtime is not in the tree: counted is what the model itself says")
        spec["containers"] = completed(with_defaults(model, model_defaults(around)), own, runtime)
        theirs = (runtime or {"spec": {}})["spec"].get("initContainers") or []
        spec["initContainers"] = by_name(theirs, part.get("initContainers") or [])
    elif own:
        spec["containers"] = [with_defaults(own[0], model_defaults(around)), *own[1:]]
    spec["containers"] = [*(spec.get("containers") or []), *agent(around, part)]
    for beside, before in (fetching(around, uri) for uri in uris):
        spec["containers"] = [*spec["containers"], *beside]
        spec["initContainers"] = [*(spec.get("initContainers") or []), *before]
    if mode == "knative":
        spec = in_knative(spec, annotations, around)
        unpriced += [f"annotation {one}" for one in PERCENTAGES if one in annotations]
    unpriced += _beyond(name, part, model or {})
    least, most = _replicas(part, mode, around)
    if str(annotations.get(_STOPPED)).lower() == "true":
        least, most = 0, 0
    labels = {**(meta.get("labels") or {}), **(part.get("labels") or {})}
    return Pods(name, spec, labels, least, most, tuple(unpriced), (*images(spec), *uris))


def _runtime(obj: Object, name: str, part: Object, model: Object, around: Surroundings) -> Object | None:
    """Only predictors have one. The older form names the format by the key that the model stands under."""
    if name != "predictor":
        return None
    key = next(key for key, value in part.items() if value is model)
    wanted = str((model.get("modelFormat") or {}).get("name") if key == "model" else key)
    return runtime_for(model, wanted, around.runtimes, str(obj["metadata"].get("namespace") or ""))


def _beyond(name: str, part: Object, model: Object) -> Iterator[str]:
    """Fields that make pods, or costs, which the manifest alone does not say."""
    if part.get("workerSpec") is not None:
        yield f"{name}.workerSpec: pods on several nodes"
    if part.get("canaryTrafficPercent") is not None:
        yield f"{name}.canaryTrafficPercent: the version before it keeps its pods"
    if model.get("storage") is not None or part.get("storageUris") is not None:
        yield f"{name}: storage that is not a storageUri; what fetches the model"


def in_knative(spec: Object, annotations: Object, around: Surroundings) -> Object:
    """A pod with what Knative does to it."""
    given = [with_defaults(one, revision_defaults(around)) for one in spec.get("containers") or []]
    return {**spec, "containers": [*given, queue_proxy(around, annotations)]}


def _replicas(part: Object, mode: str, around: Surroundings) -> tuple[int, int | None]:
    least, most = number(part.get("minReplicas"), 1), number(part.get("maxReplicas"), 0)
    if mode == "raw":
        # An HPA has at least one, and no range that is none.
        least = max(least, 1)
        return least, max(least, most)
    # KServe passes on no maximum of zero.
    return bounded(least, most or None, around)


def bounded(least: int, said: object, around: Surroundings) -> tuple[int, int | None]:
    """Knative's range. Its configuration bounds what says nothing; zero says that there is no bound."""
    by_default = around.knative_setting("config-autoscaler", "max-scale")
    most = number(by_default if said is None else said, 0)
    return least, max(least, most) if most else None


def number(value: Any, default: int) -> int:
    """A number that may be text; what is none says nothing."""
    return int(str(value)) if re.fullmatch(r"[0-9]+", str(value)) else default


def images(spec: Object) -> tuple[str, ...]:
    """What runs in a pod, by image."""
    containers = [one for sort in ("containers", "initContainers") for one in spec.get(sort) or []]
    return tuple(sorted(str(one["image"]) for one in containers if one.get("image")))
