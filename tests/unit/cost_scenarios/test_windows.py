"""How far a showback may be off, by the length of its window and the step at which OpenCost looks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from neuroscale.cost_scenarios.windows import Offset, evaluate_offsets
from neuroscale.metering.window import Window

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def offset(shown: str, *, minutes: int = 10, step: int = 30, asked: str = "1") -> Offset:
    return Offset(Window(NOON, NOON + timedelta(minutes=minutes), step), Decimal(shown), Decimal(asked))


@pytest.mark.parametrize(
    ("shown", "minutes", "step", "fits"),
    [
        ("1.025", 10, 30, True),
        ("0.975", 10, 30, True),
        ("1.026", 10, 30, False),
        ("0.974", 10, 30, False),
        ("0.95", 10, 60, True),
        ("0.95", 20, 60, False),
        ("0.75", 2, 30, False),
        ("1.125", 2, 30, True),
    ],
)
def test_half_a_step_is_the_most(shown: str, minutes: int, step: int, fits: bool) -> None:
    assert bool(evaluate_offsets([offset("1"), offset(shown, minutes=minutes, step=step)])) is fits


def test_each_window_is_said_with_its_share() -> None:
    verdict = evaluate_offsets([offset("1.5"), offset("0.99", minutes=2, step=60)])
    assert verdict.observed == "1 of 2: 10 min at 30 s: +50.00 %, 2 min at 60 s: -1.00 %"


@pytest.mark.parametrize("offsets", [[], [offset("0", asked="0")]])
def test_where_nothing_was_asked_for_nothing_is_proven(offsets: list[Offset]) -> None:
    assert evaluate_offsets(offsets).state == "unrecoverable"
