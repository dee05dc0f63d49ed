"""The promises of the five policies, judged in Python: nothing of this is shared with what enforces them.

Agreement between the two is evidence about both. The oracle answers for objects that a tenant creates; what controllers
make of them is let through by who they are, which no manifest shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object

ISVC_LABELS = "require-standard-labels-inferenceservice"
LABELS = "require-standard-labels-deployment"
RESOURCES = "require-resource-requests-limits"
TAG = "disallow-latest-image-tag"
ROOT_USER = "disallow-root-containers"
POLICIES = (ISVC_LABELS, LABELS, RESOURCES, TAG, ROOT_USER)

#: Namespaces of the platform; every other one is a tenant's.
PLATFORM_NAMESPACES = frozenset(
    {
        "argocd",
        "backstage",
        "forge",
        "knative-serving",
        "kourier-system",
        "kserve",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "kyverno",
        "opencost",
        "pull-requests",
    }
)
#: Group and kind -> where the pod's metadata and spec are.
_TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): (),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("serving.knative.dev", "Configuration"): ("spec", "template"),
    ("serving.knative.dev", "Revision"): (),
    ("serving.knative.dev", "Service"): ("spec", "template"),
}
_MODELS = ("serving.kserve.io", "InferenceService")
#: What the pods of models are made of: nobody's workload, hence without labels.
_RUNTIMES = {("serving.kserve.io", "ClusterServingRuntime"), ("serving.kserve.io", "ServingRuntime")}
#: Its pods are made by KServe, of what KServe is configured with.
_GRAPHS = ("serving.kserve.io", "InferenceGraph")
_COMPONENTS = ("predictor", "transformer", "explainer")
#: Under any of these names stands the model of a component; its serving runtime fills in what the component leaves out.
_FRAMEWORKS = (
    "model",
    "art",
    "huggingface",
    "lightgbm",
    "onnx",
    "paddle",
    "pmml",
    "pytorch",
    "sklearn",
    "tensorflow",
    "triton",
    "xgboost",
)
#: Whoever answers for workloads, and whoever pays for them.
OWNERS = frozenset({"ml-platform", "platform-team"})
COST_CENTERS = frozenset({"cc-demo", "cc-ml", "cc-platform"})
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.+-]*"


@dataclass(frozen=True)
class PodShape:
    """A pod that an object asks for.

    Attributes:
        labels: On the pod; ``None`` where the object's own labels are the pod's.
        spec: Of the pod, as far as the object says it.
        models: What a serving runtime completes; where there is one, it speaks for the containers beside it, too.
    """

    labels: Object | None
    spec: Object
    models: list[Object] = field(default_factory=list)

    def containers(self, *sorts: str) -> list[Object]:
        """The containers of some sorts that the object itself writes down; all sorts if none is named."""
        named = sorts or ("containers", "initContainers", "ephemeralContainers")
        return [container for sort in named for container in self.spec.get(sort) or []]


def evaluate(obj: Object) -> dict[str, list[str]]:
    """Policy -> why it must reject an object; only the policies that must."""
    verdicts = {policy: list(_RULES[policy](obj)) for policy in POLICIES if speaks_of(policy, obj)}
    return {policy: reasons for policy, reasons in verdicts.items() if reasons}


def speaks_of(policy: str, obj: Object) -> bool:
    """Whether a policy has to judge an object that a tenant creates."""
    if obj["metadata"].get("namespace", "default") in PLATFORM_NAMESPACES:
        return False
    kind = (obj["apiVersion"].rpartition("/")[0], obj["kind"])
    if policy == ISVC_LABELS:
        return kind == _MODELS
    if policy == LABELS:
        return kind in _TEMPLATES or kind == _GRAPHS
    return kind in _TEMPLATES or kind in _RUNTIMES or kind == _MODELS


def pods(obj: Object) -> list[PodShape]:
    """The pods that an object asks for: one of most kinds, up to four of a model."""
    kind, spec = (obj["apiVersion"].rpartition("/")[0], obj["kind"]), obj.get("spec") or {}
    if kind == _MODELS:
        components = [_component(spec[name]) for name in _COMPONENTS if spec.get(name)]
        workers = (spec.get("predictor") or {}).get("workerSpec")
        # They take from the runtime of the component that they work for.
        return [*components, *([PodShape(None, workers, [{}] if components[0].models else [])] if workers else [])]
    if kind in _RUNTIMES:
        return [PodShape(None, spec)]
    if kind not in _TEMPLATES:
        return []
    path = _TEMPLATES[kind]
    template = obj
    for step in path:
        template = template.get(step) or {}
    labels = (template.get("metadata") or {}).get("labels") or {} if path else None
    return [PodShape(labels, template.get("spec") or {})]


def _component(part: Object) -> PodShape:
    return PodShape(None, part, [part[name] for name in _FRAMEWORKS if name in part and part[name] is not None])


# --- the promises


def _labels(labels: Object | None, whose: str) -> Iterator[str]:
    for key, registered in (("owner", OWNERS), ("cost-center", COST_CENTERS)):
        value = (labels or {}).get(key, "")
        if value not in registered:
            yield f"{whose} label {key} is {value!r}, which nobody answers for"


def _model_labels(obj: Object) -> Iterator[str]:
    """The object's, which pods take over unless a component has its own."""
    labels = obj["metadata"].get("labels") or {}
    yield from _labels(labels, "its")
    for name in _COMPONENTS:
        yield from _labels({**labels, **((obj["spec"].get(name) or {}).get("labels") or {})}, f"its {name}'s")


def _workload_labels(obj: Object) -> Iterator[str]:
    yield from _labels(obj["metadata"].get("labels"), "its")
    for pod in pods(obj):
        if pod.labels is not None:
            yield from _labels(pod.labels, "its pods'")


def _resources(obj: Object) -> Iterator[str]:
    """Ephemeral containers cannot have any."""
    # The API server trims an amount where it knows its type, which it does in no custom resource.
    trimmed = "." not in obj["apiVersion"].rpartition("/")[0]
    for pod in pods(obj):
        for container in [] if pod.models else pod.containers("containers", "initContainers"):
            given = container.get("resources") or {}
            for side in ("requests", "limits"):
                for what in ("cpu", "memory"):
                    if not _positive((given.get(side) or {}).get(what), trimmed=trimmed):
                        yield f"container {container.get('name')} has no {side}.{what}"


def _positive(amount: object, *, trimmed: bool) -> bool:
    """A quantity of zero limits nothing, and what is no quantity neither."""
    text = str(amount)
    try:
        return (trimmed or text == text.strip()) and quantity(text) > 0
    except Inconclusive:
        return False


def _tags(obj: Object) -> Iterator[str]:
    for pod in pods(obj):
        written = [container for container in pod.containers() if "image" in container or not pod.models]
        volumes = [volume["image"] for volume in pod.spec.get("volumes") or [] if "image" in volume]
        stored = [model.get("storageUri") or "" for model in pod.models]
        references = [container.get("image") for container in written]
        references += [model["image"] for model in pod.models if "image" in model]
        references += [volume.get("reference") for volume in volumes]
        references += [uri.partition("://")[2] for uri in stored if _is_image(uri)]
        yield from (f"image {one!r} may be another one tomorrow" for one in references if not is_pinned(one or ""))
        for model in pod.models:
            if "runtimeVersion" in model and not _is_exact(model["runtimeVersion"]):
                yield f"runtimeVersion {model['runtimeVersion']!r} may be another one tomorrow"


def _is_image(uri: str) -> bool:
    """Whether a model is an image: modelcars, mounted or pulled."""
    scheme, found, _ = uri.partition("://")
    return bool(found) and scheme.partition("+")[0] == "oci"


def is_pinned(image: str) -> bool:
    """Whether a reference names one image for good: by digest, or by the tag of an exact version or of a commit."""
    tagged, at, digest = image.partition("@")
    host, slash, path = tagged.rpartition("/")
    # A colon before the last slash is a registry's port.
    name, colon, tag = path.partition(":")
    if not re.fullmatch(r"[a-z0-9._-]+", name) or (slash and not _is_path(host)):
        return False
    if at:
        lengths = {"sha256": 64, "sha512": 128}
        algorithm, _, value = digest.partition(":")
        known = len(value) == lengths.get(algorithm) and set(value) <= set("0123456789abcdef")
        return known and (not colon or re.fullmatch(_TAG, tag) is not None)
    return _is_exact(tag)


def _is_path(path: str) -> bool:
    """A registry, folders, or both; the registry is a name or an address, and may have a port."""
    first, *others = path.split("/")
    registry = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9.-]+)(:\d+)?|[a-z0-9._-]+", first)
    return registry is not None and all(re.fullmatch(r"[a-z0-9._-]+", one) for one in others)


def _is_exact(tag: str) -> bool:
    """All three numbers of a version, or a commit as the last word; and never the latest of anything."""
    words = re.split(r"[-_.]", tag)
    if not re.fullmatch(_TAG, tag) or {"latest", "snapshot"} & {word.lower() for word in words}:
        return False
    commit = words[-1].removeprefix("g")
    if re.fullmatch(r"[0-9a-f]{7,64}", commit) and re.search("[0-9]", commit) and re.search("[a-f]", commit):
        return True
    # What stands before it is a word: 3.12-alpine-3.19.1 is another Python next week.
    return re.fullmatch(r"([a-zA-Z].*-)?v?\d+\.\d+\.\d+(\D.*)?", tag) is not None


def _users(obj: Object) -> Iterator[str]:
    for pod in pods(obj):
        whole = pod.spec.get("securityContext") or {}
        for container in [*pod.containers(), *pod.models]:
            own = container.get("securityContext") or {}
            name = container.get("name", "of the model")
            # Not said anywhere: the runtime says it, where there is one.
            if not _first(own.get("runAsNonRoot"), whole.get("runAsNonRoot"), bool(pod.models)):
                yield f"container {name} may run as root"
            if _first(own.get("runAsUser"), whole.get("runAsUser")) == 0:
                yield f"container {name} runs as user 0"


def _first(*said: object) -> object:
    """What is said first; null says nothing."""
    return next((one for one in said if one is not None), None)


_RULES: dict[str, Callable[[Object], Iterator[str]]] = {
    ISVC_LABELS: _model_labels,
    LABELS: _workload_labels,
    RESOURCES: _resources,
    TAG: _tags,
    ROOT_USER: _users,
}
