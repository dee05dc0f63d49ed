"""Waiting: what a look answers, "becomes true" and "stays true".

The only ``sleep`` of the repository is :func:`pause`. A wait always has a limit, and when the limit is reached the
error says what was last seen and how often was looked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from neuroscale.errors import ConditionTimeout, Unrecoverable

if TYPE_CHECKING:
    from neuroscale.cluster.client import Cluster

State = Literal["met", "pending", "unrecoverable"]


@dataclass(frozen=True)
class Verdict:
    """The answer of one look: a state, and in words what was seen (also when met: it goes into the report)."""

    state: State
    observed: str

    def __bool__(self) -> bool:
        return self.state == "met"


def met(observed: str) -> Verdict:
    """The question is answered with yes."""
    return Verdict("met", observed)


def pending(observed: str) -> Verdict:
    """Not yet."""
    return Verdict("pending", observed)


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
        """Look once."""
        ...


@dataclass(frozen=True)
class Observation:
    """A look that answered something new.

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
    looks: int = 0
    seconds: float = 0.0
    changes: list[Observation] = field(default_factory=list)

    @property
    def last(self) -> Verdict:
        """The latest answer."""
        return self.changes[-1].verdict if self.changes else pending("nothing was looked at yet")

    def note(self, after: float, verdict: Verdict) -> None:
        """Keep an answer if it differs from the one before."""
        self.looks += 1
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


def pause(seconds: float, clock: Clock = REAL_CLOCK) -> None:
    """Sleep. For everything that waits *for* something, use :func:`eventually`."""
    clock.sleep(seconds)


def duration(seconds: float) -> str:
    """Seconds as people write them: ``0.54 s``, ``41 s``, ``3 min 00 s``."""
    if seconds < 9.995:  # what would round up to the next unit is written in it
        return f"{seconds:.2f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def eventually(
    probe: Probe, cluster: Cluster, *, within: float, every: float = 0.25, clock: Clock = REAL_CLOCK
) -> Timeline:
    """Look until the probe is met.

    Args:
        probe: The question.
        cluster: Where to look.
        within: Budget in seconds.
        every: Pause between two looks in seconds; 0.25 is the coarsest that recovery figures allow.
        clock: Time source.

    Raises:
        Unrecoverable: The probe said that waiting is in vain.
        ConditionTimeout: The budget ran out; the text ends with what was last seen.
    """
    timeline = Timeline(probe.description)
    start = clock.now()
    try:
        while True:
            verdict = probe.check(cluster)
            timeline.note(clock.now() - start, verdict)
            if verdict:
                return timeline
            if verdict.state == "unrecoverable":
                raise Unrecoverable(_sentence(probe, timeline, within))
            if timeline.seconds + every > within:
                raise ConditionTimeout(_sentence(probe, timeline, within))
            pause(every, clock)
    finally:
        _publish(timeline)


def consistently(
    probe: Probe, cluster: Cluster, *, lasting: float, every: float = 0.25, clock: Clock = REAL_CLOCK
) -> Timeline:
    """Look for ``lasting`` seconds and want the probe met each time.

    Raises:
        ConditionTimeout: The probe was once not met; the text says when and what was seen.
    """
    timeline = Timeline(f"{probe.description}, for {duration(lasting)}")
    start = clock.now()
    try:
        while True:
            verdict = probe.check(cluster)
            timeline.note(clock.now() - start, verdict)
            if not verdict:
                raise ConditionTimeout(
                    f"It should hold for {duration(lasting)} that {probe.description}, but after "
                    f"{duration(timeline.seconds)} "
                    f"({timeline.looks} looks): {verdict.observed}. Try: neuroscale check {probe.area}"
                )
            if timeline.seconds >= lasting:
                return timeline
            pause(every, clock)
    finally:
        _publish(timeline)


def _publish(timeline: Timeline) -> None:
    for listener in listeners:
        listener(timeline)


def _sentence(probe: Probe, timeline: Timeline, within: float) -> str:
    gave_up = "and waiting longer would not help" if timeline.last.state == "unrecoverable" else "the budget is spent"
    return (
        f"It should be so within {duration(within)} that {probe.description}, but after {duration(timeline.seconds)} "
        f"({timeline.looks} look{'s' if timeline.looks != 1 else ''}; {gave_up}): {timeline.last.observed}. "
        f"Try: neuroscale check {probe.area}"
    )
