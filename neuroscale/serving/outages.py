"""While one component is down: do running models answer, do new ones come up, can they be scaled?"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import FieldsEdited, ScaledTo
from neuroscale.chaos.leaving_pods import quieten
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ConditionTimeout, PreconditionFailed
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import fetch_generated
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.probes.workloads import evaluate_workload, pods_of
from neuroscale.results import Recorder
from neuroscale.serving.model_creation import CreatedModel, create
from neuroscale.serving.model_rollouts import MODEL
from neuroscale.serving.request_stream import Stream, figures

COMPONENTS: dict[str, Ref] = {
    "the KServe controller": serving.KSERVE_CONTROLLER,
    "the Knative controller": serving.KNATIVE_CONTROLLER,
    "the activator": serving.ACTIVATOR,
    "the autoscaler": serving.AUTOSCALER,
    "the Knative webhook": serving.KNATIVE_WEBHOOK,
    "the gateway": serving.GATEWAY,
    "the gateway's controller": serving.NET_KOURIER,
    "Argo CD": argo.CONTROLLER,
}
#: Seconds in which what works without the component has to have worked. *Measured* on two busy cores: a pod whose
#: server was up 13 s after it was made was ready after 22 s, since the kubelet asks again only 10 s after a refusal.
_CHANCE = 30.0
#: Seconds that a pod may take to leave.
_LEAVES = 90.0
#: Requests that the answer about predictions rests on.
_ENOUGH = 50


@dataclass
class Outage:
    """A component that is down.

    Attributes:
        effect: When that was proven.
        stream: Requests to a running model since before.
        answers: What still works, by what was asked.
        seen: What was last seen of it.
    """

    component: str
    effect: Effect
    stream: Stream
    breakage: Breakage
    answers: dict[str, str] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)


def begin(component: str, stream: Stream, breakage: Breakage) -> Outage:
    """Scale a component to nothing where nobody puts it back, and wait until its last pod is gone.

    A pod on its way out goes on answering for a while (Knative's webhook for 45 s), and the node leads requests to it
    as long as there is no other. Nor may a model's pod be on its way out from something earlier: as long as it is,
    it counts against the namespace's quota, and a new model may be rejected for want of it.

    Raises:
        PreconditionFailed: A model's pod is on its way out and stays.
        ConditionTimeout: A pod of the component stays.
    """
    quiet = ProbeFunction("no model's pod is on its way out", lambda: quieten(breakage.platform.cluster))
    try:
        eventually(quiet, breakage.platform.cluster, within=_LEAVES)
    except ConditionTimeout as error:
        raise PreconditionFailed(f"Nothing was taken down. {error}") from error
    for fault in disable_automated_sync(serving.APPLICATION):
        breakage.inject(fault)
    cluster, ref = breakage.platform.cluster, COMPONENTS[component]
    effect = breakage.inject(ScaledTo(target=ref, replicas=0))
    gone = ProbeFunction(f"no pod of {component} is left", lambda: evaluate_no_pod(cluster, ref))
    eventually(gone, cluster, within=_LEAVES)
    return Outage(component, replace(effect, at=time.monotonic(), clock=datetime.now(UTC)), stream, breakage)


def evaluate_no_pod(cluster: Cluster, ref: Ref) -> Verdict:
    """Not even one on its way out."""
    workload = cluster.get(ref)
    pods = pods_of(cluster, workload) if workload else []
    return pending(f"{len(pods)} pods") if pods else met("no pod")


def assert_predictions(outage: Outage, expected: str, recorder: Recorder) -> None:
    """Requests to the running model are answered, or are not, as the table says; the figures are kept.

    Raises:
        ConditionTimeout: It is the other way round.
    """
    question = ProbeFunction(
        f"predictions while {outage.component} is down: {expected}", lambda: _flow(outage, expected)
    )
    try:
        eventually(question, outage.breakage.platform.cluster, within=_CHANCE)
    finally:
        _keep(outage, "predictions", recorder)


def _flow(outage: Outage, expected: str) -> Verdict:
    since = [record for record in outage.stream.records if record.at >= outage.effect.at]
    if len(since) < _ENOUGH:
        return pending(f"{len(since)} requests since")
    seen = figures(since)
    found = "yes" if not seen.wrong else "no" if seen.wrong == seen.sent else "in part"
    outage.answers["predictions"] = found
    said = f"{found}: {seen.wrong} of {seen.sent} requests failed {seen.first_wrong}"
    return met(said) if found == expected else unrecoverable(said)


def create_and_scale(outage: Outage, recorder: Recorder) -> None:
    """Create a model, then scale the running one, and give each its time; what came of it is kept."""
    create_model(outage, recorder)
    scale_model(outage, recorder)


def create_model(outage: Outage, recorder: Recorder) -> None:
    """Create a model by hand and see whether it comes up and answers."""
    with ExitStack() as streams:
        try:
            created = create(outage.breakage, streams)
        except ApiError as error:
            found, said = "no", str(error)
        else:
            found, said = _chance(outage, lambda: _answered(created))
    outage.answers["new models"], outage.seen["new models"] = found, said
    _keep(outage, "new models", recorder)


def assert_new_model(outage: Outage, expected: str) -> None:
    """The new model came up and answered, or did not, as the table says.

    Raises:
        ConditionTimeout: It is the other way round.
    """
    _assert(outage, "new models", f"a new model comes up while {outage.component} is down: {expected}", expected)


def _answered(created: CreatedModel) -> Verdict:
    return met("it answers") if created.answered_at is not None else pending(f"phases: {created.phases}")


def scale_model(outage: Outage, recorder: Recorder) -> None:
    """Tell the running model's revision to keep two pods, and see whether the second comes up.

    Raises:
        PreconditionFailed: There is nothing to be scaled.
    """
    cluster = outage.breakage.platform.cluster
    made = fetch_generated(cluster, MODEL)
    if made.deployment is None or made.revision is None:
        raise PreconditionFailed(
            f'"{MODEL}" should have a deployment to be scaled, but has none. Next: neuroscale check serving'
        )
    deployment = Ref.to(made.deployment)
    revision = Ref.to(made.revision)
    try:
        outage.breakage.inject(
            FieldsEdited(
                target=revision, patch={"metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "2"}}}
            )
        )
    except ApiError as error:
        found, said = "no", str(error)
    else:
        found, said = _chance(outage, lambda: _two(cluster.get(deployment)))
    outage.answers["scaling"], outage.seen["scaling"] = found, said
    _keep(outage, "scaling", recorder)


def assert_scaled(outage: Outage, expected: str) -> None:
    """The second pod came up, or did not, as the table says.

    Raises:
        ConditionTimeout: It is the other way round.
    """
    _assert(outage, "scaling", f"a model is scaled while {outage.component} is down: {expected}", expected)


def _assert(outage: Outage, what: str, description: str, expected: str) -> None:
    found, said = outage.answers[what], outage.seen[what]
    verdict = met(said) if found == expected else unrecoverable(f"{found}: {said}")
    assert_met(description, verdict, outage.breakage.platform)


def _two(deployment: Object | None) -> Verdict:
    verdict = evaluate_workload(deployment, ())
    wanted = deployment["spec"].get("replicas", 1) if deployment else 0
    return verdict if wanted == 2 else pending(f"{wanted} pods wanted")


def _chance(outage: Outage, evaluate: Callable[[], Verdict]) -> tuple[str, str]:
    """Whether something comes about in the time it gets: yes or no, and what was last seen."""
    try:
        timeline = eventually(ProbeFunction("it works", evaluate), outage.breakage.platform.cluster, within=_CHANCE)
    except ConditionTimeout as error:
        return "no", str(error)
    return "yes", timeline.last.observed


def _keep(outage: Outage, what: str, recorder: Recorder) -> None:
    seen = figures([record for record in outage.stream.records if record.at >= outage.effect.at])
    recorder.figure(
        claim="outage",
        fault=f"{outage.component} is down",
        subject=MODEL,
        series=f"{what} while {outage.component} is down: {outage.answers.get(what, 'not known')}",
        at=outage.effect.clock,
        seconds=round(seen.outage, 3),
        facts=seen.facts,
    )
