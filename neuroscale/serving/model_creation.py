"""A model that comes into being while it is asked all the time: when it is called Ready, and when it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from neuroscale.chaos.breakage import Breakage, Effect, after
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.cluster.watch import WatchEvent
from neuroscale.fresh_names import fresh_name
from neuroscale.inference_client import gateway_url
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes.knative_resources import condition
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.results import Recorder
from neuroscale.serving.model_rollouts import MODEL, manifest_of
from neuroscale.serving.request_stream import Stream, figures, first_right, stream_to
from neuroscale.settings import APPS_NAMESPACE

NAME = "new-model"
#: Requests a second: the resolution of the first right answer is a tenth of that of self-heal times.
_RATE = 20.0
_WITHIN = 60.0
#: Seconds between "Ready" and the first right answer that are not yet a lie; a watch takes some of them.
_GAP = 0.5
#: Requests after Ready that are judged.
_ENOUGH = 20


@dataclass
class CreatedModel:
    """An InferenceService that was just made by hand, and the stream to it.

    Attributes:
        effect: The creation; its watch tells when the model was called Ready.
    """

    effect: Effect
    stream: Stream

    @property
    def ready_at(self) -> float | None:
        """Monotonic seconds at which it was first seen to be Ready."""
        return self._first(lambda event: condition(event.obj, "Ready").get("status") == "True")

    @property
    def answered_at(self) -> float | None:
        """Monotonic seconds at which the first right answer was there."""
        return first_right(self.stream.records, self.effect.at)

    @property
    def phases(self) -> dict[str, float | None]:
        """Seconds from the creation to each phase."""
        found = {
            "URL": self._first(lambda event: bool((event.obj.get("status") or {}).get("url"))),
            "Ready": self.ready_at,
            "first right answer": self.answered_at,
        }
        return {name: None if at is None else round(at - self.effect.at, 3) for name, at in found.items()}

    def keep(
        self, recorder: Recorder, *, claim: str, series: str, phases: Mapping[str, float | None], seconds: float | None
    ) -> None:
        """Put one of its figures on record."""
        recorder.recovery(
            claim=claim,
            fault=self.effect.fault.description,
            subject=NAME,
            series=series,
            at=self.effect.clock,
            phases=phases,
            seconds=seconds,
            within=_WITHIN,
        )

    def _first(self, matches: Callable[[WatchEvent], bool]) -> float | None:
        return next((event.at for event in after(self.effect) if matches(event)), None)


def create(breakage: Breakage, streams: ExitStack) -> CreatedModel:
    """Make one as Git describes the other; nobody but the breakage knows of it, so it goes with it.

    Its name was never used: the gateway goes on answering for an earlier one as long as its controller is down, and
    what was generated for an earlier one is still being cleared away.

    Args:
        breakage: Undoes it.
        streams: Ends the requests to it.

    Raises:
        ApiError: The API server rejected it.
    """
    _, isvc = manifest_of(MODEL, breakage.platform)
    name = fresh_name(NAME)
    meta = {**isvc["metadata"], "name": name, "namespace": APPS_NAMESPACE}
    effect = breakage.inject(ObjectCreated(manifest={**isvc, "metadata": meta}))
    stream = stream_to(lambda: _latest(effect), gateway_url(breakage.platform.cluster), _RATE, name)
    return CreatedModel(effect, streams.enter_context(stream))


def _latest(effect: Effect) -> Object | None:
    seen = after(effect)
    return seen[-1].obj if seen else None


def wait_for_answer(created: CreatedModel, platform: Platform, recorder: Recorder) -> None:
    """Wait for the first right answer and for Ready, and keep both figures, also when they do not come.

    Raises:
        ConditionTimeout: One did not come in time.
    """

    def evaluate() -> Verdict:
        waiting = [name for name, seconds in created.phases.items() if seconds is None]
        if not waiting:
            return met(f"seconds: {created.phases}")
        last = created.stream.records[-1:]
        return pending(f"not yet: {', '.join(waiting)}; the latest request: {last[0].answer if last else 'none'}")

    try:
        eventually(
            ProbeFunction("a new model is Ready and answers", evaluate), platform.cluster, within=_WITHIN, every=0.1
        )
    finally:
        phases = created.phases
        created.keep(
            recorder, claim="model-answers", series="created to first right answer", phases=phases,
            seconds=phases["first right answer"],
        )  # fmt: skip


def assert_ready_implies_serving(created: CreatedModel, platform: Platform, recorder: Recorder) -> None:
    """From when it was called Ready, it answers; how long that took is kept.

    Raises:
        ConditionTimeout: A request sent noticeably after Ready failed.
    """
    eventually(
        ProbeFunction("a model that is called Ready answers", lambda: evaluate_ready_implies_serving(created)),
        platform.cluster,
        within=10,
    )
    ready = created.ready_at
    first = None if ready is None else first_right(created.stream.records, ready)
    gap = None if ready is None or first is None else round(max(0.0, first - ready), 3)
    phases = {"first right answer": gap}
    created.keep(
        recorder, claim="ready-means-answering", series="Ready to first right answer", phases=phases, seconds=gap
    )


def evaluate_ready_implies_serving(created: CreatedModel) -> Verdict:
    """Of the requests sent after Ready, none failed; the first half second is the watch's own delay."""
    ready = created.ready_at
    if ready is None:
        return unrecoverable("it was never called Ready")
    since = [record for record in created.stream.records if record.at >= ready + _GAP]
    if len(since) < _ENOUGH:
        return pending(f"{len(since)} requests since it was called Ready")
    seen = figures(since)
    if seen.wrong:
        return unrecoverable(
            f"of {seen.sent} requests sent later than {duration(_GAP)} after Ready {seen.wrong} failed, "
            f"first: {seen.first_wrong}"
        )
    return met(f"{seen.sent} requests since, none failed")
