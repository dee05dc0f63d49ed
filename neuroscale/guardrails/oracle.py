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
    ("serving.knative.dev", "Service"): ("spec", "template"),
}
_MODELS = ("serving.kserve.io", "InferenceService")
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
    return kind in _TEMPLATES or (kind == _MODELS and policy != LABELS)


def pods(obj: Object) -> list[PodShape]:
    """The pods that an object asks for: one of most kinds, up to four of a model."""
    kind = (obj["apiVersion"].rpartition("/")[0], obj["kind"])
    if kind == _MODELS:
        components = [obj["spec"].get(name) for name in _COMPONENTS]
        parts = [*components, (obj["spec"].get("predictor") or {}).get("workerSpec")]
        return [PodShape(None, part, [part[name] for name in _FRAMEWORKS if part.get(name)]) for part in parts if part]
    if kind not in _TEMPLATES:
        return []
    path = _TEMPLATES[kind]
    template = obj
    for step in path:
        template = template.get(step) or {}
    labels = (template.get("metadata") or {}).get("labels") or {} if path else None
    return [PodShape(labels, template.get("spec") or {})]


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
    for pod in pods(obj):
        for container in [] if pod.models else pod.containers("containers", "initContainers"):
            given = container.get("resources") or {}
            for side in ("requests", "limits"):
                for what in ("cpu", "memory"):
                    if not _positive((given.get(side) or {}).get(what)):
                        yield f"container {container.get('name')} has no {side}.{what}"


def _positive(amount: object) -> bool:
    """A quantity of zero limits nothing, and what is no quantity neither."""
    text = str(amount)
    try:
        # The API server trims an amount where it knows its type, which it does in no custom resource.
        return text == text.strip() and quantity(text) > 0
    except Inconclusive:
        return False


def _tags(obj: Object) -> Iterator[str]:
    for pod in pods(obj):
        written = [container for container in pod.containers() if "image" in container or not pod.models]
        for container in [*written, *(model for model in pod.models if "image" in model)]:
            image = container.get("image") or ""
            if not is_pinned(image):
                yield f"image {image!r} may be another one tomorrow"
        for model in pod.models:
            if "runtimeVersion" in model and not _is_exact(model["runtimeVersion"]):
                yield f"runtimeVersion {model['runtimeVersion']!r} may be another one tomorrow"


def is_pinned(image: str) -> bool:
    """Whether a reference names one image for good: by digest, or by the tag of an exact version."""
    if re.search(r"@sha256:[0-9a-f]{64}$", image):
        return True
    # A colon before the last slash is a registry's port.
    name, _, tag = image.rpartition("/")[2].partition(":")
    return bool(name) and "@" not in image.rpartition("/")[2] and _is_exact(tag)


def _is_exact(tag: str) -> bool:
    """A version of three numbers with or without words around it, or a commit; and never the latest of anything."""
    if ":" in tag or "latest" in re.split(r"[-_.]", tag.lower()):
        return False
    return re.fullmatch(r"(.*-)?v?\d+\.\d+\.\d+([-+_.].*)?|[0-9a-f]{7,64}", tag) is not None


def _users(obj: Object) -> Iterator[str]:
    for pod in pods(obj):
        whole = pod.spec.get("securityContext") or {}
        for container in [*pod.containers(), *pod.models]:
            own = container.get("securityContext") or {}
            name = container.get("name", "of the model")
            # Not said anywhere: the runtime says it, where there is one.
            if not own.get("runAsNonRoot", whole.get("runAsNonRoot", bool(pod.models))):
                yield f"container {name} may run as root"
            if own.get("runAsUser", whole.get("runAsUser")) == 0:
                yield f"container {name} runs as user 0"


_RULES: dict[str, Callable[[Object], Iterator[str]]] = {
    ISVC_LABELS: _model_labels,
    LABELS: _workload_labels,
    RESOURCES: _resources,
    TAG: _tags,
    ROOT_USER: _users,
}
