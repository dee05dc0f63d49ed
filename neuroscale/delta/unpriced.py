"""What costs something that cannot be said: named and counted, so that nothing is free because nobody looked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from neuroscale.delta.needs import Needs, silent
from neuroscale.delta.surroundings import Surroundings
from neuroscale.kubernetes.quantities import readable
from neuroscale.kubernetes.refs import Object

#: Their pods, volumes or figures are made of more than their manifest; or they change other objects' figures.
_NAMED = {
    "InferenceGraph": "its router is what KServe's configuration says",
    "LLMInferenceService": "its pods are what KServe's presets say",
    "PersistentVolume": "storage",
    "ScaledJob": "starts Jobs by what happens",
    "ScaledObject": "scales another workload by what happens",
    "TrainedModel": "is loaded into another model's pods",
    "VerticalPodAutoscaler": "changes what another workload asks for",
}
#: They have containers, or amounts, and start nothing.
_IDLE = {
    "ClusterPolicy",
    "ClusterServingRuntime",
    "ClusterStorageContainer",
    "ConfigMap",
    "CustomResourceDefinition",
    "LimitRange",
    "LocalQueue",
    "MutatingPolicy",
    "PodTemplate",
    "Policy",
    "ResourceQuota",
    "RuntimeClass",
    "Secret",
    "ServingRuntime",
    "ValidatingPolicy",
}


@dataclass(frozen=True)
class Unpriced:
    """An object, or a field of it, that has no price.

    Attributes:
        place: The folder that makes the object.
        name: The object.
        reason: Why it has none, with whatever figures there are.
        content: Changes whenever the object does.
    """

    place: str
    name: str
    reason: str
    content: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.name}: {self.reason}"


def unknown(obj: Object) -> Iterator[str]:
    """Why an object without pods of its own has no price; nothing of one that costs nothing."""
    kind, spec = obj["kind"], obj.get("spec")
    if kind == "PersistentVolumeClaim":
        yield f"storage of {_size(obj)}"
    elif kind in _NAMED:
        yield _NAMED[kind]
    elif kind not in _IDLE and _runs_something(spec):
        yield "an unknown kind that speaks of containers"


def _runs_something(value: Any) -> bool:
    """Whether there are containers, or amounts that are asked for, anywhere in it."""
    if isinstance(value, list):
        return any(map(_runs_something, value))
    if not isinstance(value, dict):
        return False
    containers, resources = value.get("containers"), value.get("resources")
    if isinstance(containers, list) and any(isinstance(one, dict) for one in containers):
        return True
    if isinstance(resources, dict) and {"requests", "limits"} & set(resources):
        return True
    return any(map(_runs_something, value.values()))


def beside(obj: Object, spec: Object, needs: Needs, around: Surroundings, priced: Collection[str]) -> Iterator[str]:
    """What the pods of a workload cost beside their processors and memory.

    Args:
        obj: The workload.
        spec: Of its pods.
        needs: Of one of them.
        around: The tree.
        priced: Resources that have a price.
    """
    ranges = around.ranges.get(str(obj["metadata"].get("namespace") or ""), ())
    for resource, amount in sorted(needs.requests.items()):
        if resource not in priced and amount:
            yield f"{readable(resource, amount)} {resource} for each pod"
    for resource, count in silent(spec, ranges, pod_level=around.pod_level).items():
        yield f"containers without a request for {resource}: {count} of each pod"
    if (name := spec.get("runtimeClassName")) and name not in around.overheads:
        yield f"RuntimeClass {name}, which is not in the tree"
    for volume in spec.get("volumes") or []:
        if (template := (volume.get("ephemeral") or {}).get("volumeClaimTemplate")) is not None:
            yield f"storage of {_size(template)} for each pod"
    for claim in (obj.get("spec") or {}).get("volumeClaimTemplates") or []:
        yield f"storage of {_size(claim)} for each pod"


def _size(claim: Object) -> str:
    asked = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
    return str(asked or "a size that nobody says")
