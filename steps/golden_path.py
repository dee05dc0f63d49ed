"""The golden path: a form in the portal, its pull request, the merge, and what comes of it."""

from __future__ import annotations

from pytest_bdd import given, then, when

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


@when("the pull request is merged", target_fixture="merged")
def the_pull_request_is_merged(submitted: Submitted, breakage: Breakage) -> Merged:
    return journey.merge(submitted, breakage)


@then("the model answers correctly through the gateway within the SLO")
def the_model_answers(merged: Merged, platform: Platform, recorder: Recorder) -> None:
    journey.wait_for_prediction(merged, platform, recorder)


@then("the catalog of the portal has the model and its owner")
def the_catalog_has_the_model(submitted: Submitted, platform: Platform) -> None:
    journey.wait_for_catalog(submitted, platform)
