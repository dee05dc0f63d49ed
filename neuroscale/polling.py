"""Polling: what a check answers, "becomes true" (:func:`eventually`) and "stays true" (:func:`consistently`).

The only ``sleep`` of the repository is :func:`pause`. A wait always has a limit, and when the limit is reached the
error says what was last seen and after how many checks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Literal, Protocol

from tenacity import RetryCallState, RetryError, Retrying, retry_if_result

from neuroscale.errors import ApiServerSlow, ConditionTimeout, Unrecoverable

if TYPE_CHECKING:
    from neuroscale.cluster.client import Cluster

State = Literal["met", "pending", "unrecoverable"]


@dataclass(frozen=True)
class Verdict:
    """The answer of one check: a state, and in words what was seen (also when met: it goes into the report).

    Attributes:
        again_in: Seconds until the next check, where whoever was asked has named them; else as often as the wait asks.
    """

    state: State
    observed: str
    again_in: float | None = field(default=None, compare=False)

    def __bool__(self) -> bool:
        return self.state == "met"


def met(observed: str) -> Verdict:
    """The question is answered with yes."""
    return Verdict("met", observed)


def pending(observed: str, again_in: float | None = None) -> Verdict:
    """Not yet."""
    return Verdict("pending", observed, again_in)


def unrecoverable(observed: str) -> Verdict:
    """No, and waiting will not change it."""
    return Verdict("unrecoverable", observed)


class Probe(Protocol):
    """A named question about the platform."""

    @property
    def description(self) -> str:
        """The expectation as a clause: ``Application "test-app" is Synced and Healthy``."""
        ...

    @property
    def area(self) -> str:
        """A word that ``neuroscale check`` knows: a milestone's letter or its name, or ``all``."""
        ...

    def check(self, cluster: Cluster) -> Verdict:
        """Ask once."""
        ...


@dataclass(frozen=True)
class Observation:
    """A check that answered something new.

    Attributes:
        after: Seconds since the wait began.
        at: Wall clock.
    """

    after: float
    at: datetime
    verdict: Verdict


@dataclass
class Timeline:
    """What a wait saw: every change of answer, in order."""

    description: str
    checks: int = 0
    seconds: float = 0.0
    changes: list[Observation] = field(default_factory=list)

    @property
    def last(self) -> Verdict:
        """The latest answer."""
        return self.changes[-1].verdict if self.changes else pending("nothing was checked yet")

    def note(self, after: float, verdict: Verdict) -> None:
        """Keep an answer if it differs from the one before."""
        self.checks += 1
        self.seconds = after
        if not self.changes or self.changes[-1].verdict != verdict:
            self.changes.append(Observation(after, datetime.now(UTC), verdict))


@dataclass(frozen=True)
class Clock:
    """Where time comes from; tests bring their own."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


REAL_CLOCK = Clock()
#: Called with each finished timeline, so that evidence has them. Filled by the runner.
listeners: list[Callable[[Timeline], None]] = []
#: The most seconds that any wait may take, whatever it asked for. The kill matrix waits for what must not come true.
longest_wait: ContextVar[float] = ContextVar("longest_wait", default=inf)


def pause(seconds: float, clock: Clock = REAL_CLOCK) -> None:
    """Sleep. For everything that waits *for* something, use :func:`eventually`."""
    clock.sleep(seconds)


def duration(seconds: float) -> str:
    """Seconds as people write them, in three digits that count: ``5.21 ms``, ``541 ms``, ``41.3 s``, ``3 min 00 s``.

    A whole number, as limits are, has no more digits than it needs: ``20 s``.
    """
    # What would round up to the next unit is written in it.
    if seconds < 0.9995:
        return f"{_three_digits(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{_three_digits(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _three_digits(value: float) -> str:
    # Below a thousandth there is nothing to tell, and whole numbers of milliseconds are not quite whole in binary.
    rounded = round(value, 3)
    if rounded == int(rounded):
        return str(int(rounded))
    return f"{rounded:#.3g}".rstrip(".")


def eventually(
    probe: Probe, cluster: Cluster, *, within: float, every: float = 0.25, clock: Clock = REAL_CLOCK
) -> Timeline:
    """Check until the probe is met. An API server that took the question and did not answer in time is asked again.

    Args:
        probe: The question.
        cluster: Where to look.
        within: Budget in seconds.
        every: Pause between two checks in seconds; 0.25 is the coarsest that recovery figures allow.
        clock: Time source.

    Raises:
        Unrecoverable: The probe said that waiting is in vain.
        ConditionTimeout: The budget ran out; the text ends with what was last seen.
    """
    return wait_until(
        partial(probe.check, cluster),
        probe.description,
        f"neuroscale check {probe.area}",
        within=within,
        every=every,
        clock=clock,
    )


def wait_until(  # noqa: PLR0913 - a question, what it is called, and how long to ask
    ask: Callable[[], Verdict],
    description: str,
    next_move: str,
    *,
    within: float,
    every: float = 0.25,
    clock: Clock = REAL_CLOCK,
) -> Timeline:
    """As :func:`eventually`, of what is no cluster.

    Args:
        ask: Asks once.
        description: The expectation as a clause.
        next_move: What to type when it does not come true.
        within: Budget in seconds.
        every: Pause between two checks in seconds.
        clock: Time source.

    Raises:
        Unrecoverable: The answer was that waiting is in vain.
        ConditionTimeout: The budget ran out; the text ends with what was last seen.
    """
    timeline, within = Timeline(description), min(within, longest_wait.get())
    retrying = _retrying(
        lambda seen: seen.state == "pending", lambda pause: timeline.seconds + pause > within, every, clock
    )

    def check() -> Verdict:
        # The wait has a limit of its own, and one read that took too long is no reason to end it early.
        try:
            return ask()
        except ApiServerSlow as error:
            return pending(str(error))

    verdict = _poll(check, timeline, clock, retrying)
    if verdict.state == "unrecoverable":
        raise Unrecoverable(
            f"Gave up after {duration(timeline.seconds)} of {duration(within)} waiting for: {description} "
            f"({_checks(timeline)}); waiting longer would not help. {_seen_and_next(timeline, next_move)}"
        )
    if not verdict:
        raise ConditionTimeout(
            f"Timed out after {duration(timeline.seconds)} waiting for: {description} "
            f"({_checks(timeline)}). {_seen_and_next(timeline, next_move)}"
        )
    return timeline


def eventually_each(  # noqa: PLR0913 - several probes, one budget, and where to keep what became of them
    probes: Mapping[str, Probe],
    cluster: Cluster,
    *,
    since: float,
    within: float,
    reached: dict[str, float | None],
    every: float = 0.25,
    clock: Clock = REAL_CLOCK,
) -> None:
    """Check until one probe after the other is met.

    Args:
        probes: Phase -> the question.
        cluster: Where to look.
        since: Monotonic seconds from which the budget counts.
        within: Budget in seconds for all of them together.
        reached: Gets the seconds since then at which each phase was reached, and keeps ``None`` for the others.
        every: Pause between two checks in seconds.
        clock: Time source.

    Raises:
        ConditionTimeout: The budget ran out, or waiting is in vain.
    """
    reached |= dict.fromkeys(probes)
    for phase, probe in probes.items():
        eventually(probe, cluster, within=max(0.0, since + within - clock.now()), every=every, clock=clock)
        reached[phase] = round(clock.now() - since, 3)


def consistently(
    probe: Probe, cluster: Cluster, *, lasting: float, every: float = 0.25, clock: Clock = REAL_CLOCK
) -> Timeline:
    """Check for ``lasting`` seconds and want the probe met each time.

    Raises:
        ConditionTimeout: The probe was once not met; the text says when and what was seen.
    """
    timeline = Timeline(f"{probe.description}, for {duration(lasting)}")
    retrying = _retrying(bool, lambda _: timeline.seconds >= lasting, every, clock)
    verdict = _poll(partial(probe.check, cluster), timeline, clock, retrying)
    if not verdict:
        raise ConditionTimeout(
            f"Stopped holding after {duration(timeline.seconds)} (expected {duration(lasting)}): {probe.description} "
            f"({_checks(timeline)}). {_seen_and_next(timeline, f'neuroscale check {probe.area}')}"
        )
    return timeline


def _retrying(
    again: Callable[[Verdict], bool], enough: Callable[[float], bool], every: float, clock: Clock
) -> Retrying:
    """Tenacity's own stop conditions read the real clock; ours ask the timeline, which has the clock of the wait."""

    def until_next(state: RetryCallState) -> float:
        asked: Verdict | None = state.outcome.result() if state.outcome else None
        return every if asked is None or asked.again_in is None else asked.again_in

    return Retrying(
        retry=retry_if_result(again),
        stop=lambda state: enough(until_next(state)),
        wait=until_next,
        sleep=lambda seconds: pause(seconds, clock),
    )


def _poll(check: Callable[[], Verdict], timeline: Timeline, clock: Clock, retrying: Retrying) -> Verdict:
    """Check until it is over; the last answer. What a probe raises is raised."""
    start = clock.now()

    def noted() -> Verdict:
        verdict = check()
        timeline.note(clock.now() - start, verdict)
        return verdict

    try:
        return retrying(noted)
    except RetryError:
        return timeline.last
    finally:
        for listener in listeners:
            listener(timeline)


def _checks(timeline: Timeline) -> str:
    return f"{timeline.checks} check{'s' if timeline.checks != 1 else ''}"


def _seen_and_next(timeline: Timeline, next_move: str) -> str:
    """On one line: reports keep the first line of an error.

    What goes to and fro, as an operation that is retried, has seldom its telling state at the end: so the one before
    the last is told too.
    """
    before = ""
    if len(timeline.changes) > 1:
        earlier, latest = timeline.changes[-2:]
        before = f", since {duration(latest.after)}; before that: {earlier.verdict.observed}"
    return f"Last seen: {timeline.last.observed}{before}. Next: {next_move}"
