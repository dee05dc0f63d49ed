"""The portal as processes of this machine. It needs no cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_bdd import given, parsers, then, when

from neuroscale.local_portal import inputs, production, routes, submissions
from neuroscale.local_portal.backstage import Running
from neuroscale.local_portal.inputs import Tried
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.local_portal.routes import Asked
from neuroscale.local_portal.submissions import Handed


@pytest.fixture
def in_production(local_portal: LocalPortal) -> Iterator[Running]:
    """The portal in production, for one scenario."""
    with production.in_production(local_portal) as running:
        yield running


@given("the portal runs on this machine", target_fixture="running")
def the_portal_runs(local_portal: LocalPortal) -> Running:
    submissions.wait_until_offered(local_portal)
    return local_portal.running


@when("a form is handed in", target_fixture="handed")
def a_form_is_handed_in(local_portal: LocalPortal) -> Handed:
    return submissions.submit_one(local_portal)


@when(parsers.parse("one form is handed in {times:d} times at once"), target_fixture="handed")
def one_form_is_handed_in(local_portal: LocalPortal, times: int) -> Handed:
    return submissions.submit_same_form(local_portal, times)


@when("a form is handed in, and the worker is told nothing", target_fixture="handed")
def a_form_is_overlooked(local_portal: LocalPortal) -> Handed:
    return submissions.submit_overlooked(local_portal)


@when("two forms that differ are handed in for one name", target_fixture="handed")
def two_forms_are_handed_in(local_portal: LocalPortal) -> Handed:
    return submissions.submit_rivals(local_portal)


@when(parsers.parse("{count:d} generated forms are handed in"), target_fixture="handed")
def generated_forms_are_handed_in(local_portal: LocalPortal, count: int) -> Handed:
    return inputs.submit_many(local_portal, count)


@then("each form has become a pull request with its files and its text")
def each_form_has_become_a_pull_request(handed: Handed, local_portal: LocalPortal) -> None:
    submissions.assert_exact(handed, local_portal)


@then("one of them has become a pull request, and the other is told which")
def one_has_become_a_pull_request(handed: Handed, local_portal: LocalPortal) -> None:
    submissions.assert_one_won(handed, local_portal)


@then("the gate passes what is proposed")
def the_gate_passes(handed: Handed, local_portal: LocalPortal) -> None:
    submissions.assert_passes_gate(handed, local_portal)


@when(parsers.parse("{count:d} generated forms are tried"), target_fixture="tried")
def generated_forms_are_tried(local_portal: LocalPortal, count: int) -> Tried:
    return inputs.try_forms(local_portal, count)


@when("hostile values are handed in, for each field", target_fixture="tried")
def hostile_values_are_handed_in(local_portal: LocalPortal) -> Tried:
    return inputs.try_hostile(local_portal)


@then("each is taken or refused as the rules say")
def each_is_as_the_rules_say(tried: Tried) -> None:
    inputs.assert_as_the_rules_say(tried)


@then("each refusal names the fields that are wrong")
def each_refusal_names_the_fields(tried: Tried) -> None:
    inputs.assert_reasons(tried)


@then("each that is taken would become the files that were asked for")
def each_would_become_the_files(tried: Tried) -> None:
    inputs.assert_rendered(tried)


@then("each is refused")
def each_is_refused(tried: Tried) -> None:
    inputs.assert_each_refused(tried)


@then("nothing of them is at the Git server")
def nothing_is_at_the_git_server(tried: Tried, local_portal: LocalPortal) -> None:
    inputs.assert_no_trace(tried, local_portal)


@given("the portal runs as in production", target_fixture="running")
def the_portal_runs_as_in_production(in_production: Running) -> Running:
    return in_production


@when("each of its routes is asked by somebody who is not signed in", target_fixture="asked")
def each_route_is_asked(running: Running) -> list[Asked]:
    return routes.ask_each(running)


@then("each answers 401 but those that are public")
def each_answers_401(asked: list[Asked]) -> None:
    routes.assert_guarded(asked)


@when("a guest asks to be let in", target_fixture="let_in")
def a_guest_asks(running: Running) -> tuple[int, str]:
    return production.ask_as_guest(running)


@then("the guest is refused")
def the_guest_is_refused(let_in: tuple[int, str]) -> None:
    production.assert_refused(let_in)


@then("whoever signs in is sent to the identity provider")
def whoever_signs_in(running: Running) -> None:
    production.assert_signs_in_elsewhere(running)


@then("no setting lets anybody in without an account")
def no_setting_lets_anybody_in(running: Running) -> None:
    production.assert_no_back_door(running)
