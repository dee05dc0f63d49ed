"""What the gate's comment said of workloads, beside what their pods ask for."""

from __future__ import annotations

from pytest_bdd import then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.cost_scenarios import said_is_seen
from neuroscale.cost_scenarios.said_is_seen import Asked, Merged
from neuroscale.platform import Platform


@when("workloads of these shapes are proposed:", target_fixture="asked")
def workloads_are_proposed(datatable: list[list[str]], breakage: Breakage) -> Asked:
    _, *rows = datatable
    return said_is_seen.propose([(shape, int(pods)) for shape, pods in rows], breakage)


@when("the gate has said what they ask for, and they are merged", target_fixture="merged_as_priced")
def they_are_merged(asked: Asked, breakage: Breakage) -> Merged:
    return said_is_seen.merge_as_priced(asked, breakage)


@then("their pods ask for that, exactly")
def their_pods_ask_for_that(merged_as_priced: Merged, platform: Platform) -> None:
    said_is_seen.assert_said_is_seen(merged_as_priced, platform)
