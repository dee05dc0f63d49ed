"""Drift: somebody changes by hand what Git describes. How it is made, when it counts as healed, how long it took."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from neuroscale.chaos.breakage import Breakage, Effect, after, state_at
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectCreated, ObjectDeleted
from neuroscale.chaos.objects import begin_sync
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.watch import Watcher, WatchEvent
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.git_server import EPOCH_FILES
from neuroscale.kubernetes.merge_patch import contains, inverse
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, consistently, eventually, met, pending, unrecoverable
from neuroscale.probes import argo
from neuroscale.probes.reference_app import CHILD, NGINX, PAGE, SERVICE, TEST_APP
from neuroscale.probes.workloads import evaluate_workload
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE, ARGOCD, BUDGETS, ROOT_APPLICATION

#: Whose objects -> the Application that puts them back.
RESPONSIBLE = {"the test application": TEST_APP, "the child Applications": ROOT_APPLICATION}
_STRAY = Ref("ConfigMap", "stray-by-hand", APPS_NAMESPACE)
Judge = Callable[[Object | None], Verdict]


@dataclass(frozen=True)
class DriftType:
    """A kind of drift.

    Attributes:
        fault: The deed, given the object as it is.
        target: What is changed.
        healed: Given the object before the deed, the judge of the object after it.
        application: The Application whose business it is to put it back.
    """

    target: Ref
    fault: Callable[[Object | None], Fault]
    healed: Callable[[Object | None, Fault], Judge]
    application: str = TEST_APP


# --- what counts as healed


def came_back(before: Object | None, fault: Fault) -> Judge:  # noqa: ARG001 - the signature of Kind.healed
    """A new UID with the old content; a workload also with all its pods."""

    def evaluate(now: Object | None) -> Verdict:
        if before is None:
            return unrecoverable("it was not there before")
        if now is None:
            return pending("it is gone")
        if now["metadata"]["uid"] == before["metadata"]["uid"]:
            return unrecoverable("it is still the old one, by UID: it was never deleted")
        if not contains(now, _content(before)):
            return pending("it is there, with other content")
        return _complete(now, "it is back with a new UID")

    return evaluate


def values_are_back(before: Object | None, fault: Fault) -> Judge:
    """The edited fields have their old values; a workload also has all its pods."""

    def evaluate(now: Object | None) -> Verdict:
        if before is None or not isinstance(fault, FieldsEdited):
            return unrecoverable("it was not there before")
        if now is None:
            return pending("it is gone")
        if not contains(now, inverse(fault.patch, before)):
            return pending(f"it has the edited values: {fault.description}")
        return _complete(now, "the old values are back")

    return evaluate


def was_pruned(before: Object | None, fault: Fault) -> Judge:  # noqa: ARG001 - the signature of Kind.healed
    """It is gone again."""

    def evaluate(now: Object | None) -> Verdict:
        if now is None:
            return met("it is gone")
        return pending("it is being deleted" if now["metadata"].get("deletionTimestamp") else "it is there")

    return evaluate


def _complete(now: Object, seen: str) -> Verdict:
    if now["kind"] != "Deployment":
        return met(seen)
    verdict = evaluate_workload(now, ())
    return Verdict(verdict.state, f"{seen}: {verdict.observed}")


def _content(obj: Object) -> Object:
    keys = ("data", "spec") if obj["kind"] != "Service" else ()
    ports = (
        {"spec": {"ports": obj["spec"]["ports"], "selector": obj["spec"]["selector"]}}
        if obj["kind"] == "Service"
        else {}
    )
    return {"metadata": {"labels": obj["metadata"].get("labels", {})}, **{k: obj[k] for k in keys if k in obj}, **ports}


# --- the kinds


def _delete(target: Ref) -> DriftType:
    return DriftType(target, lambda _: ObjectDeleted(target=target), came_back)


def _edit(target: Ref, patch: Callable[[Object], Object], application: str = TEST_APP) -> DriftType:
    return DriftType(
        target, lambda now: FieldsEdited(target=target, patch=patch(now or {})), values_are_back, application
    )


def _container(change: dict[str, Any]) -> Callable[[Object], Object]:
    """A change of the first container; a merge patch replaces lists whole, so the rest of the list comes along."""

    def patch(now: Object) -> Object:
        first, *others = now["spec"]["template"]["spec"]["containers"]
        return {"spec": {"template": {"spec": {"containers": [{**first, **change}, *others]}}}}

    return patch


def _stray(_: Object | None) -> Fault:
    return ObjectCreated(
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": _STRAY.name,
                "namespace": _STRAY.namespace,
                "annotations": {
                    "argocd.argoproj.io/tracking-id": f"{TEST_APP}:/ConfigMap:{APPS_NAMESPACE}/{_STRAY.name}"
                },
            },
            "data": {"made": "by hand"},
        }
    )


KINDS: dict[str, DriftType] = {
    "deletes the Deployment": _delete(NGINX),
    "deletes the Service": _delete(SERVICE),
    "deletes the ConfigMap": _delete(PAGE),
    "changes the number of replicas": _edit(NGINX, lambda _: {"spec": {"replicas": 3}}),
    "changes the image": _edit(NGINX, _container({"image": "docker.io/library/no-such-image:0.0.1"})),
    # Registered: another owner would not be admitted, and nothing would drift.
    "changes a label": _edit(NGINX, lambda _: {"metadata": {"labels": {"owner": "ml-platform"}}}),
    "changes the environment": _edit(NGINX, _container({"env": [{"name": "GREETING", "value": "goodbye"}]})),
    "adds an object with Argo CD's tracking ID": DriftType(_STRAY, _stray, was_pruned),
    "turns off self-heal on a child Application": _edit(
        argo.application(CHILD),
        lambda _: {"spec": {"syncPolicy": {"automated": {"selfHeal": False}}}},
        ROOT_APPLICATION,
    ),
}


# --- making and measuring it


@dataclass
class Drifted:
    """A drift that was seen to happen, and the watches that will tell how it ended."""

    target: Ref
    effect: Effect
    application: Watcher
    evaluate: Judge
    attempt: int
    since_last_sync: float | None


def make(words: str, breakage: Breakage) -> Drifted:
    """Make a kind of drift and prove it; the watches end with the breakage."""
    kind, platform = KINDS[words], breakage.platform
    before = platform.cluster.get(kind.target)
    responsible = argo.application(kind.application)
    app, fault, watcher = platform.cluster.get(responsible) or {}, kind.fault(before), breakage.watch(responsible)
    return Drifted(
        kind.target,
        breakage.inject(fault),
        watcher,
        kind.healed(before, fault),
        argo.attempts(app),
        argo.since_last_sync(app),
    )


@dataclass
class Healed:
    """The probe "the drift is healed", answered by the watch on the target."""

    drifted: Drifted
    area: str = "gitops"
    at: float | None = field(default=None)

    @property
    def description(self) -> str:
        """The expectation."""
        return f"after {self.drifted.effect.fault.description}, Argo CD puts back what Git describes"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the watch knows
        """The latest sighting; the time is that of the first of the unbroken run of good ones."""
        seen = after(self.drifted.effect)
        if not seen:
            return pending("nothing has happened to it since")
        verdict = self.drifted.evaluate(state_at(seen[-1]))
        if verdict:
            good_since = seen[-1].at
            for event in reversed(seen):
                if not self.drifted.evaluate(state_at(event)):
                    break
                good_since = event.at
            self.at = good_since
        return verdict


@dataclass(frozen=True)
class StaysHealed:
    """The same judgement on a fresh look at the object."""

    drifted: Drifted
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.drifted.target} stays as Git describes it"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return self.drifted.evaluate(cluster.get(self.drifted.target))


def wait_for_heal(
    drifted: Drifted, platform: Platform, recorder: Recorder, *, within: float = BUDGETS.heal
) -> StaysHealed:
    """Wait for the heal and keep the figure; a heal that does not come is kept too, as a censored one.

    Returns:
        What must go on being so.

    Raises:
        ConditionTimeout: It did not come within the budget (seconds).
    """
    probe = Healed(drifted)
    try:
        eventually(probe, platform.cluster, within=within, every=0.1)
    finally:
        _keep(drifted, probe, recorder, within)
    return StaysHealed(drifted)


def stays_broken(drifted: Drifted, platform: Platform, *, lasting: float = 20) -> None:
    """Nothing corrects the drift for so many seconds.

    Raises:
        ConditionTimeout: Something did.
    """
    consistently(_StillBroken(drifted), platform.cluster, lasting=lasting)


@dataclass(frozen=True)
class _StillBroken:
    drifted: Drifted
    area: str = "gitops"

    @property
    def description(self) -> str:
        return f"nothing corrects that {self.drifted.effect.fault.description}"

    def check(self, cluster: Cluster) -> Verdict:
        verdict = self.drifted.evaluate(cluster.get(self.drifted.target))
        return pending(f"it was corrected: {verdict.observed}") if verdict else met(verdict.observed)


def _keep(drifted: Drifted, probe: Healed, recorder: Recorder, within: float) -> None:
    effect = drifted.effect
    total = probe.at - effect.at if probe.at is not None else None
    recorder.recovery(
        claim="drift-heal",
        fault=effect.fault.description,
        subject=str(drifted.target),
        series="first drift at a commit" if drifted.attempt == 0 else "repeated drift at a commit",
        at=effect.clock,
        phases=phases(drifted, total),
        seconds=None if total is None else round(total, 3),
        within=within,
        facts={"attempts before": drifted.attempt, "seconds since last sync": drifted.since_last_sync},
    )


def phases(drifted: Drifted, healed: float | None) -> dict[str, float | None]:
    """Seconds from the observed fault to each phase. Argo CD may merge status updates, so a phase can go unseen."""
    start = drifted.effect.at
    app = [event for event in drifted.application.watch_events if event.at >= start]
    target = after(drifted.effect)

    def first(watch_events: Sequence[WatchEvent], matches: Callable[[WatchEvent], bool]) -> float | None:
        return next((round(s.at - start, 3) for s in watch_events if matches(s)), None)

    return {
        "out of sync": first(app, lambda s: argo.is_out_of_sync(s.obj)),
        "operation started": first(app, lambda s: argo.started_after(s.obj, drifted.effect.clock)),
        "applied": first(target, lambda s: _touched(drifted, s)),
        "healed": round(healed, 3) if healed is not None else None,
    }


def _touched(drifted: Drifted, event: WatchEvent) -> bool:
    """Whether this sighting is the first trace of Argo CD's answer: a new object, old values, or a deletion."""
    fault, before = drifted.effect.fault, drifted.effect.snapshot["before"]
    if isinstance(fault, ObjectDeleted):
        return event.event != "DELETED" and event.uid != before["metadata"]["uid"]
    if isinstance(fault, FieldsEdited):
        return contains(event.obj, inverse(fault.patch, before))
    return event.event == "DELETED"


def reset_self_heal_backoff(whose: str, platform: Platform) -> None:
    """Make sure that a drift would be self-heal's to mend, and at once; by a new commit if need be.

    Two things stand in the way. Argo CD waits longer for each further drift at one commit: its own protection, measured
    apart (``neuroscale bench``). And at a commit that was never synced, because it changed nothing of the Application,
    the ordinary automated sync mends the first drift, self-heal or not.

    Raises:
        PreconditionFailed: The new commit was not synced.
    """
    name = RESPONSIBLE[whose]
    if not argo.evaluate_in_charge(platform.cluster.get(argo.application(name))):
        force_new_revision(platform, name)


def end_self_heal_backoffs(platform: Platform) -> None:
    """Make sure that no Application waits before it mends the next drift: one that would is synced by hand.

    *Measured* with Argo CD 3.2.1: after five incidents of the serving stack a deleted CRD was restored 111 s after the
    drift was seen. A commit that does not change the Application ends no backoff; a sync that somebody begins does.

    Raises:
        PreconditionFailed: A sync did not succeed.
    """
    waiting = [app["metadata"]["name"] for app in platform.cluster.list("Application", ARGOCD) if argo.backs_off(app)]
    for name in waiting:
        begin_sync(platform.cluster, argo.application(name))
    for name in waiting:
        _wait_for_reset(platform, argo.ApplicationProbe(name, "mends the next drift at once", argo.evaluate_prompt))


def force_new_revision(platform: Platform, name: str = TEST_APP) -> None:
    """Commit a change that means nothing, and wait until this Application was synced at it.

    It changes every Application that has an epoch file: the others follow meanwhile, and need no commit of their own.

    Raises:
        PreconditionFailed: It was not.
    """
    commit = _commit_epoch(platform)
    _wait_for_reset(platform, argo.good_at(name, commit))
    _wait_for_reset(platform, argo.ApplicationProbe(name, "was synced at it", argo.evaluate_in_charge))


def _wait_for_reset(platform: Platform, probe: Probe) -> None:
    try:
        eventually(probe, platform.cluster, within=BUDGETS.pick_up)
    except ConditionTimeout as error:
        raise PreconditionFailed(f"The self-heal backoff was not reset, so nothing was broken. {error}") from error


def _commit_epoch(platform: Platform) -> str:
    epoch, paths = f'  epoch: "{time.time_ns()}"', EPOCH_FILES.values()
    manifests = {path: re.sub(r"(?m)^  epoch: .*$", epoch, platform.git_server.read(path) or "") for path in paths}
    without = [path for path, manifest in manifests.items() if epoch not in manifest]
    commit = None if without else platform.git_server.commit(manifests, "Reset the self-heal backoff")
    if commit is None:
        raise PreconditionFailed(
            f"{', '.join(without)} on main should have a line `  epoch: …`, but has none. Next: neuroscale up"
        )
    return commit
