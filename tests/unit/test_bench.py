"""A benchmark's figures are of runs that did what they were to do."""

from __future__ import annotations

import pytest

from neuroscale.milestones import MILESTONES
from suite.bench import _PLATFORMS, _suites


@pytest.mark.parametrize(("code", "runs"), [(0, 1), (1, 0), (3, 0)])
def test_only_the_time_of_a_green_run_is_a_number(code: int, runs: int) -> None:
    told, asked = list[str](), list[tuple[str, ...]]()

    def run(*arguments: str, environment: dict[str, str] | None = None) -> int:
        asked.append(arguments)
        return code

    platform = _PLATFORMS[0]
    measured = list(_suites(platform, run, told.append))
    assert [number.at_most for number in measured] == list(platform.suites.values())
    assert [len(number.samples) for number in measured] == [runs] * len(platform.suites)
    assert [arguments[:2] for arguments in asked] == [("-m", marker) for marker in platform.suites]
    assert any(f"exit code {code}" in line for line in told) == bool(code)


def test_every_milestones_suite_is_timed_once() -> None:
    timed = [marker for platform in _PLATFORMS for marker in platform.suites]
    assert sorted(timed) == [f"milestone_{letter}" for letter in MILESTONES]
