"""What is shown back to a team, beside what it asked for."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.cost_scenarios import cost_truth
from neuroscale.cost_scenarios.cost_truth import Used
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform


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


@then("the showback of that time by owner and by cost-center is within 5 % of what it asked for")
def it_is_shown_back(used: Used, platform: Platform) -> None:
    cost_truth.assert_shown_back(used, platform)


@then("every workload and every model of that time is found, and nobody's costs nothing")
def everything_is_found(used: Used, platform: Platform) -> None:
    cost_truth.assert_found(used, platform)
