"""What a change costs, said before it is merged, and the job that has to be red. It needs no cluster."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import given, parsers, then, when

from neuroscale.gate import opinions, priced_changes, workflow_job
from neuroscale.gate.legacy_checks import Added
from neuroscale.gate.opinions import SecondOpinion
from neuroscale.gate.priced_changes import Priced, Proposed
from neuroscale.gate.tools import Tools


@then("what is documented rejects it, and the job of the workflow passes it")
def what_is_documented_rejects_it(tools: Tools, copy: Path, added: Added) -> None:
    workflow_job.is_fixed_on_paper_only(tools, copy, added)


@then("the job of this repository's workflow rejects it for the second manifest")
def the_job_of_this_workflow_rejects_it(checkout: Path, added: Added) -> None:
    workflow_job.rejects_as_the_workflow_runs_it(checkout, added)


@when("a model is proposed that leaves its resources to its runtime", target_fixture="proposed")
def a_model_is_proposed(copy: Path) -> Proposed:
    return priced_changes.propose_model(copy)


@then("a table of what manifests declare is empty for it")
def a_table_is_empty(proposed: Proposed) -> None:
    priced_changes.table_is_empty(proposed)


@when(parsers.parse("two models are changed in a repository with {more:d} more app folders"), target_fixture="proposed")
def two_models_are_changed(copy: Path, more: int) -> Proposed:
    return priced_changes.propose_in_many(copy, more)


@when("the change is priced", target_fixture="priced")
def the_change_is_priced(tools: Tools, proposed: Proposed) -> Priced:
    return priced_changes.price(tools, proposed)


@then("the delta has what its runtime says, and what stands beside it")
def the_delta_has_what_its_runtime_says(tools: Tools, proposed: Proposed, priced: Priced) -> None:
    priced_changes.has_what_its_runtime_requests(tools, proposed, priced)


@then("the delta has a row for each of the two, and no other")
def the_delta_has_a_row_for_each(proposed: Proposed, priced: Priced) -> None:
    priced_changes.says_what_changed(proposed, priced)


@then(parsers.parse("the delta took at most {seconds:d} s"))
def the_delta_took_at_most(priced: Priced, seconds: int) -> None:
    priced_changes.was_quick(priced, seconds)


@given("a second implementation of the delta", target_fixture="opinion")
def a_second_implementation(second_opinion: SecondOpinion) -> SecondOpinion:
    return second_opinion


@then(parsers.parse("both say the same of {pairs:d} generated pairs of trees, exactly"))
def both_say_the_same(opinion: SecondOpinion, pairs: int) -> None:
    opinions.are_the_same(opinion, pairs)


@then(parsers.parse("it finds the mistake of each wrong delta, of which there are at least {count:d}"))
def it_finds_each_mistake(opinion: SecondOpinion, count: int) -> None:
    opinions.each_mistake_is_found(opinion, count)
