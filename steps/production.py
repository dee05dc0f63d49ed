"""The production profile, rendered and judged. It needs no cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_bdd import given, then, when

from neuroscale.gate.judgement import GateResult
from neuroscale.gate.production import checkers, judgement, suppressions
from neuroscale.gate.production.checkers import Checkers
from neuroscale.gate.production.judgement import Opinion
from neuroscale.gate.tools import Tools


@given("the checkers of the production profile are installed", target_fixture="kept_checkers")
def the_checkers_are_installed() -> Checkers:
    return checkers.provide()


@given("the checkers and our rules have judged the planted objects", target_fixture="planted")
def planted_objects_were_judged(kept_checkers: Checkers, checkout: Path) -> Opinion:
    return judgement.of_planted(kept_checkers, checkout)


@when("the gate renders the production profile", target_fixture="profile")
def the_gate_renders_the_profile(tools: Tools, checkout: Path) -> GateResult:
    return judgement.rendered(tools, checkout)


@when("the checkers and our rules judge the production profile", target_fixture="opinion")
def they_judge_the_profile(tools: Tools, kept_checkers: Checkers, checkout: Path) -> Opinion:
    return judgement.of_profile(kept_checkers, judgement.rendered(tools, checkout))


@then("it has nothing to reject there")
def nothing_is_rejected(profile: GateResult) -> None:
    judgement.assert_admitted(profile)


@then("the trial renders as if there were no production profile")
def the_trial_is_unchanged(tools: Tools, checkout: Path) -> None:
    judgement.assert_trial_unchanged(tools, checkout)


@then("each of them has judged every workload")
def each_has_judged(opinion: Opinion, capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config) -> None:
    with capsys.disabled():
        pytestconfig.get_terminal_writer().line(f"\n  {opinion}")
    judgement.assert_each_judged(opinion)


@then("what is wrong there is suppressed for a reason and for a while")
def what_is_wrong_is_suppressed(opinion: Opinion) -> None:
    put_up_with = suppressions.read()
    judgement.assert_nothing_wrong(opinion, put_up_with)
    judgement.assert_suppressions_hold(opinion, put_up_with, datetime.now(UTC).date())


@then("each rule that judged it has rejected a planted object")
def each_rule_was_seen_red(opinion: Opinion, planted: Opinion) -> None:
    judgement.assert_each_seen_red(opinion, planted)
