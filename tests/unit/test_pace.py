"""A machine that is too slow for what is timed."""

from __future__ import annotations

import pytest

from neuroscale.errors import ExitCode
from suite import pace


@pytest.mark.parametrize("slow", [0, 1])
@pytest.mark.parametrize(
    ("times", "code"),
    [
        ([0.1] * 10, ExitCode.PASSED),
        # Something else was at work now and then.
        ([0.4] * 9 + [0.1], ExitCode.PASSED),
        ([0.16] * 10, ExitCode.NOT_RUN),
    ],
)
def test_the_shortest_time_says_how_fast_a_machine_is_in_each_respect(
    slow: int,
    times: list[float],
    code: ExitCode,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    left = iter(times)

    def steady() -> float:
        return 0.1

    def tried() -> float:
        return next(left)

    monkeypatch.setattr(pace, "USUAL", dict.fromkeys((tried, steady) if slow == 0 else (steady, tried), 0.1))
    assert pace.main() == code
    said = capsys.readouterr().out
    assert "to steady takes this machine 100 ms, and 100 ms where limits are set" in said
    assert "to tried takes" in said


@pytest.mark.parametrize("work", pace.USUAL)
def test_the_work_takes_time(work: object) -> None:
    assert callable(work)
    assert work() > 0.0005
