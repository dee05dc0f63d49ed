"""Models that scale to zero from the beginning: hundreds of them sleep without a pod, and each wakes rightly.

They live in a namespace of their own, which is all that the journal has to know: they go with it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from neuroscale import growth_law
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.errors import PreconditionFailed
from neuroscale.fresh_names import fresh_name
from neuroscale.growth_law import Point
from neuroscale.inference_client import (
    Endpoint,
    InferenceResponse,
    ask,
    endpoint_of,
    evaluate_classes,
    evaluate_not_found,
    gateway_url,
)
from neuroscale.kubernetes.objects import namespace
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pause, pending, unrecoverable
from neuroscale.probes import expected
from neuroscale.probes.knative_resources import KSERVE, condition
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.results import Recorder
from neuroscale.serving.model_rollouts import MODEL, manifest_of
from neuroscale.serving.request_stream import Flows, Stream, evaluate_unbroken, stream_to
from neuroscale.settings import BUDGETS

AREA = "serving"
#: Seconds that a model may take to be Ready when it is one of many: *measured* 3.2 on two processors.
_EACH = 10.0
#: Seconds between two looks at hundreds of models.
_EVERY = 1.0
#: Seconds that whoever wakes one is ready to wait.
_PATIENCE = 60.0
#: Seconds for which the others are asked once one is gone.
_AFTERWARDS = 5.0


@dataclass(frozen=True)
class Asleep:
    """Models that were made to sleep.

    Attributes:
        namespace: Theirs alone.
        names: Of all.
        ready: How many came at a time, and the seconds until all of them were Ready.
    """

    namespace: str
    names: tuple[str, ...]
    ready: tuple[Point, ...]


@dataclass(frozen=True)
class Woken:
    """Models that were asked while they slept.

    Attributes:
        answers: Name -> the answer to the request that woke it.
    """

    answers: dict[str, InferenceResponse]


@dataclass(frozen=True)
class Deleted:
    """A model that was deleted.

    Attributes:
        meanwhile: The requests to another one that was awake, from before until after.
    """

    name: str
    meanwhile: Stream


def create_in_turn(totals: Sequence[int], breakage: Breakage, recorder: Recorder) -> Asleep:
    """Create models that sleep until there are so many, each lot once the one before is Ready.

    Raises:
        ConditionTimeout: One did not become Ready.
    """
    platform, home = breakage.platform, fresh_name("sleeping")
    breakage.inject(ObjectCreated(manifest=namespace(home), models=max(totals)))
    platform.cluster.create(expected.limit_range(platform.git_server, home))
    _, like = manifest_of(MODEL, platform)
    names, lots = list[str](), list[Point]()
    for total in totals:
        at, start = datetime.now(UTC), time.monotonic()
        lot = [f"sleeper-{number:04}" for number in range(len(names) + 1, total + 1)]
        for name in lot:
            platform.cluster.create(sleeping(like, name, home))
        names += lot
        ready = ProbeFunction(f"{total} models are Ready", partial(_look, platform, home, tuple(names)), AREA)
        eventually(ready, platform.cluster, within=_EACH * len(lot) + BUDGETS.provision, every=_EVERY)
        lots.append((len(lot), time.monotonic() - start))
        recorder.figure(
            claim="models-ready", fault=f"{len(lot)} models that sleep are created", subject="all of them",
            series=f"{len(lot)} more, {total} in all", at=at, seconds=round(lots[-1][1], 3),
        )  # fmt: skip
    return Asleep(home, tuple(names), tuple(lots))


def sleeping(like: Object, name: str, home: str) -> Object:
    """Such a model, under another name, which has no pod before somebody asks."""
    meta = {
        "name": name,
        "namespace": home,
        "labels": like["metadata"]["labels"],
        "annotations": {"autoscaling.knative.dev/initial-scale": "0"},
    }
    predictor = {**like["spec"]["predictor"], "minReplicas": 0}
    return {"apiVersion": KSERVE, "kind": "InferenceService", "metadata": meta, "spec": {"predictor": predictor}}


def _look(platform: Platform, home: str, names: Collection[str]) -> Verdict:
    return evaluate_ready(platform.cluster.list("InferenceService", home, api_version=KSERVE), names)


def evaluate_ready(found: Collection[Object], names: Collection[str]) -> Verdict:
    """Exactly these models are there, and each is Ready."""
    there = {one["metadata"]["name"]: condition(one, "Ready").get("status", "Unknown") for one in found}
    if strange := sorted(set(there) - set(names)):
        return unrecoverable(f"there are others: {', '.join(strange[:5])}")
    late = sorted(name for name in names if there.get(name) != "True")
    return pending(f"{len(late)} of {len(names)} are not, first {late[0]}") if late else met(f"{len(names)} are Ready")


def assert_law(asleep: Asleep, at_most: float, platform: Platform) -> None:
    """The time until they are Ready grows with their number by no larger exponent, with 95 % confidence.

    Raises:
        ConditionTimeout: It may grow faster.
    """
    wanted = f"the time until models are Ready grows with their number by an exponent of at most {at_most}"
    assert_met(wanted, growth_law.evaluate_growth(asleep.ready, at_most), platform, AREA)


def assert_without_pods(asleep: Asleep, platform: Platform) -> None:
    """All of them are there and Ready, and none has a pod.

    Raises:
        ConditionTimeout: It is not so.
    """
    verdict = _look(platform, asleep.namespace, asleep.names)
    if verdict:
        verdict = evaluate_without_pods(platform.cluster.list("Pod", asleep.namespace))
    assert_met(f"{len(asleep.names)} models sleep", verdict, platform, AREA)


def evaluate_without_pods(pods: Collection[Object]) -> Verdict:
    """There is no pod, not even one on its way out."""
    names = sorted(pod["metadata"]["name"] for pod in pods)
    return pending(f"{len(names)} pods: {', '.join(names[:5])}") if names else met("no pod")


def wake_some(asleep: Asleep, count: int, platform: Platform, recorder: Recorder) -> Woken:
    """Ask so many of them, chosen at random, one after the other; how long each request took is kept.

    One that gets no answer at all is the last.

    Raises:
        PreconditionFailed: One has no URL.
    """
    answers = dict[str, InferenceResponse]()
    for name in random.SystemRandom().sample(asleep.names, count):
        at = datetime.now(UTC)
        answers[name] = answer = ask(
            _endpoint(name, asleep, platform), expected_predictions().inputs[TELLING], patience=_PATIENCE
        )
        recorder.figure(
            claim="sleeper-wakes", fault=f"a request to one of {len(asleep.names)} models that sleep", subject=name,
            series=f"request that woke one of {len(asleep.names)}", at=at, seconds=round(answer.seconds, 3),
        )  # fmt: skip
        if answer.status is None:
            # The next one would wait as long.
            break
    return Woken(answers)


def assert_right(woken: Woken, within: float, platform: Platform) -> None:
    """Each request that woke a model has the right answer, and had it in time.

    Raises:
        ConditionTimeout: One has not.
    """
    wanted = f"each of {len(woken.answers)} models wakes with the right answer within {duration(within)}"
    assert_met(wanted, evaluate_woken(woken, within), platform, AREA)


def evaluate_woken(woken: Woken, within: float) -> Verdict:
    """All right, all in time, and at least one."""
    wrong = [
        f"{name}: {verdict.observed}"
        for name, answer in woken.answers.items()
        if not (verdict := _in_time(answer, within))
    ]
    if wrong or not woken.answers:
        return unrecoverable(f"{len(wrong)} of {len(woken.answers)} did not: {'; '.join(wrong[:3])}")
    slowest = max(answer.seconds for answer in woken.answers.values())
    return met(f"{len(woken.answers)} woke, the slowest after {duration(slowest)}")


def _in_time(answer: InferenceResponse, within: float) -> Verdict:
    verdict = _right(answer)
    return pending(f"right, after {duration(answer.seconds)}") if verdict and answer.seconds > within else verdict


def _right(answer: InferenceResponse) -> Verdict:
    return evaluate_classes(answer, expected_predictions().outputs[SERVED][TELLING])


def delete_one(woken: Woken, asleep: Asleep, platform: Platform, streams: ExitStack) -> Deleted:
    """Delete one of those that are awake while another one is asked, until the verdict.

    Raises:
        ConditionTimeout: The other one did not answer before, or the gateway goes on knowing who was deleted.
        PreconditionFailed: Fewer than two are awake, or one has no URL.
    """
    awake = [name for name, answer in woken.answers.items() if _right(answer)]
    if len(awake) < 2:
        raise PreconditionFailed(
            f"Two models should be awake, but of {len(woken.answers)} that were asked {len(awake)} answered right. "
            "Next: neuroscale check serving"
        )
    deleted, kept = awake[-2:]
    where, other = _endpoint(deleted, asleep, platform), _service(kept, asleep)
    gateway = gateway_url(platform.cluster)
    flowing = streams.enter_context(stream_to(lambda: platform.cluster.get(other), gateway, name=kept))
    eventually(Flows(flowing), platform.cluster, within=_PATIENCE)
    platform.cluster.delete(_service(deleted, asleep))
    gone = ProbeFunction(f"the gateway knows {deleted} no more", lambda: evaluate_not_found(_ask(where)), AREA)
    eventually(gone, platform.cluster, within=BUDGETS.recover)
    return Deleted(deleted, flowing)


def assert_unbroken(deleted: Deleted, platform: Platform) -> None:
    """The one that was asked meanwhile missed no request.

    Raises:
        ConditionTimeout: It did.
    """
    pause(_AFTERWARDS)
    deleted.meanwhile.stop()
    verdict = evaluate_unbroken(deleted.meanwhile.records, {SERVED})
    assert_met(f"another model misses no request while {deleted.name} is deleted", verdict, platform, AREA)


def _ask(where: Endpoint) -> InferenceResponse:
    return ask(where, expected_predictions().inputs[TELLING])


def _service(name: str, asleep: Asleep) -> Ref:
    return Ref("InferenceService", name, asleep.namespace, KSERVE)


def _endpoint(name: str, asleep: Asleep, platform: Platform) -> Endpoint:
    cluster = platform.cluster
    where = endpoint_of(cluster.get(_service(name, asleep)), gateway_url(cluster))
    if where is None:
        raise PreconditionFailed(f"The model {name} should have a URL, but has none. Next: neuroscale check serving")
    return where
