"""The gate's comment on a pull request. It needs no cluster."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.comment_scenarios import runs
from neuroscale.comment_scenarios.runs import Ended, Reviewed
from neuroscale.git_server import GitServer


@given("a pull request at a Git server of this machine", target_fixture="reviewed")
def a_pull_request(local_git_server: GitServer) -> Reviewed:
    return runs.open_pull_request(local_git_server)


@given("a stranger has written a comment on it that looks like the gate's")
def a_stranger_has_written(reviewed: Reviewed) -> None:
    runs.write_as_stranger(reviewed)


@given("the gate has commented on it")
def the_gate_has_commented(reviewed: Reviewed) -> None:
    runs.assert_fine([runs.run_of_latest(reviewed)])
    runs.assert_one_comment(reviewed)


@when(
    parsers.parse("{count:d} commits are pushed to it, and the gate's runs end out of order"),
    target_fixture="several",
)
def runs_end_out_of_order(reviewed: Reviewed, count: int) -> list[Ended]:
    return runs.run_all_at_once(reviewed, count)


@when("the gate judges it", target_fixture="several")
def the_gate_judges_it(reviewed: Reviewed) -> list[Ended]:
    return [runs.run_of_latest(reviewed)]


@when("the gate judges it twice", target_fixture="several")
def the_gate_judges_it_twice(reviewed: Reviewed) -> list[Ended]:
    return [runs.run_of_latest(reviewed), runs.run_of_latest(reviewed)]


@when("somebody deletes the gate's comment")
def somebody_deletes_the_comment(reviewed: Reviewed) -> None:
    runs.delete_by_hand(reviewed)


@when(parsers.parse("the gate judges it while the Git server {trouble}"), target_fixture="ended")
def the_gate_judges_it_in_trouble(reviewed: Reviewed, trouble: str) -> Ended:
    return runs.run_in_trouble(reviewed, trouble)


@when("the gate judges it with a token that was revoked", target_fixture="ended")
def the_gate_judges_it_with_a_revoked_token(reviewed: Reviewed) -> Ended:
    return runs.run_with_revoked_token(reviewed)


@when("the gate judges it and has left nothing to comment with", target_fixture="ended")
def the_gate_judges_it_without_a_comment(reviewed: Reviewed) -> Ended:
    return runs.run_without_text(reviewed)


@then("it has one comment of the gate, of its latest commit")
def it_has_one_comment(reviewed: Reviewed) -> None:
    runs.assert_one_comment(reviewed)


@then("each run has ended well")
def each_run_has_ended_well(several: list[Ended]) -> None:
    runs.assert_fine(several)


@then("the stranger's comment is as it was")
def the_strangers_comment_is_as_it_was(reviewed: Reviewed) -> None:
    runs.assert_stranger_unharmed(reviewed)


@then(parsers.parse("the run has failed within {within:d} s, its commit's status is {state}, and nothing is green"))
def the_run_has_failed(reviewed: Reviewed, ended: Ended, within: int, state: str) -> None:
    runs.assert_not_green(reviewed, ended, state, within)
