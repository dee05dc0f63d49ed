"""Death on the way of a form, with the portal as processes of this machine. It needs no cluster."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.local_portal import deaths
from neuroscale.local_portal.deaths import Survived
from neuroscale.local_portal.mortal import MortalPortal
from neuroscale.local_portal.submissions import Submission


@given("the portal runs on this machine, and each of its parts can die")
def the_portal_can_die(mortal_portal: MortalPortal) -> None:
    deaths.make_ready(mortal_portal)


@when(
    parsers.re("(?P<what>.+) dies (?P<when>(before|after) .+), and another form is handed in as soon as that is over"),
    target_fixture="survived",
)
def something_dies(what: str, when: str, mortal_portal: MortalPortal) -> Survived:
    return deaths.die(mortal_portal, what, when)


@then(parsers.parse("the other form has become a pull request within {seconds:d} s"))
def the_other_form_is_a_pull_request(seconds: int, survived: Survived, mortal_portal: MortalPortal) -> None:
    deaths.wait_for_next(survived, seconds, mortal_portal.portal)


@then(parsers.parse("the task of the first form has ended within {seconds:d} s, and nothing of it is half-made"))
def the_first_task_has_ended(seconds: int, survived: Survived, mortal_portal: MortalPortal) -> None:
    deaths.wait_for_end(survived, seconds, mortal_portal.portal)


@when("the first form is handed in again", target_fixture="again")
def the_first_form_is_handed_in_again(survived: Survived, mortal_portal: MortalPortal) -> Submission:
    return deaths.hand_in_again(survived, mortal_portal.portal)


@then("each of the two forms is one pull request with its files and its text")
def each_form_is_one_pull_request(survived: Survived, again: Submission, mortal_portal: MortalPortal) -> None:
    deaths.assert_one_each(survived, again, mortal_portal.portal)
