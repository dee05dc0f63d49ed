"""What the namespace of workloads may hold: its quota and the limits of a container, tried right at each limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.chaos.leaving_pods import quieten
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.guardrails.admission import (
    AdmissionResponse,
    assert_met,
    objects_of,
    specimen,
    submit,
    submit_repeatedly,
)
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import expected
from neuroscale.probes.knative_resources import MODEL_LABEL
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import APPS_NAMESPACE

QUOTA = Ref("ResourceQuota", "default-namespace-quota", APPS_NAMESPACE, "v1")
LIMITS = Ref("LimitRange", "default-namespace-limits", APPS_NAMESPACE, "v1")
#: What is counted by objects -> the good specimen of which there may be so many.
_COUNTED = {
    "Deployments": ("count/deployments.apps", "deployment"),
    "models": ("count/inferenceservices.serving.kserve.io", "model"),
}
#: What is counted by what pods ask for -> as the quota names it.
_AMOUNTS = {
    "CPU requests": "requests.cpu",
    "memory requests": "requests.memory",
    "CPU limits": "limits.cpu",
    "memory limits": "limits.memory",
}
#: Seconds. A model's pod takes half a minute to drain.
_DRAINED_WITHIN = 60.0
#: Containers of the pod that asks for much.
_PARTS = 5
#: The container that Knative puts beside each model server.
_SIDECAR = "queue-proxy"
#: The smallest step of each amount.
_STEP = {"cpu": Decimal("0.001"), "memory": Decimal(1024 * 1024)}


@dataclass(frozen=True)
class LimitProbe:
    """What was answered right within a limit, at it, and right beyond it.

    Attributes:
        words: In which what lies beyond is rejected.
    """

    limit: str
    below: AdmissionResponse
    at: AdmissionResponse
    above: AdmissionResponse
    words: str


@dataclass(frozen=True)
class SidecarProbe(LimitProbe):
    """The same of a pod with a sidecar.

    Attributes:
        alone: What was answered right beyond the limit, without the sidecar.
    """

    alone: AdmissionResponse


Probed = TypeVar("Probed", bound=LimitProbe)


def evaluate_limit(edge: LimitProbe) -> Verdict:
    """Up to the limit everything is admitted, and what lies beyond it is rejected in the expected words."""
    for answer, where in ((edge.below, "within"), (edge.at, "at")):
        if answer.outcome != "admitted":
            return unrecoverable(f"right {where} {edge.limit}: {answer.said}")
    if edge.above.outcome != "rejected otherwise" or edge.words not in edge.above.said:
        return unrecoverable(
            f"right beyond {edge.limit}: {edge.above.outcome}: {edge.above.said or 'nothing was said'}"
        )
    return met(edge.above.said)


def assert_limit(edge: LimitProbe, platform: Platform) -> None:
    """The limit holds, to the last one.

    Raises:
        ConditionTimeout: It is wider or narrower.
    """
    assert_met(f"up to {edge.limit} is admitted, and no more", evaluate_limit(edge), platform)


# --- the quota


def fill(what: str, breakage: Breakage) -> LimitProbe:
    """Make objects of a kind until the quota of them is reached, and ask for one more each time.

    Raises:
        PreconditionFailed: There is no quota of them, or no room to try it.
    """
    wait_until_quiet(breakage.platform)
    cluster, (resource, name) = breakage.platform.cluster, _COUNTED[what]
    pattern = objects_of(specimen(name, good=True))[0]
    wait("the quota has counted", lambda: evaluate_counted(cluster, resource, pattern), cluster)
    hard, used = taken(breakage.platform, resource)[resource]
    room = int(hard - used)
    if room < 1:
        raise PreconditionFailed(f"The quota {resource} should leave room to try, but {used} of {hard} are taken.")
    answers = []
    for number in range(1, room + 1):
        answers.append(submit(cluster, _numbered(pattern, number)))
        if answers[-1].outcome != "admitted":
            break
        breakage.inject(ObjectCreated(manifest=_numbered(pattern, number)))
    above = submit_repeatedly(cluster, _numbered(pattern, room + 1))
    below = answers[-2] if len(answers) > 1 else answers[-1]
    return LimitProbe(f"{hard} {what}", below, answers[-1], above, _exceeded(resource))


def evaluate_counted(cluster: Cluster, resource: str, pattern: Object) -> Verdict:
    """As many objects are taken for used as there are: what was deleted a moment ago is given back a moment later."""
    used = ((cluster.get(QUOTA) or {}).get("status") or {}).get("used", {}).get(resource)
    there = len(cluster.list(pattern["kind"], APPS_NAMESPACE, api_version=pattern["apiVersion"]))
    seen = f"{there} there, {'none' if used is None else used} taken for used"
    return met(seen) if used is None or int(used) == there else pending(seen)


def wait_until_quiet(platform: Platform) -> None:
    """Terminating pods still count against the quota, and may be gone while the limit is probed.

    Raises:
        PreconditionFailed: Some are left.
    """
    wait("no pod is on its way out", lambda: quieten(platform.cluster), platform.cluster)


def wait(description: str, evaluate: Callable[[], Verdict], cluster: Cluster) -> None:
    """Wait for what has to be so before the quota is tried.

    Raises:
        PreconditionFailed: It does not come true.
    """
    try:
        eventually(ProbeFunction(description, evaluate, area="guardrails"), cluster, within=_DRAINED_WITHIN)
    except ConditionTimeout as error:
        raise PreconditionFailed(f"The quota was not tried. {error}") from error


def _exceeded(what: str) -> str:
    return f"exceeded quota: {QUOTA.name}, requested: {what}="


def _numbered(pattern: Object, number: int) -> Object:
    meta = {**pattern["metadata"], "name": f"counted-{number}", "namespace": APPS_NAMESPACE}
    spec = dict(pattern["spec"])
    if "replicas" in spec:
        spec["replicas"] = 0  # counted is the object; its pods have a quota of their own
    if "predictor" in spec:
        spec["predictor"] = {**spec["predictor"], "minReplicas": 0}
    return {**pattern, "metadata": meta, "spec": spec}


def ask_for_all(amount: str, platform: Platform) -> LimitProbe:
    """Ask for a pod that takes all that the quota leaves of an amount, a little less, and a little more.

    Raises:
        PreconditionFailed: Git knows no quota of it, or what is left never stays the same while it is asked for.
    """
    what = _AMOUNTS[amount]
    return _steadily(what, platform, lambda left: _ask_around(what, left, platform.cluster))


def ask_with_sidecar(amount: str, platform: Platform) -> SidecarProbe:
    """Ask as :func:`ask_for_all` for a pod that has Knative's queue-proxy beside its own containers.

    Raises:
        PreconditionFailed: As there; or no model's pod has such a sidecar.
    """
    what, sidecar = _AMOUNTS[amount], _sidecar(platform.cluster)

    def ask(left: Mapping[str, Decimal]) -> SidecarProbe:
        own = {of: left[of] - quantity(sidecar["resources"][_side(of)][_of(of)]) for of in left}
        pods = [_pod(_asking(what, own, step)) for step in (-1, 0, 1)]
        below, at, above = (submit_repeatedly(platform.cluster, _beside(sidecar, pod)) for pod in pods)
        alone = submit_repeatedly(platform.cluster, pods[-1])
        limit = f"all that is left of {what}, a sidecar included"
        return SidecarProbe(limit, below, at, above, _exceeded(what), alone)

    return _steadily(what, platform, ask)


def assert_alone_fits(edge: SidecarProbe, platform: Platform) -> None:
    """What was rejected with the sidecar is admitted without it: the sidecar counts.

    Raises:
        ConditionTimeout: It is rejected as well.
    """
    assert_met("without the sidecar there would have been room", evaluate_alone(edge), platform)


def evaluate_alone(edge: SidecarProbe) -> Verdict:
    """Admitted."""
    fits = edge.alone.outcome == "admitted"
    return met("it is admitted") if fits else unrecoverable(f"{edge.alone.outcome}: {edge.alone.said}")


def _sidecar(cluster: Cluster) -> Object:
    """The queue-proxy of a model's pod, as it runs there; what it mounts belongs to that pod."""
    for pod in cluster.list("Pod", APPS_NAMESPACE, labels=MODEL_LABEL):
        for container in pod["spec"]["containers"]:
            if container["name"] == _SIDECAR:
                return {key: value for key, value in container.items() if key != "volumeMounts"}
    raise PreconditionFailed(
        f"A model's pod should have the container {_SIDECAR}, but none in {APPS_NAMESPACE} has. "
        "Next: neuroscale check serving"
    )


def _beside(sidecar: Object, pod: Object) -> Object:
    return {**pod, "spec": {**pod["spec"], "containers": [*pod["spec"]["containers"], sidecar]}}


def _steadily(what: str, platform: Platform, ask: Callable[[Mapping[str, Decimal]], Probed]) -> Probed:
    """Ask about what is left, until nobody takes or gives back meanwhile."""
    wait_until_quiet(platform)
    probes = list[Probed]()

    def evaluate() -> Verdict:
        before = _left(platform)
        probes.append(ask(before))
        after = _left(platform)
        return met("it stayed the same") if after == before else pending(f"{what}: {before[what]}, then {after[what]}")

    wait("nobody takes or gives back while it is asked", evaluate, platform.cluster)
    return probes[-1]


def _ask_around(what: str, left: Mapping[str, Decimal], cluster: Cluster) -> LimitProbe:
    """Ask for a step less than what is left of an amount, for all of it, and for a step more."""
    below, at, above = (submit_repeatedly(cluster, _pod(_asking(what, left, step))) for step in (-1, 0, 1))
    return LimitProbe(f"all that is left of {what}", below, at, above, _exceeded(what))


def _side(what: str) -> str:
    return what.partition(".")[0]


def _of(what: str) -> str:
    return what.partition(".")[2]


def _asking(what: str, left: Mapping[str, Decimal], step: int) -> dict[str, Decimal]:
    """One amount at its edge; a request takes the limit along, which has more room."""
    side, of = _side(what), _of(what)
    asked = {"requests.cpu": _PARTS * Decimal("0.02"), "requests.memory": Decimal(_PARTS * 64 * 1024 * 1024)}
    asked |= {f"limits.{kind}": asked[f"requests.{kind}"] for kind in _STEP}
    wanted = left[what] + step * _STEP[of]
    asked[what] = wanted
    if side == "requests":
        asked[f"limits.{of}"] = wanted
    return asked


def _pod(amounts: Mapping[str, Decimal]) -> Object:
    """A pod of several containers that share the amounts: one alone may not have so much."""
    pod = objects_of(specimen("pod", good=True))[0]
    pattern = pod["spec"]["containers"][0]
    share: list[Object] = []
    for number, part in enumerate(_shares(amounts)):
        resources = {side: {of: str(part[f"{side}.{of}"]) for of in _STEP} for side in ("requests", "limits")}
        share.append({**pattern, "name": f"part-{number}", "resources": resources})
    meta = {**pod["metadata"], "name": "asks-for-all"}
    return {**pod, "metadata": meta, "spec": {**pod["spec"], "containers": share}}


def _shares(amounts: Mapping[str, Decimal]) -> list[dict[str, Decimal]]:
    parts: list[dict[str, Decimal]] = [{} for _ in range(_PARTS)]
    for what, amount in amounts.items():
        step = _STEP[_of(what)]
        share = (amount / _PARTS) // step * step
        for part in parts[1:]:
            part[what] = share
        parts[0][what] = amount - (_PARTS - 1) * share
    return parts


def _left(platform: Platform) -> dict[str, Decimal]:
    return {what: hard - used for what, (hard, used) in taken(platform, *_AMOUNTS.values()).items()}


def taken(platform: Platform, *wanted: str) -> dict[str, tuple[Decimal, Decimal]]:
    """What Git allows, and what the cluster says is taken at one moment; without a quota there, nothing is.

    Raises:
        PreconditionFailed: Git does not limit it.
    """
    hard = expected.quota(platform.git_server)
    if missing := [what for what in wanted if what not in hard]:
        raise PreconditionFailed(f"Git should limit {missing[0]} in {QUOTA}, but does not. Next: neuroscale up")
    used = ((platform.cluster.get(QUOTA) or {}).get("status") or {}).get("used", {})
    return {what: (quantity(hard[what]), quantity(used.get(what, "0"))) for what in wanted}


# --- the limits of a container


def ask_at_limit(which: str, platform: Platform) -> LimitProbe:
    """Ask for a container right at a limit (``"minimum cpu"``), and a step to either side of it.

    Raises:
        PreconditionFailed: There is no such limit.
    """
    side, of = which.split()
    limit = expected.container_limits(platform.git_server)
    bound = (limit.get("min" if side == "minimum" else "max") or {}).get(of)
    if bound is None:
        raise PreconditionFailed(
            f"Git should give a container a {which} in {LIMITS}, but does not. Next: neuroscale up"
        )
    inward = _STEP[of] if side == "minimum" else -_STEP[of]
    within, at, beyond = (
        submit_repeatedly(platform.cluster, _of_one(of, quantity(bound) + step)) for step in (inward, 0, -inward)
    )
    return LimitProbe(f"the {which} of {bound}", within, at, beyond, f"{which} usage per Container is {bound}")


def _of_one(of: str, amount: Decimal) -> Object:
    pod = objects_of(specimen("pod", good=True))[0]
    container = pod["spec"]["containers"][0]
    usual = {"cpu": "50m", "memory": "64Mi"}
    asked = {**usual, of: str(amount)}
    sized = {**container, "resources": {"requests": asked, "limits": asked}}
    return {
        **pod,
        "metadata": {**pod["metadata"], "name": "at-the-limit"},
        "spec": {**pod["spec"], "containers": [sized]},
    }


def _container_limits(cluster: Cluster) -> Object:
    limits = ((cluster.get(LIMITS) or {}).get("spec") or {}).get("limits") or []
    return next((one for one in limits if one["type"] == "Container"), {})


@dataclass(frozen=True)
class SystemContainersFit:
    """What the platform adds to a tenant's pods asks for no less than a container must."""

    area: str = "guardrails"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the smallest container that the platform adds to pods is within the limits"

    def check(self, cluster: Cluster) -> Verdict:
        """Compare Knative's queue with the limits."""
        config = cluster.get(Ref("ConfigMap", "config-deployment", "knative-serving"))
        return evaluate_fits((config or {}).get("data") or {}, _container_limits(cluster))


def evaluate_fits(config: Mapping[str, str], limits: Object) -> Verdict:
    """Knative's own default for its queue is 25m of CPU; where nothing else is configured, it asks for no memory."""
    smallest = (limits.get("min") or {}).get("cpu")
    if smallest is None:
        return unrecoverable("containers have no minimum, so nothing can be said")
    asked = config.get("queue-sidecar-cpu-request", "25m")
    fits = quantity(asked) >= quantity(smallest)
    seen = f"Knative's queue asks for {asked} of CPU, the minimum is {smallest}"
    return met(seen) if fits else unrecoverable(seen)
