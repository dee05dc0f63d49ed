"""How long it will still take, and how that is said."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from neuroscale.supply.progress import Durations, Progress, forecast


@pytest.mark.parametrize(
    ("running", "waiting", "workers", "expected"),
    [
        ((), (10, 10), 2, 10),
        ((), (10, 10, 10), 2, 20),
        ((5,), (10,), 2, 10),
        ((5, 7), (10,), 2, 15),
        ((5,), (10,), 1, 15),
        ((-30,), (), 2, 1),
        ((), (), 2, 0),
    ],
)
def test_forecast(running: tuple[float, ...], waiting: tuple[float, ...], workers: int, expected: float) -> None:
    assert forecast(running, waiting, workers) == expected


@given(st.lists(st.floats(1, 1000), min_size=1), st.integers(1, 8))
def test_a_forecast_lies_between_perfect_sharing_and_none(waiting: list[float], workers: int) -> None:
    seconds = forecast((), waiting, workers)
    assert sum(waiting) / workers - 1e-6 <= seconds <= sum(waiting) + 1e-6


def test_what_a_build_took_is_expected_next_time(tmp_path: Path) -> None:
    first = {"k3s": 500.0}
    durations = Durations(tmp_path / "durations.json", first)
    assert durations.expect("k3s") == 500.0
    durations.learn("k3s", 321.04)
    assert Durations(tmp_path / "durations.json", first).expect("k3s") == 321.0


@pytest.mark.parametrize("content", ["", "[]", '{"k3s": "long"}', "{"])
def test_a_broken_record_falls_back_to_the_pins(tmp_path: Path, content: str) -> None:
    file = tmp_path / "durations.json"
    file.write_text(content)
    assert Durations(file, {"k3s": 500.0}).expect("k3s") == 500.0


def test_without_a_terminal_there_is_a_line_per_event_and_a_heartbeat_per_minute(tmp_path: Path) -> None:
    said, now = io.StringIO(), [0.0]
    durations = Durations(tmp_path / "durations.json", {"k3s": 300.0, "k3d": 60.0, "gitea": 120.0})
    with Progress(Console(file=said, width=200), durations, ["k3s", "k3d", "gitea"], 2, lambda: now[0]) as progress:
        progress.start("k3s")
        progress.start("k3d")
        now[0] = 50.0
        progress.tick()
        assert progress.done("k3d") == 50.0
        progress.start("gitea")
        now[0] = 111.0
        progress.tick()
        now[0] = 112.0
        progress.tick()
        progress.failed("gitea")
    lines = said.getvalue().splitlines()
    assert lines == [
        "supply: building k3s, about 5 min 00 s; about 5 min 00 s left",
        "supply: building k3d, about 1 min 00 s; about 5 min 00 s left",
        "supply: built k3d in 50 s; about 4 min 10 s left",
        "supply: building gitea, about 2 min 00 s; about 4 min 10 s left",
        "supply: still building k3s, gitea; about 3 min 09 s left",
        "supply: gitea failed; k3s may finish first, to be kept",
    ]


def test_on_a_terminal_a_table_shows_each_build_and_the_total(tmp_path: Path) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    progress = Progress(screen, Durations(tmp_path / "d.json", {"k3s": 300.0}), ["k3s"], 2, lambda: 0.0)
    with progress:
        progress.start("k3s")
    drawn = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "k3s" in drawn
    assert "about 5 min 00 s left" in drawn
