"""A model that comes into being while it is asked all the time: when it is called Ready, and when it answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.fault import ObjectCreated
from neuroscale.cluster.refs import Object
from neuroscale.cluster.watch import Sighting
from neuroscale.drift import after
from neuroscale.platform import Platform
from neuroscale.probes.generated import condition
from neuroscale.record import Sample
from neuroscale.serving.predict import gateway_url
from neuroscale.serving.question import Question
from neuroscale.serving.traffic import Stream, figures, first_right, stream_to
from neuroscale.serving.versions import MODEL, manifest_of
from neuroscale.settings import APPS_NAMESPACE
from neuroscale.waiting import Verdict, duration, hopeless, met, pending, until

NAME = "newborn"
#: Requests a second: the resolution of the first right answer is a tenth of that of the heal times.
_RATE = 20.0
_WITHIN = 60.0
#: Seconds between "Ready" and the first right answer that are not yet a lie; a watch takes some of them.
_GAP = 0.5
#: Requests after Ready that are judged.
_ENOUGH = 20


@dataclass
class Newborn:
    """An InferenceService that was just made by hand, and the stream to it.

    Attributes:
        effect: The creation; its watch tells when the model was called Ready.
    """

    effect: Effect
    stream: Stream

    @property
    def ready_at(self) -> float | None:
        """Monotonic seconds at which it was first seen to be Ready."""
        return self._first(lambda sighting: condition(sighting.obj, "Ready").get("status") == "True")

    @property
    def answered_at(self) -> float | None:
        """Monotonic seconds at which the first right answer was there."""
        return first_right(self.stream.shots, self.effect.at)

    @property
    def phases(self) -> dict[str, float | None]:
        """Seconds from the creation to each phase."""
        found = {
            "URL": self._first(lambda sighting: bool((sighting.obj.get("status") or {}).get("url"))),
            "Ready": self.ready_at,
            "first right answer": self.answered_at,
        }
        return {name: None if at is None else round(at - self.effect.at, 3) for name, at in found.items()}

    def _first(self, matches: Callable[[Sighting], bool]) -> float | None:
        return next((sighting.at for sighting in after(self.effect) if matches(sighting)), None)


def create(breakage: Breakage, streams: ExitStack) -> Newborn:
    """Make one as Git describes the other; nobody but the breakage knows of it, so it goes with it.

    Its name was never used: the gateway goes on answering for an earlier one as long as its controller is down, and
    what was generated for an earlier one is still being cleared away.

    Args:
        breakage: Undoes it.
        streams: Ends the requests to it.

    Raises:
        ClusterRefused: The API server refused it.
    """
    _, isvc = manifest_of(MODEL, breakage.platform)
    name = f"{NAME}-{secrets.token_hex(2)}"
    meta = {**isvc["metadata"], "name": name, "namespace": APPS_NAMESPACE}
    effect = breakage.inject(ObjectCreated(manifest={**isvc, "metadata": meta}))
    stream = stream_to(lambda: _latest(effect), gateway_url(breakage.platform.cluster), _RATE, name)
    return Newborn(effect, streams.enter_context(stream))


def _latest(effect: Effect) -> Object | None:
    seen = after(effect)
    return seen[-1].obj if seen else None


def wait_for_answer(newborn: Newborn, platform: Platform, scenario: str, keep: Callable[[Sample], None]) -> None:
    """Wait for the first right answer and for Ready, and keep both figures, also when they do not come.

    Raises:
        NotMet: One did not come in time.
    """

    def judge() -> Verdict:
        waiting = [name for name, seconds in newborn.phases.items() if seconds is None]
        if not waiting:
            return met(f"seconds: {newborn.phases}")
        last = newborn.stream.shots[-1:]
        return pending(f"not yet: {', '.join(waiting)}; the latest request: {last[0].answer if last else 'none'}")

    try:
        until(Question("a new model is Ready and answers", judge), platform.cluster, within=_WITHIN, every=0.1)
    finally:
        answered = newborn.phases["first right answer"]
        keep(
            Sample(
                scenario=scenario,
                claim="model-answers",
                fault=newborn.effect.fault.says,
                subject=NAME,
                series="created to first right answer",
                at=newborn.effect.clock,
                phases=newborn.phases,
                seconds=_WITHIN if answered is None else answered,
                censored=answered is None,
            )
        )


def demand_no_lie(newborn: Newborn, platform: Platform, scenario: str, keep: Callable[[Sample], None]) -> None:
    """From when it was called Ready, it answers; how long that took is kept.

    Raises:
        NotMet: A request sent noticeably after Ready failed.
    """
    until(Question("a model that is called Ready answers", lambda: judge_honest(newborn)), platform.cluster, within=10)
    ready = newborn.ready_at
    first = None if ready is None else first_right(newborn.stream.shots, ready)
    gap = None if ready is None or first is None else max(0.0, first - ready)
    keep(
        Sample(
            scenario=scenario,
            claim="ready-means-answering",
            fault=newborn.effect.fault.says,
            subject=NAME,
            series="Ready to first right answer",
            at=newborn.effect.clock,
            phases={"first right answer": gap},
            seconds=_WITHIN if gap is None else round(gap, 3),
            censored=gap is None,
        )
    )


def judge_honest(newborn: Newborn) -> Verdict:
    """Of the requests sent after Ready, none failed; the first half second is the watch's own delay."""
    ready = newborn.ready_at
    if ready is None:
        return hopeless("it was never called Ready")
    since = [shot for shot in newborn.stream.shots if shot.at >= ready + _GAP]
    if len(since) < _ENOUGH:
        return pending(f"{len(since)} requests since it was called Ready")
    seen = figures(since)
    if seen.wrong:
        return hopeless(
            f"of {seen.sent} requests sent later than {duration(_GAP)} after Ready {seen.wrong} failed, "
            f"first: {seen.first_wrong}"
        )
    return met(f"{seen.sent} requests since, none failed")
