"""Incident D3: the InferenceService CRD is deleted, and every model with it. What comes back, and when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import ApplicationEdited, FieldsEdited, ObjectDeleted
from neuroscale.cluster.client import Cluster
from neuroscale.errors import PreconditionFailed
from neuroscale.inference_client import gateway_url
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, consistently, eventually, eventually_each, met, pending, unrecoverable
from neuroscale.probes import argo, expected, serving
from neuroscale.probes.knative_resources import condition, fetch, inference_service
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.probes.serving import AllAnswer, AllReady
from neuroscale.results import Recorder
from neuroscale.serving.request_stream import Stream, figures, first_right
from neuroscale.settings import BUDGETS

#: "Restored in 4 min", says the reference platform.
_WITHIN = 240.0


@dataclass(frozen=True)
class CrdLoss:
    """The CRD is gone.

    Attributes:
        effect: Its deletion.
        contents: Digest of each model's spec as it was before, by name.
        uids: UID of each model before.
        stream: Requests to one of the models since before.
    """

    effect: Effect
    contents: Mapping[str, str]
    uids: Mapping[str, str]
    stream: Stream


def begin(breakage: Breakage, stream: Stream) -> CrdLoss:
    """Remember what there is, and delete the CRD."""
    platform = breakage.platform
    before = _services(platform)
    contents = {name: digest(isvc) for name, isvc in before.items() if isvc}
    uids = {name: isvc["metadata"]["uid"] for name, isvc in before.items() if isvc}
    return CrdLoss(breakage.inject(ObjectDeleted(target=serving.CRD)), contents, uids, stream)


def digest(isvc: Object) -> str:
    """What an InferenceService asks for, as one short word."""
    return hashlib.sha256(json.dumps(isvc["spec"], sort_keys=True).encode()).hexdigest()[:16]


def wait_until_restored(loss: CrdLoss, platform: Platform, recorder: Recorder) -> None:
    """CRD, objects, Ready, right answers: nobody lends a hand. Each phase is kept, also when one does not come.

    Raises:
        ConditionTimeout: One did not come within what the runbook promises.
    """
    steps: dict[str, Probe] = {
        "CRD established": ProbeFunction(
            "the CRD is back", lambda: evaluate_crd(fetch(platform.cluster, serving.CRD), loss)
        ),
        "objects back": ProbeFunction("every model is back", lambda: evaluate_back(_services(platform), loss)),
        "Ready": AllReady(frozenset(loss.contents)),
        "right answer": ProbeFunction("the model answers again", lambda: _answers(loss)),
    }
    phases: dict[str, float | None] = {}
    try:
        eventually_each(steps, platform.cluster, since=loss.effect.at, within=_WITHIN, reached=phases, every=0.1)
    finally:
        seen = figures([record for record in loss.stream.records if record.at >= loss.effect.at])
        recorder.recovery(
            claim="crd-recovery",
            fault=loss.effect.fault.description,
            subject=f"{len(loss.contents)} models",
            series="self-heal alone",
            at=loss.effect.clock,
            phases=phases,
            seconds=phases["right answer"],
            within=_WITHIN,
            facts=seen.facts,
        )
    assert_all_answer(platform)


def assert_all_answer(platform: Platform) -> None:
    """Every model answers, each time: the stream asks one of them, until its first right answer.

    Raises:
        ConditionTimeout: One does not.
    """
    uris = expected.inference_services(platform.git_server)
    eventually(AllAnswer(uris, gateway_url(platform.cluster)), platform.cluster, within=BUDGETS.check)


def evaluate_crd(crd: Object | None, loss: CrdLoss) -> Verdict:
    """There is another one of that name, and the API server serves it."""
    if crd is None:
        return pending("there is none")
    if crd["metadata"]["uid"] == loss.effect.snapshot["before"]["metadata"]["uid"]:
        return unrecoverable("it is still the old one, by UID")
    if condition(crd, "Established").get("status") != "True":
        return pending("it is there, not yet established")
    return met("established, with a new UID")


def evaluate_back(now: Mapping[str, Object | None], loss: CrdLoss) -> Verdict:
    """Every model that there was is there again, as a new object with the old content."""
    if not loss.contents:
        return unrecoverable("there was no model to lose")
    trouble = []
    for name, content in loss.contents.items():
        isvc = now.get(name)
        if isvc is None:
            trouble.append(f"{name} is not there")
        elif isvc["metadata"]["uid"] == loss.uids[name]:
            trouble.append(f"{name} is still the old one, by UID")
        elif digest(isvc) != content:
            trouble.append(f"{name} has another content")
    return pending("; ".join(trouble)) if trouble else met(f"{len(loss.contents)} models, with the old content")


def assert_nothing_lost(loss: CrdLoss, platform: Platform) -> None:
    """Every model has the content it had, and none that Git describes is missing.

    Raises:
        ConditionTimeout: Something was lost.
    """
    assert_met("nothing that Git describes was lost", evaluate_back(_services(platform), loss), platform)


def _answers(loss: CrdLoss) -> Verdict:
    since = (record for record in loss.stream.records if record.at >= loss.effect.at)
    crash = next((record for record in since if not record.versions), None)
    first = first_right(loss.stream.records, crash.at if crash else loss.effect.at)
    last = loss.stream.records[-1:]
    if first is None:
        return pending(f"the latest request: {last[0].answer if last else 'none'}")
    return met(f"right again, first failure: {crash.answer if crash else 'none'}")


def _services(platform: Platform) -> dict[str, Object | None]:
    names = expected.inference_services(platform.git_server)
    return {name: fetch(platform.cluster, inference_service(name)) for name in names}


# --- the CRD is left out of Git


#: What Argo CD writes on objects that it made, but for CRDs: it does not miss one that Git leaves out.
MARK = {
    "argocd.argoproj.io/tracking-id": (
        f"{serving.APPLICATION}:apiextensions.k8s.io/{serving.CRD.kind}:default/{serving.CRD.name}"
    )
}


def leave_out(breakage: Breakage, *, marked: bool) -> KeptOutOfGit:
    """Leave the CRD out of what Argo CD renders, as the reference platform once did, and expect it to be kept.

    Args:
        breakage: Undoes it.
        marked: Whether the CRD first gets the tracking ID by which Argo CD knows what to prune.

    Raises:
        PreconditionFailed: There is no CRD.
    """
    crd = fetch(breakage.platform.cluster, serving.CRD)
    if crd is None:
        raise PreconditionFailed(f"{serving.CRD} should exist, but does not. Next: neuroscale check serving")
    if marked:
        breakage.inject(FieldsEdited(target=serving.CRD, patch={"metadata": {"annotations": MARK}}))
    began = datetime.now(UTC)
    for fault in left_out():
        breakage.inject(fault)
    return KeptOutOfGit(crd["metadata"]["uid"], marked, began)


def left_out() -> tuple[ApplicationEdited, ApplicationEdited]:
    """The root Application lets go, and the serving stack's renders everything but the CRD."""
    patch = {"apiVersion": "apiextensions.k8s.io/v1", "kind": serving.CRD.kind, "metadata": {"name": serving.CRD.name}}
    dropped = [{"patch": json.dumps({**patch, "$patch": "delete"})}]
    return (
        disable_automated_sync(serving.APPLICATION)[0],
        ApplicationEdited(
            target=argo.application(serving.APPLICATION),
            patch={"spec": {"source": {"kustomize": {"patches": dropped}}}},
        ),
    )


def stays_kept(kept: KeptOutOfGit, platform: Platform) -> None:
    """Argo CD has made up its mind, and the CRD stays.

    Raises:
        ConditionTimeout: It was deleted, or Argo CD did something else than expected.
    """
    eventually(kept, platform.cluster, within=BUDGETS.pick_up)
    there = ProbeFunction(
        f"{serving.CRD} stays", lambda: evaluate_there(fetch(platform.cluster, serving.CRD), kept.uid)
    )
    consistently(there, platform.cluster, lasting=BUDGETS.stable)


@dataclass(frozen=True)
class KeptOutOfGit:
    """The CRD is still there although Git no longer describes it."""

    uid: str
    marked: bool
    since: datetime
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        what = "skips pruning it" if self.marked else "does not list it"
        return f"{serving.CRD} is kept, and Argo CD {what}"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch both and judge."""
        app = cluster.get(argo.application(serving.APPLICATION)) or {}
        return evaluate_kept(fetch(cluster, serving.CRD), app, self.uid, since=self.since if self.marked else None)


def evaluate_kept(crd: Object | None, app: Object, uid: str, *, since: datetime | None) -> Verdict:
    """The same object, not on its way out, and its Application was compared without it.

    One that bears the mark must have been spared by a sync without it that began ``since`` then; one that does not is
    forgotten.
    """
    if not (there := evaluate_there(crd, uid)):
        return there
    status = app.get("status") or {}
    compared = ((status.get("sync") or {}).get("comparedTo") or {}).get("source")
    if compared is None or compared != app["spec"]["source"]:
        return pending("the Application was not yet compared without it")
    return _evaluate_spared(status, compared, since) if since else _evaluate_forgotten(status)


def _evaluate_forgotten(status: Object) -> Verdict:
    listed = _entry(status.get("resources"))
    seen = f"the Application lists it as {listed or 'nothing'}"
    return pending(seen) if listed else met(f"it is there, and {seen}")


def _evaluate_spared(status: Object, compared: Object, since: datetime) -> Verdict:
    listed = _entry(status.get("resources"))
    operation = status.get("operationState") or {}
    result = operation.get("syncResult") or {}
    # The result of an earlier sync stays until there is another one, also of one that left it out in the same way.
    own = result.get("source") == compared and argo.began_after(operation, since)
    synced = _entry(result.get("resources")) if own else {}
    spared = listed.get("requiresPruning") and synced.get("status") == "PruneSkipped"
    seen = f"the Application lists it as {listed or 'nothing'}, the latest sync as {synced or 'nothing'}"
    return met(f"it is there, and {seen}") if spared else pending(seen)


def evaluate_there(crd: Object | None, uid: str) -> Verdict:
    """The same object, not on its way out."""
    if crd is None or crd["metadata"]["uid"] != uid or crd["metadata"].get("deletionTimestamp"):
        return unrecoverable("the CRD was deleted")
    return met("it is there")


def _entry(resources: list[Object] | None) -> Object:
    wanted = (serving.CRD.kind, serving.CRD.name)
    return next((one for one in resources or [] if (one["kind"], one["name"]) == wanted), {})
