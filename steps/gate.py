"""The gate before a merge. It needs no cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.gate import (
    assertions,
    bad_revert,
    broken_inputs,
    corpus_check,
    layered_values,
    legacy_checks,
    many_folders,
    misplaced_values,
)
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.corpus_check import Judged
from neuroscale.gate.legacy_checks import Added
from neuroscale.gate.misplaced_values import Misplaced
from neuroscale.gate.tools import Tools, provide
from neuroscale.settings import ROOT


@pytest.fixture
def checkout() -> Path:
    """What the gate checks."""
    return ROOT


@pytest.fixture
def copy(checkout: Path) -> Iterator[Path]:
    """The same, to be changed by the scenario."""
    with assertions.copied(checkout) as folder:
        yield folder


@pytest.fixture
def added_folders() -> list[str]:
    """Folders of apps that the scenario has added to the copy."""
    return []


@given("the tools of the gate are installed", target_fixture="tools")
def the_tools_are_installed() -> Tools:
    return provide()


@when("the gate checks this repository", target_fixture="answer")
def the_gate_checks_this_repository(tools: Tools, checkout: Path) -> GateOutput:
    return assertions.ask(tools, checkout)


@then("every policy has evaluated objects of it")
def every_policy_has_evaluated(answer: GateOutput) -> None:
    assertions.each_policy_judged(answer)


@then("the gate has nothing to reject")
def the_gate_has_nothing_to_reject(answer: GateOutput) -> None:
    assertions.is_green(answer)


@then(parsers.parse("it took at most {seconds:d} s"))
def it_took_at_most(answer: GateOutput, seconds: int) -> None:
    assertions.was_quick(answer, seconds)


@when(parsers.parse("the gate checks this repository with {more:d} more app folders"), target_fixture="answer")
def the_gate_checks_many_folders(more: int, tools: Tools, copy: Path, added_folders: list[str]) -> GateOutput:
    added_folders += many_folders.add_folders(copy, more)
    return assertions.ask(tools, copy)


@then("each folder that was added has been rendered and evaluated")
def each_added_folder_was_judged(answer: GateOutput, added_folders: list[str]) -> None:
    many_folders.each_was_judged(answer, added_folders)


@when("the gate checks the corpus", target_fixture="judged")
def the_gate_checks_the_corpus(tools: Tools, checkout: Path) -> Judged:
    return corpus_check.evaluate_corpus(tools, checkout)


@then("no compliant manifest is rejected")
def no_compliant_manifest_is_rejected(judged: Judged) -> None:
    corpus_check.no_good_one_is_refused(judged)


@then("each bad manifest is rejected at its stage and by its rule")
def each_bad_manifest_is_rejected(judged: Judged) -> None:
    corpus_check.each_bad_one_is_refused_as_it_says(judged)


@when(parsers.re(r"the gate checks a repository (?P<flaw>.+)"), target_fixture="answer")
def the_gate_checks_a_repository(flaw: str, tools: Tools, copy: Path) -> GateOutput:
    return broken_inputs.ask_with(flaw, tools, copy)


@then("the gate does not pass")
def the_gate_does_not_pass(answer: GateOutput) -> None:
    assertions.is_not_green(answer)


@then(parsers.parse("the gate says that {reason}"))
def the_gate_says_why(answer: GateOutput, reason: str) -> None:
    assertions.description(answer, broken_inputs.REASONS[reason])


# --- incidents


@when("a revert takes both models and the quota out of main", target_fixture="reverted")
def a_revert_takes_them_out(copy: Path) -> Path:
    return bad_revert.revert(copy)


@then("the gate passes what is left, when it does not know what was there")
def the_gate_passes_what_is_left(tools: Tools, reverted: Path) -> None:
    assertions.is_green(assertions.ask(tools, reverted))


@then("the gate rejects the revert for the quota that it would remove")
def the_gate_rejects_the_revert(tools: Tools, reverted: Path) -> None:
    bad_revert.is_refused(bad_revert.ask(tools, reverted))


@when("the revert says that it means to remove them")
def the_revert_says_so(reverted: Path) -> None:
    bad_revert.say_so(reverted)


@then("the gate passes the revert")
def the_gate_passes_the_revert(tools: Tools, reverted: Path) -> None:
    assertions.is_green(bad_revert.ask(tools, reverted))


@when("a folder is added whose second manifest is bad", target_fixture="added")
def a_folder_of_two_manifests(copy: Path) -> Added:
    return legacy_checks.add_two_manifests(copy)


@then("a check of the first manifest only passes")
def a_check_of_the_first_passes(tools: Tools, copy: Path, added: Added) -> None:
    legacy_checks.is_green_for_the_first(tools, copy, added)


@then("the gate rejects the second manifest for its policy")
def the_gate_rejects_the_second(tools: Tools, copy: Path, added: Added) -> None:
    assertions.rejects(assertions.ask(tools, copy), added.bad, added.path)


@when("a folder is added whose object is generated by a kustomization", target_fixture="added")
def a_folder_with_a_kustomization(copy: Path) -> Added:
    return legacy_checks.add_kustomization(copy)


@then("a check that takes every file for an object rejects the kustomization")
def a_check_of_files_rejects(added: Added) -> None:
    legacy_checks.refuses_what_is_right(added)


@then("the gate passes the folder")
def the_gate_passes_the_folder(tools: Tools, copy: Path) -> None:
    assertions.is_green(assertions.ask(tools, copy))


@when("the kustomization is changed to generate an invalid object")
def the_kustomization_is_changed(added: Added) -> None:
    legacy_checks.make_a_bad_object(added)


@then("the gate rejects the folder for that object")
def the_gate_rejects_the_folder(tools: Tools, copy: Path, added: Added) -> None:
    assertions.rejects(assertions.ask(tools, copy), added.bad, added.path)


@when("the portal's startup probe is written one level too high", target_fixture="misplaced")
def the_probe_is_misplaced(copy: Path) -> Misplaced:
    return misplaced_values.put_one_level_too_high(copy)


@then("a chart without a schema renders as before")
def a_chart_without_a_schema(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    misplaced_values.is_ignored_without_schema(tools, copy, misplaced)


@then("the gate rejects the chart for that key")
def the_gate_rejects_the_chart(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    misplaced_values.is_rejected(assertions.ask(tools, copy), misplaced.key)


@when("the portal's readiness probe is replaced by a command that always succeeds", target_fixture="misplaced")
def the_probe_is_faked(copy: Path) -> Misplaced:
    return misplaced_values.fake_probe(copy)


@then("a chart without a schema makes a probe of two kinds")
def a_probe_of_two_kinds(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    misplaced_values.asks_in_two_ways(tools, copy, misplaced)


@when("the values of production are laid over those of development", target_fixture="layered")
def values_are_layered(copy: Path) -> Path:
    return layered_values.lay_over(copy)


@then("the portal that comes of both lets a guest in from anywhere")
def a_guest_is_let_in(tools: Tools, layered: Path) -> None:
    layered_values.assert_guest_admitted(tools, layered)


@then("the rules of production reject it for that")
def the_guest_is_rejected(tools: Tools, layered: Path) -> None:
    layered_values.assert_rejected(tools, layered)


@then("of the values of production alone comes a portal without a guest")
def production_alone_has_no_guest(tools: Tools, checkout: Path) -> None:
    layered_values.assert_alone_accepted(tools, checkout)
