"""The gate before a merge. It needs no cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.gate import assertions, broken_inputs, corpus_check, legacy_checks
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.corpus_check import Judged
from neuroscale.gate.legacy_checks import Added
from neuroscale.gate.tools import Tools, provide
from neuroscale.settings import ROOT


@pytest.fixture
def checkout() -> Path:
    """What the gate judges."""
    return ROOT


@pytest.fixture
def copy(checkout: Path) -> Iterator[Path]:
    """The same, to be changed by the scenario."""
    with assertions.copied(checkout) as folder:
        yield folder


@given("the gate has its tools", target_fixture="tools")
def the_gate_has_its_tools() -> Tools:
    return provide()


@when("the gate judges this repository", target_fixture="answer")
def the_gate_judges_this_repository(tools: Tools, checkout: Path) -> GateOutput:
    return assertions.ask(tools, checkout)


@then("each policy has judged objects of it")
def each_policy_has_judged(answer: GateOutput) -> None:
    assertions.each_policy_judged(answer)


@then("there is nothing to refuse")
def there_is_nothing_to_refuse(answer: GateOutput) -> None:
    assertions.is_green(answer)


@then(parsers.parse("it took at most {seconds:d} s"))
def it_took_at_most(answer: GateOutput, seconds: int) -> None:
    assertions.was_quick(answer, seconds)


@when("the gate judges the corpus", target_fixture="judged")
def the_gate_judges_the_corpus(tools: Tools, checkout: Path) -> Judged:
    return corpus_check.evaluate_corpus(tools, checkout)


@then("no good one is refused")
def no_good_one_is_refused(judged: Judged) -> None:
    corpus_check.no_good_one_is_refused(judged)


@then("each bad one is refused at the stage and by the rule that it names")
def each_bad_one_is_refused(judged: Judged) -> None:
    corpus_check.each_bad_one_is_refused_as_it_says(judged)


@when(parsers.re(r"the gate judges a repository (?P<flaw>.+)"), target_fixture="answer")
def the_gate_judges_a_repository(flaw: str, tools: Tools, copy: Path) -> GateOutput:
    return broken_inputs.ask_with(flaw, tools, copy)


@then("it is not green")
def it_is_not_green(answer: GateOutput) -> None:
    assertions.is_not_green(answer)


@then(parsers.parse('it says "{why}"'))
def it_says(answer: GateOutput, why: str) -> None:
    assertions.description(answer, why)


# --- incidents


@when("a folder is added whose second manifest is bad", target_fixture="added")
def a_folder_of_two_manifests(copy: Path) -> Added:
    return legacy_checks.add_two_manifests(copy)


@then("a check that looks at the first only is green")
def a_check_of_the_first_is_green(tools: Tools, copy: Path, added: Added) -> None:
    legacy_checks.is_green_for_the_first(tools, copy, added)


@then("the gate refuses the second for its policy")
def the_gate_refuses_the_second(tools: Tools, copy: Path, added: Added) -> None:
    assertions.refuses(assertions.ask(tools, copy), added.bad, added.path)


@when("a folder is added whose object a kustomization makes", target_fixture="added")
def a_folder_with_a_kustomization(copy: Path) -> Added:
    return legacy_checks.add_kustomization(copy)


@then("a check that takes every file for an object refuses the kustomization")
def a_check_of_files_refuses(added: Added) -> None:
    legacy_checks.refuses_what_is_right(added)


@then("the gate passes the folder")
def the_gate_passes_the_folder(tools: Tools, copy: Path) -> None:
    assertions.is_green(assertions.ask(tools, copy))


@then("the gate refuses the folder once it makes an object that does not fit")
def the_gate_refuses_the_folder(tools: Tools, copy: Path, added: Added) -> None:
    legacy_checks.make_a_bad_object(added)
    assertions.refuses(assertions.ask(tools, copy), added.bad, added.path)
