"""Stretches of time: whole steps, as long as was asked for, and no longer than what is shared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroscale.errors import UsageError
from neuroscale.metering.window import RESOLUTION, Window, seconds

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))


@given(at=st.floats(min_value=0, max_value=4e9), length=st.integers(min_value=30, max_value=10**5))
def test_a_window_begins_and_ends_at_steps_and_is_no_shorter_than_asked_for(at: float, length: int) -> None:
    window = Window.ending(datetime.fromtimestamp(at, UTC), length)
    assert window.start.timestamp() % RESOLUTION == window.end.timestamp() % RESOLUTION == 0
    assert 0 <= at - window.end.timestamp() < RESOLUTION
    assert length <= window.seconds < length + RESOLUTION


def test_wider_steps_make_a_wider_window() -> None:
    window = Window.ending(NOON + timedelta(seconds=95), 61, step=60)
    assert (window.start, window.end) == (NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))
    assert window.query == "2026-03-04T11:58:00Z,2026-03-04T12:01:00Z"


def test_it_is_asked_for_by_instants() -> None:
    assert WINDOW.query == "2026-03-04T11:59:30Z,2026-03-04T12:10:00Z"
    assert WINDOW.range == "600s"
    assert WINDOW.hours == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("start", "end", "shared"),
    [
        (-5, None, 10),
        (2, None, 8),
        (2, 6, 4),
        (-5, 3, 3),
        (-5, -1, 0),
        (11, None, 0),
        (0, 10, 10),
    ],
)
def test_what_is_shared_lies_in_both(start: int, end: int | None, shared: int) -> None:
    until = None if end is None else NOON + timedelta(minutes=end)
    assert WINDOW.shared_with(NOON + timedelta(minutes=start), until) == timedelta(minutes=shared)


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("15m", 900), (" 2h ", 7200), ("30s", 30)])
def test_lengths_are_read_as_people_write_them(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "15", "m", "29s", "0m", "-5m", "1d", "1.5h", "today"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="A window should be 30 s or longer"):
        seconds(text)
