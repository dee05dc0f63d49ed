"""What one pod asks for: its containers together, as admission completes them and the scheduler adds them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.quantities import exact, quantity
from neuroscale.kubernetes.refs import Object

Amounts = Mapping[str, Decimal]
SIDES = ("requests", "limits")
#: What ``spec.resources`` of a pod may speak of, beside huge pages.
_POD_LEVEL = ("cpu", "memory")


@dataclass(frozen=True)
class Needs:
    """What a container or a pod asks for: cores, bytes, and whatever else a resource is counted in.

    Attributes:
        requests: Resource -> what is reserved.
        limits: Resource -> what it may take.
        stays: An init container that runs beside the others: a native sidecar.
    """

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)
    stays: bool = False

    def side(self, name: str) -> Amounts:
        """Requests or limits, by name."""
        return self.requests if name == "requests" else self.limits


@dataclass(frozen=True)
class Range:
    """What a LimitRange gives to containers that say nothing themselves."""

    requests: Amounts
    limits: Amounts


def amounts(given: object) -> dict[str, Decimal]:
    """Amounts by resource; one that nobody can read is an earlier stage's to reject, and none here."""
    found = {}
    for resource, amount in given.items() if isinstance(given, dict) else ():
        try:
            found[str(resource)] = quantity(amount)
        except Inconclusive:
            continue
    return found


def needs_of(container: Object) -> Needs:
    """A container's, with the limit in place of a request that is not there, as the API server has it."""
    given = container.get("resources") or {}
    limits = amounts(given.get("limits"))
    return Needs({**limits, **amounts(given.get("requests"))}, limits, container.get("restartPolicy") == "Always")


def range_of(limit_range: Object) -> Range:
    """What the API server makes of the entries for containers: the largest is the default, the default is requested.

    https://kubernetes.io/docs/concepts/policy/limit-range/
    """
    entries = (limit_range.get("spec") or {}).get("limits") or []
    requests, limits = dict[str, Decimal](), dict[str, Decimal]()
    for entry in (one for one in entries if one.get("type") == "Container"):
        most = {**amounts(entry.get("max")), **amounts(entry.get("default"))}
        least = {**amounts(entry.get("min")), **most, **amounts(entry.get("defaultRequest"))}
        limits |= most
        requests |= least
    return Range(requests, limits)


def admitted(needs: Needs, ranges: Iterable[Range]) -> Needs:
    """With what the LimitRanges of its namespace add, one after the other."""
    for one in ranges:
        needs = replace(needs, requests={**one.requests, **needs.requests}, limits={**one.limits, **needs.limits})
    return needs


def total(main: Sequence[Needs], starting: Sequence[Needs]) -> Needs:
    """Containers run together; initialising ones one after the other before them, but for those that stay.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    requests, limits = (_peak([one.side(side) for one in main], starting, side) for side in SIDES)
    return Needs(requests, limits)


@exact()
def _peak(main: Sequence[Amounts], starting: Sequence[Needs], side: str) -> Amounts:
    beside, peak = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for one in starting:
        for resource, amount in one.side(side).items():
            peak[resource] = max(peak[resource], beside[resource] + amount)
            if one.stays:
                beside[resource] += amount
    for given in main:
        for resource, amount in given.items():
            beside[resource] += amount
    # Who initialises has been looked for beside them, so all are there.
    return {resource: max(peak[resource], amount) for resource, amount in beside.items()}


def pod_needs(spec: Object, ranges: Sequence[Range], *, pod_level: bool) -> Needs:
    """What the scheduler reserves for a pod.

    Args:
        spec: The pod's, with what controllers put in.
        ranges: Of its namespace.
        pod_level: Whether the API server knows ``spec.resources``; one before 1.34 drops it.
    """
    main = [needs_of(one) for one in spec.get("containers") or []]
    starting = [needs_of(one) for one in spec.get("initContainers") or []]
    said = total(main, starting)
    whole = total([admitted(one, ranges) for one in main], [admitted(one, ranges) for one in starting])
    if pod_level and isinstance(given := spec.get("resources"), dict):
        whole = _with_pod_level(whole, said, given)
    return whole


def silent(spec: Object, ranges: Sequence[Range], *, pod_level: bool) -> dict[str, int]:
    """Resource -> how many containers of a pod take of it what they like, since nobody says what they need.

    Args:
        spec: The pod's, with what controllers put in.
        ranges: Of its namespace.
        pod_level: Whether the API server knows ``spec.resources``; what the pod says of itself is for all of them.
    """
    given = spec.get("resources") if pod_level else None
    whole = _with_pod_level(Needs(), Needs(), given if isinstance(given, dict) else {})
    running = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    needs = [admitted(needs_of(one), ranges) for one in running]
    counts = {what: sum(not one.requests.get(what) for one in needs) for what in _POD_LEVEL}
    return {what: count for what, count in counts.items() if count and not whole.requests.get(what)}


def _with_pod_level(whole: Needs, said: Needs, given: Object) -> Needs:
    """What the pod says of itself stands in for what its containers say.

    https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/
    """
    limits = {what: one for what, one in amounts(given.get("limits")).items() if what in _POD_LEVEL}
    own = {what: one for what, one in amounts(given.get("requests")).items() if what in _POD_LEVEL}
    # Where the pod says a limit and no request, its containers' requests are it, as they were before admission.
    asked = {what: one for what, one in said.requests.items() if what in _POD_LEVEL} if limits else {}
    return Needs({**whole.requests, **limits, **asked, **own}, {**whole.limits, **limits})
