"""Objects that must be rejected, submitted all the time while something happens to Kyverno; and what slipped in."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import Literal

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectDeleted
from neuroscale.errors import ClusterUnreachable, ConditionTimeout, PreconditionFailed
from neuroscale.guardrails.admission import (
    AdmissionResponse,
    Outcome,
    assert_met,
    evaluate_specimen,
    for_admission,
    objects_of,
    submit,
    without_namespace,
)
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.enforcement import AUTOMATED_SYNC_OFF, NO_KYVERNO
from neuroscale.guardrails.oracle import evaluate
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import guardrails
from neuroscale.probes.workloads import pods_of
from neuroscale.rate_scheduler import RateScheduler
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS

#: Requests a second. A restart of Kyverno takes some five seconds.
_RATE = 30.0
_AT_ONCE = 32
#: Violating objects before the fault, each rejected: else there would be nothing to break.
_BEFORE = 10
#: Violating objects after the fault: fewer would prove little.
_ENOUGH = 100
#: Of them at least so many once Kyverno is back.
_AFTERWARDS = 20
_SCALED_AWAY = "is scaled to 0"
#: The name of a series stays, whatever a feature calls its event: trends go on.
_SERIES = {"has a Service without endpoints": "is led to by a Service that selects nothing"}
_WITHIN = 60.0
_SERVICE = Ref("Service", "kyverno-svc", "kyverno")
_SERVING_PAIR = Ref("Secret", "kyverno-svc.kyverno.svc.kyverno-tls-pair", "kyverno")
NO_ENDPOINT = FieldsEdited(target=_SERVICE, patch={"spec": {"selector": {"app.kubernetes.io/component": "nobody"}}})


@dataclass(frozen=True)
class Submission:
    """One object, submitted.

    Attributes:
        at: Monotonic seconds at which it was sent.
        answer: ``None`` when the API server itself did not answer.
    """

    at: float
    specimen: Specimen
    answer: AdmissionResponse | None

    @property
    def outcome(self) -> Outcome | Literal["no answer"]:
        """In a word."""
        return self.answer.outcome if self.answer else "no answer"


def requests(*, good: bool) -> list[tuple[Specimen, Object]]:
    """Of good specimens each object; of bad ones each that a policy must reject, and not the company that it keeps."""
    chosen = [one for one in for_admission() if one.is_good == good]
    return [(one, without_namespace(obj)) for one in chosen for obj in objects_of(one) if good or evaluate(obj)]


class AdmissionLoad(RateScheduler[Submission]):
    """Submits the corpus over and over, in dry runs, three bad objects to a good one, until the end of the block."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(self._submit, _RATE, _AT_ONCE, "admission load")
        self._platform = platform
        bad, good = cycle(requests(good=False)), cycle(requests(good=True))
        self._next: Iterator[tuple[Specimen, Object]] = (next(sort) for sort in cycle((bad, bad, bad, good)))
        self._turn = threading.Lock()

    def _submit(self) -> Submission:
        with self._turn:
            specimen, obj = next(self._next)
        at = time.monotonic()
        try:
            answer = submit(self._platform.cluster, obj)
        except ClusterUnreachable:
            answer = None
        return Submission(at, specimen, answer)


def begin(streams: ExitStack, platform: Platform) -> AdmissionLoad:
    """Start, and see the guardrails at work: what slips in later, slipped in later.

    Raises:
        PreconditionFailed: They did not work before anything was done to Kyverno.
    """
    load = streams.enter_context(AdmissionLoad(platform))
    try:
        eventually(_Question(load, 0, _BEFORE), platform.cluster, within=BUDGETS.request)
    except ConditionTimeout as error:
        raise PreconditionFailed(f"Nothing was done to Kyverno. {error}") from error
    return load


# --- what happens to Kyverno


def _killed(platform: Platform) -> Sequence[Fault]:
    """Its pod is gone at once, with no time to say good-bye; its Deployment makes another one."""
    deployment = platform.cluster.get(guardrails.ADMISSION_CONTROLLER)
    pods = pods_of(platform.cluster, deployment) if deployment else []
    if not pods:
        raise PreconditionFailed(
            "Kyverno should have a pod to be killed, but has none. Next: neuroscale check guardrails"
        )
    return [ObjectDeleted(target=Ref.to(pod), at_once=True) for pod in pods]


def _restarted(platform: Platform) -> Sequence[Fault]:  # noqa: ARG001 - the signature of the others
    stamp = {"neuroscale.io/restarted": datetime.now(UTC).isoformat()}
    patch = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    return [*AUTOMATED_SYNC_OFF, FieldsEdited(target=guardrails.ADMISSION_CONTROLLER, patch=patch)]


_EVENTS: dict[str, Callable[[Platform], Sequence[Fault]]] = {
    _SCALED_AWAY: lambda _: (*AUTOMATED_SYNC_OFF, *NO_KYVERNO),
    "is killed": _killed,
    "restarts": _restarted,
    "has a Service without endpoints": lambda _: (*AUTOMATED_SYNC_OFF, NO_ENDPOINT),
    "loses its certificate": lambda _: (*AUTOMATED_SYNC_OFF, ObjectDeleted(target=_SERVING_PAIR)),
}


@dataclass(frozen=True)
class Away:
    """Something has happened to Kyverno.

    Attributes:
        what: In words.
        since: Monotonic seconds, right before the first fault that touched it.
    """

    what: str
    since: float


def happen(what: str, breakage: Breakage) -> Away:
    """Let it happen."""
    since = 0.0
    for fault in _EVENTS[what](breakage.platform):
        if fault not in AUTOMATED_SYNC_OFF:
            since = since or time.monotonic()
        breakage.inject(fault)
    return Away(what, since)


# --- what is demanded


@dataclass(frozen=True)
class _Question:
    """No violating object was admitted since a moment, of at least so many."""

    load: AdmissionLoad
    since: float
    enough: int
    area: str = "guardrails"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"none of at least {self.enough} violating objects is admitted"

    def check(self, cluster: object) -> Verdict:  # noqa: ARG002 - the stream knows
        """Count."""
        return evaluate_none_slipped_in([one for one in self.load.records if one.at >= self.since], self.enough)


def evaluate_none_slipped_in(submissions: Sequence[Submission], enough: int) -> Verdict:
    """Every violating object was rejected by the API server, by the policy and rule that its page names.

    One that another component's webhook was too late for never came to the policies: it is no witness, and not there.
    """
    every = [(one.specimen, one.answer) for one in submissions if not one.specimen.is_good and one.answer is not None]
    bad = [(specimen, answer) for specimen, answer in every if not _others_webhook_away(answer)]
    outcomes = Counter(answer.outcome for _, answer in every)
    seen = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()) or "no answer yet"
    if outcomes["admitted"]:
        return unrecoverable(f"{outcomes['admitted']} of {len(bad)} violating objects were admitted: {seen}")
    verdicts = (evaluate_specimen(specimen, [answer]) for specimen, answer in bad)
    if wrong := [verdict.observed for verdict in verdicts if not verdict]:
        return unrecoverable(f"{seen}; first: {wrong[0]}")
    return met(f"of {len(bad)}: {seen}") if len(bad) >= enough else pending(f"of {len(bad)}: {seen}")


def _others_webhook_away(answer: AdmissionResponse) -> bool:
    away = answer.outcome == "rejected because a webhook is away"
    return away and bool(answer.webhook_away) and "kyverno" not in answer.webhook_away


def assert_none_slipped_in(load: AdmissionLoad, away: Away, platform: Platform, recorder: Recorder) -> None:
    """No violating object is admitted while Kyverno is away, nor once it is back; what became of the others is kept.

    Raises:
        ConditionTimeout: One slipped in, or Kyverno did not come back.
    """
    try:
        eventually(_Question(load, away.since, _ENOUGH), platform.cluster, within=_WITHIN)
        if away.what != _SCALED_AWAY:
            eventually(guardrails.workloads_ready(), platform.cluster, within=_WITHIN)
        seen = sum(not one.specimen.is_good for one in load.records if one.at >= away.since)
        eventually(_Question(load, away.since, seen + _AFTERWARDS), platform.cluster, within=_WITHIN)
    finally:
        _keep(load, away, recorder)


def assert_compliant(load: AdmissionLoad, away: Away, expected: str, platform: Platform) -> None:
    """Compliant objects were admitted, or rejected because the webhook is unavailable, as the table says.

    Raises:
        ConditionTimeout: It was otherwise.
    """
    since = [one for one in load.records if one.at >= away.since and one.specimen.is_good]
    good = [one.answer for one in since if one.answer is not None]
    assert_met(f"compliant objects are {expected}", evaluate_compliant(good, expected), platform)


def evaluate_compliant(answers: Sequence[AdmissionResponse], expected: str) -> Verdict:
    """``admitted``: all; ``rejected for a while``: some because the webhook is unavailable, the others admitted."""
    if not answers:
        return unrecoverable("nothing was asked")
    outcomes = Counter(answer.outcome for answer in answers)
    seen = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    allowed: dict[str, set[Outcome]] = {
        "admitted": {"admitted"},
        "admitted or rejected for a while": {"admitted", "rejected because a webhook is away"},
        "rejected because the webhook is unavailable": {"admitted", "rejected because a webhook is away"},
    }
    if expected == "rejected because the webhook is unavailable" and not outcomes["rejected because a webhook is away"]:
        return unrecoverable(seen)
    return met(seen) if outcomes.keys() <= allowed[expected] else unrecoverable(seen)


def _keep(load: AdmissionLoad, away: Away, recorder: Recorder) -> None:
    submissions = [one for one in load.records if one.at >= away.since]
    bad = Counter(one.outcome for one in submissions if not one.specimen.is_good)
    good = Counter(one.outcome for one in submissions if one.specimen.is_good)
    blocked = [one.at for one in submissions if one.outcome == "rejected because a webhook is away"]
    recorder.figure(
        claim="none-slips-in",
        fault=f"Kyverno {away.what}",
        subject="violating objects admitted",
        series=f"webhook away while Kyverno {_SERIES.get(away.what, away.what)}",
        at=datetime.now(UTC),
        seconds=round(blocked[-1] - blocked[0], 3) if blocked else 0.0,
        facts={
            **{f"violating {outcome}": count for outcome, count in bad.items()},
            **{f"compliant {outcome}": count for outcome, count in good.items()},
        },
    )
