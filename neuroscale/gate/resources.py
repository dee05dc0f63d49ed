"""Last stage: what the tree asks of the cluster, against what it asked for before, and against its quotas."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from neuroscale.errors import Inconclusive
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.scopes import plural
from neuroscale.guardrails.oracle import PodShape, pods
from neuroscale.kubernetes.quantities import SUFFIXES, quantity
from neuroscale.kubernetes.refs import Object

Amounts = dict[str, Decimal]
#: What is counted, as quotas call it.
COUNTED = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods")

#: What pods of others are made of.
_RUNTIMES = {"ClusterServingRuntime", "ServingRuntime"}


@dataclass(frozen=True)
class Change:
    """An object whose demand is not what it was; amounts are cores, bytes and pods."""

    name: str
    before: Amounts
    after: Amounts

    def by(self, what: str) -> Decimal:
        """How much more it asks for; negative: less."""
        return self.after.get(what, Decimal(0)) - self.before.get(what, Decimal(0))


def demands(places: Places) -> dict[str, Amounts]:
    """Object -> what its pods ask for, all replicas together; objects without pods are left out."""
    runtimes = [obj for objects in places.values() for obj in objects if obj["kind"] == "ClusterServingRuntime"]
    found = {}
    for place, objects in places.items():
        for obj in (one for one in objects if one["kind"] not in _RUNTIMES):
            total: Amounts = defaultdict(Decimal)
            for pod in pods(obj):
                count = _replicas(obj, pod)
                for what, amount in _pod(pod, runtimes).items():
                    total[what] += amount * count
                total["pods"] += count
            if total:
                found[named(place, obj)] = dict(total)
    return found


def changes(before: Mapping[str, Amounts], after: Mapping[str, Amounts]) -> list[Change]:
    """What is different, by name."""
    names = sorted({*before, *after})
    found = (Change(name, before.get(name, {}), after.get(name, {})) for name in names)
    return [change for change in found if any(change.by(what) for what in COUNTED)]


def totals(found: Mapping[str, Amounts]) -> Amounts:
    """All of it together."""
    return {what: sum((one.get(what, Decimal(0)) for one in found.values()), Decimal(0)) for what in COUNTED}


def check(places: Places) -> list[Finding]:
    """No namespace asks for more than its quota: the API server rejects pods then, long after the merge.

    Sidecars that controllers add count against the quota as well and are not seen here.

    Args:
        places: The objects, each in its namespace.
    """
    objects = [(place, obj) for place, several in places.items() for obj in several]
    found = []
    for place, quota in ((place, obj) for place, obj in objects if obj["kind"] == "ResourceQuota"):
        namespace = quota["metadata"].get("namespace")
        inside = {
            name: [obj for obj in several if obj["metadata"].get("namespace") == namespace]
            for name, several in places.items()
        }
        runtimes = [obj for _, obj in objects if obj["kind"] == "ClusterServingRuntime"]
        asked = totals(demands({**inside, "runtimes": runtimes})) | _counts(inside)
        for what, hard in (quota.get("spec") or {}).get("hard", {}).items():
            if (amount := asked.get(what, Decimal(0))) > _quantity(hard):
                said = f"{namespace} should ask for at most {hard} {what}, but asks for {readable(what, amount)}"
                found.append(Finding("resources", "quota", named(place, quota), said))
    return [*found, *_above_ranges(places)]


def _above_ranges(places: Places) -> Iterator[Finding]:
    """Pods with a container that is larger than its namespace allows are never made."""
    for obj in (obj for obj in _all(places) if obj["kind"] == "LimitRange"):
        for entry in (obj.get("spec") or {}).get("limits") or []:
            for what, most in (entry.get("max") or {}).items() if entry.get("type") == "Container" else []:
                yield from _above(places, obj["metadata"].get("namespace"), what, most)


def _above(places: Places, namespace: object, what: str, most: object) -> Iterator[Finding]:
    for place, objects in places.items():
        for obj in (one for one in objects if one["metadata"].get("namespace") == namespace):
            for container in (one for pod in pods(obj) for one in (*pod.containers(), *pod.models)):
                asked = ((container.get("resources") or {}).get("limits") or {}).get(what)
                if asked is not None and _quantity(asked) > _quantity(most):
                    said = f"{namespace} allows {most} {what} for a container at most, but one may take {asked}"
                    yield Finding("resources", "limit-range", named(place, obj), said)


def readable(what: str, amount: Decimal) -> str:
    """An amount as manifests write it: ``250m``, ``1Gi``, ``3``."""
    if what.endswith("cpu"):
        return f"{amount * 1000:.0f}m" if amount % 1 else f"{amount:.0f}"
    if not what.endswith("memory"):
        return f"{amount:.0f}"
    for suffix in ("Gi", "Mi", "Ki"):
        if amount and not amount % SUFFIXES[suffix]:
            return f"{amount / SUFFIXES[suffix]:.0f}{suffix}"
    return f"{amount:.0f}"


def _pod(pod: PodShape, runtimes: list[Object]) -> Amounts:
    """One pod: containers run together, initialising ones one after the other before them.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    main = [*pod.containers("containers"), *(_served(model, runtimes) for model in pod.models)]
    starting = pod.containers("initContainers")
    amounts: Amounts = {}
    for what in COUNTED[:4]:
        beside, peak = Decimal(0), Decimal(0)
        for container in starting:
            own = _amount(container, what)
            if container.get("restartPolicy") == "Always":
                beside += own
                own = Decimal(0)
            peak = max(peak, beside + own)
        amounts[what] = max(peak, beside + sum((_amount(container, what) for container in main), Decimal(0)))
    return amounts


def _amount(container: Object, what: str) -> Decimal:
    side, _, resource = what.partition(".")
    given = container.get("resources") or {}
    # Without a request the limit is the request.
    value = (given.get(side) or {}).get(resource, (given.get("limits") or {}).get(resource, 0))
    return _quantity(value)


def _quantity(value: object) -> Decimal:
    """An amount; one that nobody can read is an earlier stage's to reject, and none here."""
    try:
        return quantity(value)
    except Inconclusive:
        return Decimal(0)


def _served(model: Object, runtimes: list[Object]) -> Object:
    """A model's container with what its runtime says where the model itself is silent (incident E2)."""
    wanted = (model.get("modelFormat") or {}).get("name")
    for runtime in runtimes:
        supported = runtime["spec"].get("supportedModelFormats", [])
        formats = {entry.get("name") for entry in supported if entry.get("autoSelect")}
        if runtime["metadata"]["name"] == model.get("runtime") or (not model.get("runtime") and wanted in formats):
            containers: list[Object] = runtime["spec"].get("containers", [])
            base = (containers[0].get("resources") if containers else None) or {}
            own = model.get("resources") or {}
            return {"resources": {side: {**base.get(side, {}), **own.get(side, {})} for side in ("requests", "limits")}}
    return model


def _replicas(obj: Object, pod: PodShape) -> int:
    """How many pods there are at first: of one node, and of models that sleep none. Null is as good as not there."""
    spec, default = obj.get("spec") or {}, 1
    match obj["kind"]:
        case "Job":
            count = spec.get("parallelism")
        case "CronJob":
            count = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("parallelism")
        case "InferenceService":
            count = pod.spec.get("minReplicas")
        case "Service" | "Configuration" | "Revision":
            meta = obj["metadata"] if obj["kind"] == "Revision" else (spec.get("template") or {}).get("metadata")
            annotations = (meta or {}).get("annotations") or {}
            count, default = annotations.get("autoscaling.knative.dev/min-scale"), 0
        case _:
            count = spec.get("replicas")
    return int(str(count)) if re.fullmatch(r"\d+", str(count)) else default


def _counts(places: Places) -> Amounts:
    """Quotas on numbers of objects: ``count/deployments.apps``."""
    kinds: Amounts = defaultdict(Decimal)
    for obj in _all(places):
        group = obj["apiVersion"].rpartition("/")[0]
        kinds[".".join(filter(None, (f"count/{plural(obj['kind'])}", group)))] += 1
    return dict(kinds)


def _all(places: Places) -> Iterator[Object]:
    return (obj for objects in places.values() for obj in objects)
