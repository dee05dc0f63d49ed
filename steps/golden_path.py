"""The golden path: a form in the portal, its pull request, the merge, and what comes of it."""

from __future__ import annotations

from pytest_bdd import given, then, when

from neuroscale.backstage_client import Task
from neuroscale.chaos.breakage import Breakage
from neuroscale.golden_path import journey
from neuroscale.golden_path.journey import Merged, Submitted
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@given("the portal offers its form")
def the_portal_offers_its_form(platform: Platform) -> None:
    assert_steady_state("b", platform)
    assert_steady_state("c", platform)


@when("a developer asks for a model in the portal", target_fixture="submitted")
def a_developer_asks_for_a_model(breakage: Breakage, recorder: Recorder) -> Submitted:
    return journey.ask_for_model(breakage, recorder)


@then("a pull request adds exactly the files of that model")
def a_pull_request_adds_the_files(submitted: Submitted, platform: Platform) -> None:
    journey.assert_exact(submitted, platform)


@then("the gate finds nothing against it")
def the_gate_finds_nothing(submitted: Submitted, platform: Platform, recorder: Recorder) -> None:
    journey.wait_for_verdict(submitted, platform, recorder)


@when("the pull request is merged", target_fixture="merged")
def the_pull_request_is_merged(submitted: Submitted, breakage: Breakage) -> Merged:
    return journey.merge(submitted, breakage)


@then("the model answers correctly through the gateway within the SLO")
def the_model_answers(merged: Merged, platform: Platform, recorder: Recorder) -> None:
    journey.wait_for_prediction(merged, platform, recorder)


@given("a developer has asked for a model in the portal", target_fixture="submitted")
def a_developer_has_asked(breakage: Breakage, recorder: Recorder) -> Submitted:
    return journey.ask_for_model(breakage, recorder)


@given("a model was asked for in the portal and merged", target_fixture="merged")
def a_model_was_merged(breakage: Breakage, platform: Platform, recorder: Recorder) -> Merged:
    submitted = journey.ask_for_model(breakage, recorder)
    journey.wait_for_verdict(submitted, platform, recorder)
    merged = journey.merge(submitted, breakage)
    journey.wait_for_prediction(merged, platform, recorder)
    return merged


@then("the catalog of the portal has the model and its owner")
def the_catalog_has_the_model(merged: Merged, platform: Platform) -> None:
    journey.wait_for_catalog(merged.submitted, platform)


@when("the model is removed from Git")
def the_model_is_removed(merged: Merged, platform: Platform) -> None:
    journey.remove(merged, platform)


@then("neither the catalog nor the cluster has it any more")
def the_model_is_gone(merged: Merged, platform: Platform) -> None:
    journey.wait_until_gone(merged, platform)


@when("another developer asks for a model of the same name", target_fixture="second")
def another_developer_asks(submitted: Submitted, platform: Platform) -> Task:
    return journey.ask_again(submitted, platform)


@then("the portal says that the name is taken, and by which pull request")
def the_name_is_taken(second: Task, submitted: Submitted, platform: Platform) -> None:
    journey.assert_taken(second, submitted, platform)


@then("the first pull request is as it was")
def the_first_is_as_it_was(submitted: Submitted, platform: Platform) -> None:
    journey.assert_exact(submitted, platform)
