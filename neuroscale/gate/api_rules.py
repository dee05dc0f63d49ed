"""What the API server rejects although it fits its schema: names, labels, keys, ports, and what must agree.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and the validation of each kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from neuroscale.errors import Inconclusive
from neuroscale.guardrails.oracle import pods
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"
_WORD = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#: Kinds whose names are names of hosts as well, without dots; the second sort may not begin with a digit.
_HOSTS, _SERVICES = frozenset({"Namespace"}), frozenset({"Service", "InferenceService"})
#: Groups whose names may be anything that can stand in a path.
_PATHS = frozenset({"rbac.authorization.k8s.io"})
#: Kinds that choose their pods by labels.
_CHOOSING = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"})
#: Those of Kubernetes' own kinds that have pods.
_OWN_GROUPS = frozenset({"", "apps", "batch"})
_LONGEST, _LONGEST_LABEL = 253, 63


def complaints(obj: Object) -> list[str]:
    """What the API server would reject of an object that fits its schema, before it asks a policy or a webhook."""
    parts = (_metadata, _data, _ports, _selector, _containers, _images, _restarts, _quota)
    return [said for part in parts for said in part(obj)]


def _metadata(obj: Object) -> Iterator[str]:
    name, group = obj["metadata"]["name"], obj["apiVersion"].rpartition("/")[0]
    if group in _PATHS:
        if name in (".", "..") or re.search("[/%]", name):
            yield f"metadata.name does not fit: {name!r} cannot stand in a path"
    else:
        form, longest = _form(obj["kind"])
        if not re.fullmatch(form, name) or len(name) > longest:
            yield f"metadata.name does not fit: {name!r} is not {longest} lower-case letters, digits, hyphens at most"
    yield from _labels(obj["metadata"], "metadata")
    for pod in pods(obj):
        if pod.labels is not None:
            yield from _labels({"labels": pod.labels}, "the pods' metadata")


def _form(kind: str) -> tuple[str, int]:
    if kind in _SERVICES:
        return r"[a-z]([-a-z0-9]*[a-z0-9])?", _LONGEST_LABEL
    return (_LABEL, _LONGEST_LABEL) if kind in _HOSTS else (_NAME, _LONGEST)


def _labels(meta: Object, whose: str) -> Iterator[str]:
    for sort in ("labels", "annotations"):
        for key, value in (meta.get(sort) or {}).items():
            prefix, slash, word = key.rpartition("/")
            right = re.fullmatch(_WORD, word) and len(word) <= _LONGEST_LABEL
            if not right or (slash and not re.fullmatch(_NAME, prefix.lower())):
                yield f"{whose}.{sort} does not fit: {key!r} is no key"
            if sort == "labels" and value and not (re.fullmatch(_WORD, value) and len(value) <= _LONGEST_LABEL):
                yield f"{whose}.labels.{key} does not fit: {value!r} is no value of a label"


def _data(obj: Object) -> Iterator[str]:
    if obj["apiVersion"] == "v1" and obj["kind"] in ("ConfigMap", "Secret"):
        for key in [key for field in ("data", "binaryData", "stringData") for key in obj.get(field) or {}]:
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key) or len(key) > _LONGEST or key in (".", ".."):
                yield f"data does not fit: {key!r} is no key"


def _ports(obj: Object) -> Iterator[str]:
    containers = [container for pod in pods(obj) for container in pod.containers()]
    ports = [(port, "containerPort") for container in containers for port in container.get("ports") or []]
    if obj["apiVersion"] == "v1" and obj["kind"] == "Service":
        ports += [(port, "port") for port in (obj.get("spec") or {}).get("ports") or []]
    for port, field in ports:
        if isinstance(port, dict) and not 0 < _number(port.get(field)) < 1 << 16:
            yield f"{field} does not fit: {port.get(field)!r} is no port"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _selector(obj: Object) -> Iterator[str]:
    if obj["apiVersion"] != "apps/v1" or obj["kind"] not in _CHOOSING:
        return
    selector, labels = obj["spec"].get("selector") or {}, pods(obj)[0].labels or {}
    wanted = selector.get("matchLabels") or {}
    if not wanted and not selector.get("matchExpressions"):
        yield "spec.selector does not fit: it is empty"
    for key, value in wanted.items():
        if labels.get(key) != value:
            yield f"spec.selector does not fit: the pods' label {key} should be {value!r}, but is {labels.get(key)!r}"


def _containers(obj: Object) -> Iterator[str]:
    for pod in pods(obj):
        containers = [one for one in pod.containers() if isinstance(one, dict)]
        for name, times in Counter(str(one.get("name")) for one in containers).items():
            if times > 1:
                yield f"containers do not fit: {times} of them are called {name}"
        for container in containers:
            yield from _amounts(container)


def _images(obj: Object) -> Iterator[str]:
    """Blanks at an end are left to whoever makes a pod of a template."""
    if obj["apiVersion"].rpartition("/")[0] in _OWN_GROUPS:
        for pod in pods(obj):
            if pod.spec.get("ephemeralContainers"):
                yield "ephemeralContainers do not fit: they are added to a pod that runs"
            for container in pod.containers("containers", "initContainers"):
                image = container.get("image") or ""
                if not image:
                    yield f"{container.get('name')} does not fit: it has no image"
                elif obj["kind"] == "Pod" and image != image.strip():
                    yield f"{container.get('name')} does not fit: the image {image!r} has a blank at an end"


def _restarts(obj: Object) -> Iterator[str]:
    """The engine's Kubernetes is a later one, which drops without a word what the node's rejects."""
    if obj["apiVersion"].rpartition("/")[0] in _OWN_GROUPS:
        for pod in pods(obj):
            for sort, allowed in (("containers", (None,)), ("initContainers", (None, "Always"))):
                for container in pod.containers(sort):
                    if (policy := container.get("restartPolicy")) not in allowed:
                        yield f"{container.get('name')} does not fit: restartPolicy {policy!r} is for no such container"


def _quota(obj: Object) -> Iterator[str]:
    if obj["kind"] == "ResourceQuota":
        for what, value in ((obj.get("spec") or {}).get("hard") or {}).items():
            if _amount(value) is None:
                yield f"spec.hard.{what} does not fit: {value!r} is no quantity"


def _amounts(container: Object) -> Iterator[str]:
    given = container.get("resources") or {}
    limits = given.get("limits") or {}
    for side in ("requests", "limits"):
        for what, value in (given.get(side) or {}).items():
            if _amount(value) is None:
                yield f"{container.get('name')} does not fit: {side}.{what} is {value!r}, which is no quantity"
    for what, asked in (given.get("requests") or {}).items():
        most = _amount(limits.get(what))
        if most is not None and (_amount(asked) or 0) > most:
            name = container.get("name")
            yield f"{name} does not fit: requests.{what} should be {limits[what]} at most, but is {asked}"


def _amount(value: object) -> Decimal | None:
    try:
        return quantity(value)
    except Inconclusive:
        return None
