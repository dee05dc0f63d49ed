"""The gate over pull requests: what it says of them, and what gets into ``main`` without its word."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ProtectionChanged
from neuroscale.golden_path import proposals
from neuroscale.golden_path.proposals import Proposed
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform


@given("the gate watches over pull requests")
def the_gate_watches(platform: Platform) -> None:
    assert_steady_state("c", platform)


@when(parsers.parse("somebody proposes {what}"), target_fixture="proposed")
def somebody_proposes(what: str, breakage: Breakage) -> Proposed:
    return proposals.propose(what, breakage)


@then(parsers.parse("the gate's status of it is {state} and says: {why}"))
def the_status_is(state: str, why: str, proposed: Proposed, platform: Platform) -> None:
    proposals.wait_for_status(state, why, proposed, platform)


@given("the gate has rejected a pull request", target_fixture="proposed")
def the_gate_has_rejected(breakage: Breakage, platform: Platform) -> Proposed:
    proposed = proposals.propose("a model without an owner", breakage)
    proposals.wait_for_status("failure", "require-standard-labels", proposed, platform)
    return proposed


@given("the gate has found a pull request in order", target_fixture="proposed")
def the_gate_has_passed(breakage: Breakage, platform: Platform) -> Proposed:
    proposed = proposals.propose("a model with everything it needs", breakage)
    proposals.wait_for_status("success", "nothing found", proposed, platform)
    return proposed


@then("each of these attempts to merge it is answered so, and main stays as it was:")
def each_attempt_is_answered(datatable: list[list[str]], proposed: Proposed, breakage: Breakage) -> None:
    _, *rows = datatable
    proposals.assert_refused([(who, how, int(status)) for who, how, status in rows], proposed, breakage)


@when("another commit is pushed to it")
def another_commit_is_pushed(proposed: Proposed, platform: Platform) -> None:
    proposals.push_more(proposed, platform)


@when("a writer sets the gate's status to success")
def a_writer_forges_the_status(proposed: Proposed, breakage: Breakage) -> None:
    proposals.forge_status(proposed, breakage)


@given("the protection of main lets administrators merge all the same")
def the_protection_lets_administrators(breakage: Breakage) -> None:
    breakage.inject(ProtectionChanged(changed={"block_admin_merge_override": False}))


@when("a site administrator merges it by force")
def an_administrator_merges(proposed: Proposed, breakage: Breakage) -> None:
    proposals.merge_by_force(proposed, breakage)


@then("admission rejects its model")
def admission_rejects_its_model(proposed: Proposed, platform: Platform) -> None:
    proposals.assert_not_admitted(proposed, platform)


@given(parsers.parse("{what} is away from the gate"))
def something_is_away(what: str, breakage: Breakage) -> None:
    proposals.take_away(what, breakage)


@then("its commit says within 60 s that there is no verdict")
def its_commit_says_error(proposed: Proposed, platform: Platform) -> None:
    proposals.wait_for_error(proposed, platform)


@when("main and a pull request behind it change the same line", target_fixture="proposed")
def a_pull_request_is_behind(breakage: Breakage) -> Proposed:
    return proposals.propose_behind(breakage)


@when("the branch is rebased on main")
def the_branch_is_rebased(proposed: Proposed, platform: Platform) -> None:
    proposals.rebase(proposed, platform)
