"""The workloads of a tree: what each asks for, whose it is, and what of it has no price."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from neuroscale.delta.demand import Demand
from neuroscale.delta.injected import PERCENTAGES
from neuroscale.delta.models import Pods, bounded, images, in_knative, mode_of, number, of_model
from neuroscale.delta.needs import Needs, Range, amounts, pod_needs
from neuroscale.delta.surroundings import Surroundings
from neuroscale.delta.unpriced import Unpriced, beside, unknown
from neuroscale.guardrails.oracle import pods
from neuroscale.kubernetes.quantities import exact, readable
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices

Places = Mapping[str, Sequence[Object]]
#: Whose pods without these labels are.
NOBODY = "(none)"
_KNATIVE = "serving.knative.dev"
_MODELS = ("serving.kserve.io", "InferenceService")
#: They run for a while, and how long is not said.
_BY_TIME = {"Job", "CronJob"}
#: What has a number of pods of its own, which an autoscaler may change.
_SCALED = {"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"}


@dataclass(frozen=True)
class Share:
    """The part of a workload that one team pays for.

    Attributes:
        owner: Who answers for it.
        cost_center: Who pays for it.
        demand: What it asks for.
        part: Which of its pods.
    """

    owner: str
    cost_center: str
    demand: Demand
    part: str = ""


@dataclass(frozen=True)
class Workload:
    """An object with pods.

    Attributes:
        place: The folder that makes it.
        content: What runs in it, whatever it is called: by this it is found again under another name.
        shares: Its pods by sort.
    """

    place: str
    kind: str
    namespace: str
    name: str
    shares: tuple[Share, ...]
    content: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Which object of the cluster it is."""
        return self.kind, self.namespace, self.name

    @property
    def demand(self) -> Demand:
        """All of its pods together."""
        return Demand.sum(share.demand for share in self.shares)

    @property
    def owners(self) -> tuple[str, ...]:
        """Whoever has a part in it."""
        return tuple(dict.fromkeys(share.owner for share in self.shares))

    @property
    def cost_centers(self) -> tuple[str, ...]:
        """Whoever pays a part of it."""
        return tuple(dict.fromkeys(share.cost_center for share in self.shares))

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


@dataclass(frozen=True)
class Survey:
    """A tree's workloads, and what has no price in it."""

    workloads: tuple[Workload, ...] = ()
    unpriced: tuple[Unpriced, ...] = ()


def survey(places: Places, prices: Prices, *, pod_level: bool) -> Survey:
    """What a tree asks for.

    Args:
        places: Folder -> its objects, each in its namespace.
        prices: What has a price, and how many nodes there are.
        pod_level: Whether the API server knows resources of a whole pod.
    """
    around = Surroundings.of((obj for objects in places.values() for obj in objects), pod_level=pod_level)
    workloads, without = list[Workload](), list[Unpriced]()
    for place, objects in sorted(places.items()):
        for obj in objects:
            made, reasons = _looked_at(obj, around, prices)
            if made:
                workloads.append(_workload(place, obj, made))
            content = hashlib.sha256(json.dumps(obj.get("spec"), sort_keys=True, default=str).encode()).hexdigest()
            without += [Unpriced(place, _called(obj), reason, content) for reason in reasons]
    return Survey(tuple(workloads), tuple(without))


_Made = list[tuple[Pods, Needs]]


def _looked_at(obj: Object, around: Surroundings, prices: Prices) -> tuple[_Made, list[str]]:
    """An object's pods that have a price, and the reasons for which something of it has none."""
    group, kind = obj["apiVersion"].rpartition("/")[0], obj["kind"]
    if (group, kind) == _MODELS:
        if (mode := mode_of(obj, around)) not in ("raw", "knative"):
            return [], [f"deployment mode {mode}"]
        sorts = list(of_model(obj, around))
    else:
        sorts = list(_native(obj, group, around, prices.nodes))
        if not sorts:
            return [], list(unknown(obj))
    ranges = around.ranges.get(str(obj["metadata"].get("namespace") or ""), ())
    made = [(one, _needs(one.spec, ranges, around)) for one in sorts]
    if kind in _BY_TIME:
        when = f"on schedule {(obj.get('spec') or {}).get('schedule')!r}" if kind == "CronJob" else "once"
        pod, needs = made[0]
        return [], [f"runs {when}, for a time that nobody says; while it does, {pod.least} × {_written(needs)}"]
    if kind == "DaemonSet" and prices.nodes is None:
        return [], [f"a pod on each node, and nobody says how many there are; each {_written(made[0][1])}"]
    reasons = [reason for one, _ in made for reason in one.unpriced]
    beyond = (beside(obj, one.spec, needs, around, prices.hourly) for one, needs in made)
    return made, [*reasons, *(reason for several in beyond for reason in several)]


def _native(obj: Object, group: str, around: Surroundings, nodes: int | None) -> Iterator[Pods]:
    """The pods of every kind but models. A serving runtime speaks of pods, and has none."""
    spec, kind, meta = obj.get("spec") or {}, obj["kind"], obj["metadata"]
    for pod in [] if group == _MODELS[0] else pods(obj):
        least, most = _replicas(obj, around, nodes)
        labels, of_pod, unpriced = {**(meta.get("labels") or {}), **(pod.labels or {})}, pod.spec, tuple[str, ...]()
        bounds: tuple[int, int | None] = (least, most)
        if group == _KNATIVE:
            template = meta if kind == "Revision" else (spec.get("template") or {}).get("metadata") or {}
            annotations = template.get("annotations") or {}
            of_pod = in_knative(of_pod, annotations, around)
            unpriced = tuple(f"annotation {one}" for one in PERCENTAGES if one in annotations)
            bounds = _scale(annotations, around)
        yield Pods("", of_pod, labels, *bounds, unpriced, images(of_pod))


def _replicas(obj: Object, around: Surroundings, nodes: int | None) -> tuple[int, int]:
    """How many pods there are at least, and at most."""
    spec, kind, meta = obj.get("spec") or {}, obj["kind"], obj["metadata"]
    if kind == "DaemonSet":
        return nodes or 0, nodes or 0
    if kind in _BY_TIME:
        spec = (spec.get("jobTemplate") or {}).get("spec") or {} if kind == "CronJob" else spec
        count = number(spec.get("parallelism"), 1)
        return count, count
    if kind not in _SCALED:
        return 1, 1
    count = number(spec.get("replicas"), 1)
    scaler = around.scalers.get((str(meta.get("namespace") or ""), kind, meta["name"]))
    # Whoever sets it to none has switched the autoscaler off.
    if scaler is None or not count:
        return count, count
    bounds = scaler.get("spec") or {}
    least = number(bounds.get("minReplicas"), 1)
    return least, max(least, number(bounds.get("maxReplicas"), least))


def _scale(annotations: Object, around: Surroundings) -> tuple[int, int | None]:
    """Of a Knative Service, whose pods may all go to sleep."""
    prefix = "autoscaling.knative.dev/"
    said = {
        side: annotations.get(f"{prefix}{side}-scale", annotations.get(f"{prefix}{side}Scale"))
        for side in ("min", "max")
    }
    return bounded(number(said["min"], 0), said["max"], around)


@exact()
def _needs(spec: Object, ranges: Sequence[Range], around: Surroundings) -> Needs:
    """Of a pod, with what its RuntimeClass costs beside its containers."""
    needs = pod_needs(spec, ranges, pod_level=around.pod_level)
    runtime_class = around.overheads.get(str(spec.get("runtimeClassName"))) or {}
    for resource, amount in amounts((runtime_class.get("overhead") or {}).get("podFixed")).items():
        requests = {**needs.requests, resource: needs.requests.get(resource, Decimal(0)) + amount}
        # Nothing is added to a limit that is not there.
        limits = {what: one + amount if what == resource else one for what, one in needs.limits.items()}
        needs = replace(needs, requests=requests, limits=limits)
    return needs


def _workload(place: str, obj: Object, made: _Made) -> Workload:
    shares = []
    for one, needs in made:
        owner, payer = (str(one.labels.get(key) or NOBODY) for key in ("owner", "cost-center"))
        shares.append(Share(owner, payer, Demand.of(needs, one.least, one.most), one.part))
    meta, content = obj["metadata"], tuple(text for one, _ in made for text in (one.part, *one.content))
    return Workload(place, obj["kind"], str(meta.get("namespace") or ""), meta["name"], tuple(shares), content)


def _called(obj: Object) -> str:
    meta = obj["metadata"]
    where = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return f"{obj['kind']} {where}{meta['name']}"


def _written(needs: Needs) -> str:
    """What one pod asks for, exactly, for people who add it up themselves."""
    named = ((resource, needs.requests.get(resource, Decimal(0))) for resource in ("cpu", "memory"))
    return ", ".join(f"{resource} {readable(f'requests.{resource}', amount)}" for resource, amount in named)
