"""What is shown back to a team, beside what it asked for."""

from __future__ import annotations

import re

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.cost_scenarios import cost_truth, windows
from neuroscale.cost_scenarios.cost_truth import Used
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@given("what tells costs is well")
def what_tells_costs_is_well(platform: Platform) -> None:
    assert_steady_state("f", platform)


@when(
    parsers.parse(
        "a workload of a team without others asks for {cpu} of CPU and {memory} of memory and runs for {minutes:d} min"
    ),
    target_fixture="used",
)
def a_workload_runs(cpu: str, memory: str, minutes: int, breakage: Breakage) -> Used:
    return cost_truth.use(cpu, memory, 60 * minutes, breakage)


@then(
    parsers.parse("the showback of that time by owner and by cost-center is within {percent:d} % of what it asked for")
)
def it_is_shown_back(percent: int, used: Used, platform: Platform) -> None:
    cost_truth.assert_shown_back(used, percent, platform)


@then(
    parsers.parse("that of its last {minutes} min, at steps of {steps} s, is off by half a step at most"),
)
def it_is_off_by_half_a_step(minutes: str, steps: str, used: Used, platform: Platform, recorder: Recorder) -> None:
    windows.assert_off_by_half_a_step(used, _numbers(minutes), _numbers(steps), platform, recorder)


def _numbers(text: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", text)]


@then("every workload and every model of that time is found, and nobody's costs nothing")
def everything_is_found(used: Used, platform: Platform) -> None:
    cost_truth.assert_found(used, platform)
