"""Waiting, with a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neuroscale import polling
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiServerSlow, ConditionTimeout, ExitCode, Unrecoverable
from neuroscale.polling import (
    Clock,
    Timeline,
    Verdict,
    consistently,
    duration,
    eventually,
    eventually_each,
    met,
    pending,
    unrecoverable,
)

NOWHERE = cast("Cluster", None)


@dataclass
class FakeTime:
    """Time passes when somebody sleeps or looks."""

    seconds: float = 100.0
    slept: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class Scripted:
    """Answers what it was told to, the last answer for ever; a look costs ``cost`` seconds."""

    answers: list[Verdict]
    time: FakeTime
    cost: float = 0.0
    description: str = "the sky is blue"
    area: str = "sky"

    def check(self, cluster: Cluster) -> Verdict:
        self.time.seconds += self.cost
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def published() -> Iterator[list[Timeline]]:
    seen: list[Timeline] = []
    polling.listeners.append(seen.append)
    yield seen
    polling.listeners.remove(seen.append)


def test_what_is_met_at_once_is_not_waited_for(time: FakeTime) -> None:
    timeline = eventually(Scripted([met("blue")], time), NOWHERE, within=10, clock=time.clock)
    assert (timeline.checks, timeline.seconds, time.slept) == (1, 0, [])


def test_a_timeline_has_every_change_of_answer_and_no_repetition(time: FakeTime, published: list[Timeline]) -> None:
    probe = Scripted([pending("grey"), pending("grey"), pending("pale"), pending("grey"), met("blue")], time)
    timeline = eventually(probe, NOWHERE, within=10, every=1, clock=time.clock)
    assert [(check.after, check.verdict.observed) for check in timeline.changes] == [
        (0, "grey"),
        (2, "pale"),
        (3, "grey"),
        (4, "blue"),
    ]
    assert timeline.checks == 5
    assert published == [timeline]


def test_the_budget_ends_a_wait_and_the_text_says_what_was_last_seen(time: FakeTime, published: list[Timeline]) -> None:
    probe = Scripted([pending("grey"), pending("rather grey")], time)
    with pytest.raises(ConditionTimeout) as caught:
        eventually(probe, NOWHERE, within=180, every=60, clock=time.clock)
    assert str(caught.value) == (
        "Timed out after 3 min 00 s waiting for: the sky is blue (4 checks). "
        "Last seen: rather grey, since 1 min 00 s; before that: grey. Next: neuroscale check sky"
    )
    assert not isinstance(caught.value, Unrecoverable)
    assert published[0].last.observed == "rather grey"


def test_what_is_hopeless_is_not_waited_for(time: FakeTime, published: list[Timeline]) -> None:
    probe = Scripted([pending("grey"), unrecoverable("it is night")], time)
    with pytest.raises(
        Unrecoverable,
        match=r"waiting longer would not help\. Last seen: it is night, since 1 s; before that: grey\. Next: ",
    ) as caught:
        eventually(probe, NOWHERE, within=1000, every=1, clock=time.clock)
    assert str(caught.value).startswith("Gave up after 1 s of 16 min 40 s waiting for: the sky is blue (2 checks);")
    assert time.slept == [1]
    assert published[0].last == unrecoverable("it is night")


def test_a_broken_promise_is_a_failure_and_an_assertion(time: FakeTime) -> None:
    with pytest.raises(AssertionError) as caught:
        eventually(Scripted([unrecoverable("night")], time), NOWHERE, within=1, clock=time.clock)
    assert cast("ConditionTimeout", caught.value).exit_code == ExitCode.FAILED


def test_a_look_that_outlasts_the_budget_is_the_only_one(time: FakeTime) -> None:
    probe = Scripted([pending("grey")], time, cost=30)
    with pytest.raises(ConditionTimeout, match=r"\(1 check\)"):
        eventually(probe, NOWHERE, within=10, clock=time.clock)
    assert time.slept == []


def test_an_answer_that_comes_late_still_counts(time: FakeTime) -> None:
    """The platform did it; that the look was slow is not its fault, and the seconds are in the timeline."""
    assert eventually(Scripted([met("blue")], time, cost=30), NOWHERE, within=10, clock=time.clock).seconds == 30


@given(within=st.floats(0, 100), every=st.floats(0.05, 10), cost=st.floats(0, 3))
def test_a_wait_never_outlasts_its_budget_by_more_than_a_look(within: float, every: float, cost: float) -> None:
    time = FakeTime(0)
    with pytest.raises(ConditionTimeout):
        eventually(Scripted([pending("grey")], time, cost), NOWHERE, within=within, every=every, clock=time.clock)
    assert time.seconds <= within + cost + 1e-6
    assert len(time.slept) == 0 or max(time.slept) == every


def test_several_share_one_budget_and_what_was_reached_is_kept(time: FakeTime) -> None:
    probes = {
        "first": Scripted([pending("no"), met("yes")], time),
        "second": Scripted([pending("no")] * 3 + [met("yes")], time),
        "third": Scripted([pending("no")], time),
    }
    reached: dict[str, float | None] = {}
    with pytest.raises(ConditionTimeout):
        eventually_each(probes, NOWHERE, since=99, within=10, reached=reached, every=1, clock=time.clock)
    assert reached == {"first": 2.0, "second": 5.0, "third": None}
    assert time.seconds == 109


def test_a_budget_that_is_used_up_leaves_one_look(time: FakeTime) -> None:
    reached: dict[str, float | None] = {}
    with pytest.raises(ConditionTimeout):
        eventually_each(
            {"late": Scripted([pending("no")], time)}, NOWHERE, since=80, within=10, reached=reached, clock=time.clock
        )
    assert (time.seconds, reached) == (100, {"late": None})


def test_what_holds_throughout(time: FakeTime, published: list[Timeline]) -> None:
    timeline = consistently(Scripted([met("blue")], time), NOWHERE, lasting=5, every=1, clock=time.clock)
    assert (timeline.seconds, timeline.checks) == (5, 6)
    assert published == [timeline]
    assert timeline.description == "the sky is blue, for 5 s"


@pytest.mark.parametrize("lapse", [pending("grey"), unrecoverable("night")])
def test_one_lapse_ends_it(lapse: Verdict, time: FakeTime) -> None:
    probe = Scripted([met("blue"), met("blue"), lapse, met("blue")], time)
    with pytest.raises(ConditionTimeout) as caught:
        consistently(probe, NOWHERE, lasting=5, every=1, clock=time.clock)
    assert str(caught.value) == (
        "Stopped holding after 2 s (expected 5 s): the sky is blue (3 checks). "
        f"Last seen: {lapse.observed}, since 2 s; before that: blue. Next: neuroscale check sky"
    )


def test_by_default_the_platform_is_asked_every_250_ms(time: FakeTime) -> None:
    eventually(Scripted([pending("grey"), pending("grey"), met("blue")], time), NOWHERE, within=10, clock=time.clock)
    consistently(Scripted([met("blue")], time), NOWHERE, lasting=1, clock=time.clock)
    assert time.slept == [0.25] * 6


def test_whoever_is_asked_may_name_the_pause(time: FakeTime, published: list[Timeline]) -> None:
    """Which is part of the budget, and makes no other answer of it."""
    answers = [pending("grey", again_in=7), pending("grey", again_in=0), pending("grey"), met("blue")]
    assert eventually(Scripted(answers, time), NOWHERE, within=10, every=1, clock=time.clock).seconds == 8
    assert len(published[0].changes) == 2
    with pytest.raises(ConditionTimeout, match=r"after 0 ms .*1 check\)"):
        eventually(Scripted([pending("grey", again_in=11)], time), NOWHERE, within=10, every=1, clock=time.clock)


def test_a_look_that_raises_leaves_its_timeline(time: FakeTime, published: list[Timeline]) -> None:
    class Broken(Scripted):
        def check(self, cluster: Cluster) -> Verdict:
            raise OSError("no cable")

    with pytest.raises(OSError, match="no cable"):
        eventually(Broken([met("never")], time), NOWHERE, within=1, clock=time.clock)
    assert published[0].last.observed == "nothing was checked yet"


class Slow(Scripted):
    """An API server that answers in time only after so many looks."""

    late = 2

    def check(self, cluster: Cluster) -> Verdict:
        self.late -= 1
        verdict = super().check(cluster)
        if self.late >= 0:
            raise ApiServerSlow("Read timed out. Next: neuroscale status")
        return verdict


def test_a_slow_api_server_is_asked_again_until_the_wait_is_over(time: FakeTime, published: list[Timeline]) -> None:
    """Once a single read that took 10 s ended a wait of a minute."""
    eventually(Slow([met("blue")], time, cost=10), NOWHERE, within=60, clock=time.clock)
    assert [change.verdict.state for change in published[0].changes] == ["pending", "met"]
    with pytest.raises(ConditionTimeout, match=r"Timed out after 10 s .*Last seen: Read timed out\."):
        eventually(Slow([met("blue")], time, cost=10), NOWHERE, within=10, clock=time.clock)


def test_what_must_hold_each_time_was_not_seen_to_hold_by_a_slow_api_server(time: FakeTime) -> None:
    with pytest.raises(ApiServerSlow):
        consistently(Slow([met("blue")], time), NOWHERE, lasting=60, clock=time.clock)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0000001, "0 ms"),
        (0.00052, "0.520 ms"),
        (0.005, "5 ms"),
        (0.005214, "5.21 ms"),
        (0.0999, "99.9 ms"),
        (0.541, "541 ms"),
        (0.9996, "1 s"),
        (1.234, "1.23 s"),
        (9.999, "10.0 s"),
        (20, "20 s"),
        (41.27, "41.3 s"),
        (59.94, "59.9 s"),
        (59.95, "1 min 00 s"),
        (59.96, "1 min 00 s"),
        (60, "1 min 00 s"),
        (119.6, "2 min 00 s"),
        (180.4, "3 min 00 s"),
        (3725, "62 min 05 s"),
    ],
)
def test_durations_as_people_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 200))
@example(59.6)
@example(9.999)
@example(1.6)
def test_a_duration_never_says_sixty_seconds(seconds: float) -> None:
    *_, number, unit = duration(seconds).split()
    assert unit == "ms" or float(number) < 60


@given(st.floats(1e-6, 59.9))
@example(0.0045)
def test_three_digits_of_a_duration_count(seconds: float) -> None:
    """A prediction of 5 ms had read ``0.00 s``."""
    number, unit = duration(seconds).split()
    said = float(number) / {"ms": 1000, "s": 1}[unit]
    assert said == pytest.approx(seconds, rel=0.006, abs=6e-7)
    assert unit == ("ms" if seconds < 0.9995 else "s")
