"""A machine that is too slow for what is timed."""

from __future__ import annotations

import pytest

from neuroscale.errors import ExitCode
from suite import pace


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ([pace.USUAL] * 10, ExitCode.PASSED),
        # Something else was at work now and then.
        ([pace.USUAL * 4] * 9 + [pace.USUAL], ExitCode.PASSED),
        ([pace.USUAL * 1.6] * 10, ExitCode.NOT_RUN),
    ],
)
def test_the_shortest_time_says_how_fast_a_machine_is(
    times: list[float], code: ExitCode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = iter(times)
    monkeypatch.setattr(pace, "work", lambda: next(left))
    assert pace.main() == code
    assert "where limits are set" in capsys.readouterr().out


def test_the_work_takes_time() -> None:
    assert pace.work() > 0.005
