"""Last stage: what the tree asks of the cluster, against its quotas. Against what it asked for before: the delta."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from neuroscale.delta.needs import SIDES, needs_of, total
from neuroscale.delta.runtimes import completed, runtime_for
from neuroscale.errors import Inconclusive
from neuroscale.gate import billing
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.scopes import plural
from neuroscale.guardrails.oracle import PodShape, pods
from neuroscale.kubernetes.quantities import quantity, readable
from neuroscale.kubernetes.refs import Object

Amounts = dict[str, Decimal]
#: What is counted, as quotas call it.
COUNTED = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods")

#: What pods of others are made of.
_RUNTIMES = {"ClusterServingRuntime", "ServingRuntime"}


def demands(places: Places) -> dict[str, Amounts]:
    """Object -> what its pods ask for, all replicas together; objects without pods are left out."""
    runtimes = [obj for objects in places.values() for obj in objects if obj["kind"] in _RUNTIMES]
    found = {}
    for place, objects in places.items():
        for obj in (one for one in objects if one["kind"] not in _RUNTIMES):
            whole: Amounts = defaultdict(Decimal)
            for pod in pods(obj):
                count = _replicas(obj, pod)
                for what, amount in _pod(pod, runtimes, obj["metadata"].get("namespace") or "").items():
                    whole[what] += amount * count
                whole["pods"] += count
            if whole:
                found[named(place, obj)] = dict(whole)
    return found


def totals(found: Mapping[str, Amounts]) -> Amounts:
    """All of it together."""
    return {what: sum((one.get(what, Decimal(0)) for one in found.values()), Decimal(0)) for what in COUNTED}


def check(places: Places) -> list[Finding]:
    """No namespace asks for more than its quota: the API server rejects pods then, long after the merge.

    And nobody hides behind a label who pays.
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
    return [*found, *_above_ranges(places), *billing.check_labels(places)]


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


def _pod(pod: PodShape, runtimes: list[Object], namespace: str) -> Amounts:
    """One pod, by what its manifest says."""
    main = [*pod.containers("containers"), *(_served(model, runtimes, namespace) for model in pod.models)]
    whole = total([needs_of(one) for one in main], [needs_of(one) for one in pod.containers("initContainers")])
    return {f"{side}.{what}": whole.side(side).get(what, Decimal(0)) for side in SIDES for what in ("cpu", "memory")}


def _quantity(value: object) -> Decimal:
    """An amount; one that nobody can read is an earlier stage's to reject, and none here."""
    try:
        return quantity(value)
    except Inconclusive:
        return Decimal(0)


def _served(model: Object, runtimes: list[Object], namespace: str) -> Object:
    """A model's container with what its runtime says where the model itself is silent (incident E2)."""
    wanted = str((model.get("modelFormat") or {}).get("name"))
    return completed(model, (), runtime_for(model, wanted, runtimes, namespace))[0]


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
