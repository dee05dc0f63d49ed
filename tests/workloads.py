"""Hypothesis strategies for what makes pods: compliant, flawed in known ways, and anything that an API server takes."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from neuroscale.guardrails.oracle import COST_CENTERS, ISVC_LABELS, LABELS, OWNERS, RESOURCES, ROOT_USER, TAG
from neuroscale.kubernetes.refs import Object

#: Kind -> API version.
KINDS = {
    "Pod": "v1",
    "ReplicationController": "v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "CronJob": "batch/v1",
    "Job": "batch/v1",
    "Service": "serving.knative.dev/v1",
    "InferenceService": "serving.kserve.io/v1beta1",
}
#: Within what the LimitRange of the default namespace allows, so that nobody else rejects them.
_AMOUNTS = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"cpu": "100m", "memory": "128Mi"}}
_LABELS = st.fixed_dictionaries(
    {"owner": st.sampled_from(sorted(OWNERS)), "cost-center": st.sampled_from(sorted(COST_CENTERS))}
)
_REPOSITORIES = st.sampled_from(
    [
        "nginx",
        "library/nginx",
        "docker.io/library/nginx",
        "registry.example.com:5000/team/server",
        "localhost:5000/an-app",
    ]
)
_DIGEST = st.one_of(
    st.text("0123456789abcdef", min_size=64, max_size=64).map("@sha256:{}".format),
    st.text("0123456789abcdef", min_size=128, max_size=128).map("@sha512:{}".format),
)
_NUMBER = st.integers(0, 99).map(str)
_HEXADECIMAL = "0123456789abcdef"
#: A commit that is a number, or a word, is taken for that.
_COMMIT = st.text(_HEXADECIMAL, min_size=5, max_size=38).map("7{}f".format)
_EXACT = st.one_of(
    st.tuples(_NUMBER, _NUMBER, _NUMBER).map(".".join),
    st.tuples(_NUMBER, _NUMBER, _NUMBER).map(lambda numbers: f"v{'.'.join(numbers)}-alpine"),
    st.tuples(_NUMBER, _NUMBER, _NUMBER).map(lambda numbers: f"{'.'.join(numbers)}rc1"),
    _COMMIT,
    st.tuples(st.sampled_from(["sha", "main", "v20240115", "v1.2-5"]), _COMMIT).map("-".join),
)
_MOVING = st.sampled_from(
    [
        "latest",
        "stable-latest",
        "latest-alpine",
        "Latest",
        "stable",
        "1",
        "1.27",
        "1.27-alpine",
        "main",
        "20240115",
        "1.27-alpine-3.19.1",
        "1.2.3-SNAPSHOT",
    ]
)
PINNED = st.one_of(
    st.tuples(_REPOSITORIES, _EXACT).map(":".join),
    st.tuples(_REPOSITORIES, _DIGEST).map("".join),
    st.tuples(_REPOSITORIES, _MOVING, _DIGEST).map(lambda parts: f"{parts[0]}:{parts[1]}{parts[2]}"),
)
#: What is no reference at all.
_ODD = st.sampled_from(
    [" ", "docker://nginx:1.2.3", "nginx:1.2.3 ", " nginx:1.2.3", "nginx:1.2.3\n", ":1.2.3", "Nginx:1.2.3",
     "a//b:1.2.3", "nginx@sha256:abc", "@sha256:" + "a" * 64, "nginx:1.2.3@sha512:" + "a" * 64, "nginx:-1.2.3"]
)  # fmt: skip
MOVING = st.one_of(_REPOSITORIES, st.tuples(_REPOSITORIES, _MOVING).map(":".join), _ODD)
_UNNAMED = st.sampled_from(["", "x", "Platform-Team", "platform-team-2"])


def _containers(count: st.SearchStrategy[int]) -> st.SearchStrategy[list[Object]]:
    @st.composite
    def several(draw: st.DrawFn) -> list[Object]:
        return [
            {"image": draw(PINNED), "resources": copy.deepcopy(_AMOUNTS), "securityContext": {"runAsNonRoot": True}}
            for _ in range(draw(count))
        ]

    return several()


@st.composite
def compliant(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS)) -> Object:
    """An object that keeps all promises, with one or two containers and perhaps one that prepares."""
    kind = draw(st.sampled_from(kinds))
    spec: Object = {"containers": draw(_containers(st.integers(1, 2)))}
    if draw(st.booleans()) and kind != "Service":  # Knative takes init containers only where it is told to
        spec["initContainers"] = draw(_containers(st.just(1)))
    if draw(st.booleans()) and kind != "Service":  # nor a pod's own security context
        spec["securityContext"] = {"runAsUser": draw(st.integers(1, 65535))}
    for sort, word in (("containers", "main"), ("initContainers", "first")):
        for index, container in enumerate(spec.get(sort, [])):
            container["name"] = f"{word}-{index}"
    if kind in {"Service", "InferenceService"}:  # one container serves
        spec["containers"] = spec["containers"][:1]
    obj = {"apiVersion": KINDS[kind], "kind": kind, "metadata": {"name": "a", "labels": draw(_LABELS)}}
    return obj | _around(kind, spec, draw(_LABELS))


def _around(kind: str, spec: Object, labels: Object) -> Object:
    template = {"metadata": {"labels": {"app": "a", **labels}}, "spec": spec}
    selector: Any = {"app": "a"} if kind == "ReplicationController" else {"matchLabels": {"app": "a"}}
    if kind in {"Job", "CronJob"}:
        spec["restartPolicy"] = "Never"
    bodies: dict[str, Object] = {
        "Pod": spec,
        "InferenceService": {"predictor": {"minReplicas": 0, **spec}},
        "Service": {"template": template},
        "Job": {"template": template},
        "CronJob": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}},
        "StatefulSet": {"serviceName": "a", "selector": selector, "template": template},
    }
    return {"spec": bodies.get(kind, {"selector": selector, "template": template})}


def pod_of(obj: Object) -> Object:
    """The pod's specification in an object, to be changed in place."""
    direct = {"Pod": ("spec",), "InferenceService": ("spec", "predictor")}
    found: Object = obj if obj["kind"] in direct else template_of(obj)
    for step in direct.get(obj["kind"], ("spec",)):
        found = found[step]
    return found


def template_of(obj: Object) -> Object:
    """The pod's template, of kinds that have one."""
    spec: Object = obj["spec"]["jobTemplate"]["spec"] if obj["kind"] == "CronJob" else obj["spec"]
    template: Object = spec["template"]
    return template


@st.composite
def flawed(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS)) -> tuple[Object, set[str]]:
    """An object that breaks some promises, none to all of them, and the policies that must reject it."""
    obj = draw(compliant(kinds))
    broken = set()
    for flaw in draw(st.lists(st.sampled_from([_mislabel, _unbound, _unpin, _promote]), unique=True, max_size=4)):
        broken.add(flaw(draw, obj))
    return obj, broken


@st.composite
def nulled(draw: st.DrawFn, made: tuple[Object, set[str]]) -> tuple[Object, set[str]]:
    """The same, with fields that are null where there are none, as charts render what is empty."""
    obj, broken = copy.deepcopy(made)
    pod = pod_of(obj)
    places = [
        (obj["metadata"], ("annotations", "namespace", "finalizers")),
        (pod, ("initContainers", "volumes", "securityContext", "nodeSelector")),
        *((one, ("ports", "env", "command", "securityContext", "livenessProbe")) for one in pod["containers"]),
        *(
            (one["securityContext"], ("runAsUser", "capabilities"))
            for one in pod["containers"]
            if "securityContext" in one
        ),
    ]
    for holder, fields in places:
        holder.update({field: None for field in fields if field not in holder and draw(st.booleans())})
    return obj, broken


def _mislabel(draw: st.DrawFn, obj: Object) -> str:
    labels = [obj["metadata"]["labels"]]
    if obj["kind"] not in {"Pod", "InferenceService"}:
        labels.append(template_of(obj)["metadata"]["labels"])
    chosen, key = draw(st.sampled_from(labels)), draw(st.sampled_from(["owner", "cost-center"]))
    if draw(st.booleans()):
        del chosen[key]
    else:
        chosen[key] = draw(_UNNAMED)
    return ISVC_LABELS if obj["kind"] == "InferenceService" else LABELS


def _some_container(draw: st.DrawFn, obj: Object) -> Object:
    pod = pod_of(obj)
    found: Object = draw(st.sampled_from([*pod["containers"], *pod.get("initContainers", [])]))
    return found


def _unbound(draw: st.DrawFn, obj: Object) -> str:
    resources = _some_container(draw, obj)["resources"]
    side = draw(st.sampled_from(["requests", "limits"]))
    way, what = draw(st.sampled_from(["all", "one", "zero"])), draw(st.sampled_from(["cpu", "memory"]))
    if way == "all":
        del resources[side]
    elif way == "one":
        del resources[side][what]
    else:  # the API server itself rejects a limit below its request
        resources["requests"][what] = "0"
    return RESOURCES


def _unpin(draw: st.DrawFn, obj: Object) -> str:
    _some_container(draw, obj)["image"] = draw(MOVING)
    return TAG


def _promote(draw: st.DrawFn, obj: Object) -> str:
    container = _some_container(draw, obj)
    way = draw(st.sampled_from(["denied", "unsaid", "user", "user of the pod"]))
    if way == "denied":
        container["securityContext"]["runAsNonRoot"] = False
    elif way == "unsaid":
        del container["securityContext"]
    elif way == "user":
        container["securityContext"]["runAsUser"] = 0
    else:
        pod_of(obj)["securityContext"] = {"runAsUser": 0}
    return ROOT_USER
