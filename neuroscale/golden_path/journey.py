"""The way of one form, timed: what is handed in, proposed, merged, synced, ready, and answers."""

from __future__ import annotations

from dataclasses import dataclass

from neuroscale.backstage_client import Task, portal
from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import FormSubmitted
from neuroscale.golden_path import proposals
from neuroscale.golden_path.form import evaluate_proposal, expected_objects, filled_in
from neuroscale.inference_client import gateway_url
from neuroscale.model_store import SERVED
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, eventually, eventually_each, met, pending
from neuroscale.probes import argo, serving
from neuroscale.probes.backstage import CatalogKnows, heard
from neuroscale.probes.knative_resources import inference_service
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS

#: From the merge to the first right answer; the SLO is for nine in ten.
_SERVED_WITHIN = 60.0
#: The catalog looks every 30 s, and reads what it finds at the next look.
_CATALOGUED_WITHIN = 120.0


@dataclass(frozen=True)
class Submitted:
    """A form that became a pull request.

    Attributes:
        values: What was asked for.
        fault: The deed; it knows the branch.
        effect: When the pull request was seen.
    """

    values: dict[str, str | int]
    fault: FormSubmitted
    effect: Effect

    @property
    def name(self) -> str:
        """The model's."""
        return str(self.values["name"])


@dataclass(frozen=True)
class Merged:
    """A pull request that was merged.

    Attributes:
        commit: On ``main``.
        effect: When that was seen.
    """

    submitted: Submitted
    commit: str
    effect: Effect


def ask_for_model(breakage: Breakage, recorder: Recorder) -> Submitted:
    """Fill in the form and hand it in; how long the pull request took is kept.

    Raises:
        FaultHadNoEffect: None came of it; the text says why.
    """
    values = filled_in()
    fault = FormSubmitted(values=values)
    effect = breakage.inject(fault)
    seconds = round(effect.at - effect.begun, 3)
    recorder.recovery(
        claim="form-to-pull-request", fault=fault.description, subject=f"pull request of {fault.branch}",
        series="form to pull request", at=effect.clock, phases={"pull request": seconds}, seconds=seconds,
        within=BUDGETS.heal,
    )  # fmt: skip
    return Submitted(values, fault, effect)


def assert_exact(submitted: Submitted, platform: Platform) -> None:
    """The pull request adds what was asked for and nothing else.

    Raises:
        ConditionTimeout: It does not.
    """
    verdict = evaluate_proposal(platform.git_server.proposed(submitted.fault.branch), submitted.values)
    assert_met("the pull request adds exactly the files of the model", verdict, platform, "backstage")


def assert_opened(submitted: Submitted, within: float, platform: Platform) -> None:
    """The pull request was open in time.

    Args:
        submitted: What was asked for.
        within: Seconds since it was handed in.
        platform: Where.

    Raises:
        ConditionTimeout: It was not.
    """
    verdict = evaluate_opened(submitted.effect.at - submitted.effect.begun, within)
    assert_met(f"the pull request was open within {within:g} s", verdict, platform, "backstage")


def evaluate_opened(took: float, within: float) -> Verdict:
    """Seconds that it took are few enough."""
    return met(f"it took {took:.1f} s") if took <= within else pending(f"it took {took:.1f} s")


def wait_for_verdict(submitted: Submitted, platform: Platform, recorder: Recorder) -> None:
    """Wait until the gate found nothing against the proposed commit; how long that took is kept.

    Raises:
        ConditionTimeout: It found something, or nothing was heard of it.
    """
    branch, reached = submitted.fault.branch, dict[str, float | None]()
    try:
        eventually_each(
            {"verdict": proposals.status_is("success", "nothing found", branch, platform)},
            platform.cluster,
            since=submitted.effect.at,
            within=proposals.JUDGED_WITHIN,
            reached=reached,
        )
    finally:
        recorder.recovery(
            claim="verdict", fault=submitted.fault.description, subject=f"pull request of {branch}",
            series="pull request to verdict", at=submitted.effect.clock, phases=reached,
            seconds=reached.get("verdict"), within=proposals.JUDGED_WITHIN,
        )  # fmt: skip


def merge(submitted: Submitted, breakage: Breakage) -> Merged:
    """Merge it as soon as the Git server finds it mergeable.

    Raises:
        ConditionTimeout: It never does.
        NeuroscaleError: The Git server refused.
    """
    effect, commit = proposals.merge(submitted.fault.branch, list(expected_objects(submitted.values)), breakage)
    return Merged(submitted, commit, effect)


def wait_for_prediction(
    merged: Merged, platform: Platform, recorder: Recorder, *, claim: str = "merge-to-prediction"
) -> None:
    """Wait until the merge commit is synced, the model Ready, and its first answers right; each phase is kept.

    Nothing is refreshed, synced or asked to hurry on the way.

    Args:
        merged: What was merged.
        platform: Where to look.
        recorder: Gets the figure.
        claim: What the figure is kept for.

    Raises:
        ConditionTimeout: One of them did not come in time.
    """
    name, reached = merged.submitted.name, dict[str, float | None]()
    try:
        eventually_each(
            _phases(name, merged.commit, platform),
            platform.cluster,
            since=merged.effect.begun,
            within=_SERVED_WITHIN,
            reached=reached,
            every=0.1,
        )
    finally:
        recorder.recovery(
            claim=claim, fault=merged.effect.fault.description, subject=name,
            series="merge to prediction", at=merged.effect.clock, phases=reached,
            seconds=reached.get("right answer"), within=_SERVED_WITHIN,
        )  # fmt: skip


def _phases(name: str, commit: str, platform: Platform) -> dict[str, Probe]:
    return {
        "synced": argo.synced_to(name, commit),
        "Ready": serving.AllReady(frozenset({name})),
        "right answer": serving.Serves(name, gateway_url(platform.cluster), SERVED),
    }


def wait_for_catalog(submitted: Submitted, platform: Platform) -> None:
    """The portal's catalog has the model, with its owner.

    Raises:
        ConditionTimeout: It has not in time.
    """
    spec = {"type": "model-endpoint", "owner": f"group:default/{submitted.values['owner']}"}
    known = CatalogKnows(portal(), _entity(submitted), spec)
    eventually(known, platform.cluster, within=_CATALOGUED_WITHIN)


def remove(merged: Merged, platform: Platform) -> None:
    """Commit that the model's folder goes; the breakage finds it gone."""
    files = dict.fromkeys(expected_objects(merged.submitted.values), None)
    platform.git_server.commit(files, f"Remove the model {merged.submitted.name}")


def wait_until_gone(merged: Merged, platform: Platform) -> None:
    """The model has left the cluster and the catalog.

    Raises:
        ConditionTimeout: It is in one of them still.
    """
    name, backstage = merged.submitted.name, portal()

    def evaluate() -> Verdict:
        left = backstage.entity(_entity(merged.submitted))
        return pending("the catalog has it") if left else met("the catalog has it no more")

    eventually(argo.Gone(argo.application(name)), platform.cluster, within=BUDGETS.pick_up)
    eventually(argo.Gone(inference_service(name)), platform.cluster, within=BUDGETS.check)
    forgotten = ProbeFunction(f"the catalog has forgotten {name}", lambda: heard(evaluate), "backstage")
    eventually(forgotten, platform.cluster, within=_CATALOGUED_WITHIN)


def ask_again(submitted: Submitted, platform: Platform) -> Task:
    """Hand in a form of the same name with another content, and wait for the end of its task.

    Raises:
        ConditionTimeout: It has no end.
    """
    backstage = portal()
    platform.cluster.assert_writable(f"a form to {backstage.url}")
    task = backstage.create_task({**submitted.values, "costCenter": "cc-demo"})

    def evaluate() -> Verdict:
        seen = backstage.task(task)
        return met(seen.status) if seen.ended else pending(seen.status)

    ends = ProbeFunction("the second task ends", lambda: heard(evaluate), "backstage")
    eventually(ends, platform.cluster, within=BUDGETS.heal)
    return backstage.task(task)


def assert_taken(second: Task, submitted: Submitted, platform: Platform) -> None:
    """The second task failed, and says whose the name is.

    Raises:
        ConditionTimeout: It did not, or says something else.
    """
    pull = platform.git_server.pull_request(submitted.fault.branch)
    verdict = evaluate_taken(second, f"#{pull.number}" if pull else "no pull request")
    assert_met("the portal says that the name is taken, and by which pull request", verdict, platform, "backstage")


def evaluate_taken(task: Task, by: str) -> Verdict:
    """A task failed since a pull request has its name, which it names."""
    if task.status != "failed":
        return pending(f"its task is {task.status}")
    named = f"pull request {by} has another" in task.error
    return met(task.error) if named else pending(f"it failed without naming {by}: {task.error!r}")


def _entity(submitted: Submitted) -> str:
    return f"component:default/{submitted.name}"
