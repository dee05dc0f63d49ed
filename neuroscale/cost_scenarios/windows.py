"""How far the showback is off, by the length of the window and by the step at which OpenCost looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from neuroscale.cost_scenarios.cost_truth import TEAM, Used, asked_for
from neuroscale.metering.showback import LABELS, showback
from neuroscale.metering.window import Window
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, unrecoverable
from neuroscale.probes import cost
from neuroscale.probes.probe_function import assert_met
from neuroscale.results import Recorder

_LABEL = LABELS[0]


@dataclass(frozen=True)
class Offset:
    """The showback of one window beside what was asked for in it.

    Attributes:
        window: Which.
        shown: What the team is shown.
        asked: What requests × price × seconds come to.
    """

    window: Window
    shown: Decimal
    asked: Decimal

    @property
    def share(self) -> Decimal:
        """By what share of what was asked for it is off."""
        return (self.shown - self.asked) / self.asked

    def __str__(self) -> str:
        return f"{self.window.seconds / 60:g} min at {self.window.step} s: {100 * self.share:+.2f} %"


def assert_off_by_half_a_step(
    used: Used, minutes: Sequence[int], steps: Sequence[int], platform: Platform, recorder: Recorder
) -> None:
    """Of the last minutes of a longer time the showback is off by half a step of OpenCost's at most; each is kept.

    Raises:
        ConditionTimeout: It is off by more.
        Inconclusive: Prometheus has not seen all of a window.
    """
    offsets = list(_offsets(used, minutes, steps, platform))
    for one in filter(lambda each: each.asked, offsets):
        recorder.figure(
            claim="showback-error", fault=f"a workload is shown back at steps of {one.window.step} s", subject=_LABEL,
            series=f"a window of {one.window.seconds / 60:g} min at steps of {one.window.step} s",
            at=datetime.now(UTC), seconds=float(abs(one.share)) * one.window.seconds,
            facts={"% of what was asked for": round(float(100 * one.share), 2)},
        )  # fmt: skip
    assert_met(
        "the showback of each window is off by half a step at most", evaluate_offsets(offsets), platform, cost.AREA
    )


def _offsets(used: Used, minutes: Sequence[int], steps: Sequence[int], platform: Platform) -> Iterator[Offset]:
    for length in minutes:
        for step in steps:
            window = Window.ending(used.window.end, 60 * length, step)
            paid = showback(platform.cluster, window, _LABEL).of(TEAM[_LABEL]).cost
            yield Offset(window, Decimal(paid), asked_for(replace(used, window=window), _LABEL))


def evaluate_offsets(offsets: Sequence[Offset]) -> Verdict:
    """Whether a pod runs is looked at in steps: with one too many or too few the sum is wrong by a whole one."""
    if not offsets or not all(one.asked for one in offsets):
        return unrecoverable("nothing was asked for")
    said = ", ".join(map(str, offsets))
    wrong = [one for one in offsets if 2 * abs(one.share) > one.window.step / Decimal(one.window.seconds)]
    return unrecoverable(f"{len(wrong)} of {len(offsets)}: {said}") if wrong else met(said)
