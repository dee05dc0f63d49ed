"""Death on the way of a form and of its verdict: of processes of this machine, and of pods."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.deaths import gate_jobs, pods, processes, survival
from neuroscale.deaths.survival import Survived
from neuroscale.golden_path import journey
from neuroscale.golden_path.journey import Submitted
from neuroscale.golden_path.proposals import Proposed
from neuroscale.local_portal.mortal import MortalPortal
from neuroscale.local_portal.submissions import Submission
from neuroscale.platform import Platform


@given("the portal runs on this machine, and each of its parts can die")
def the_portal_can_die(mortal_portal: MortalPortal) -> None:
    processes.make_ready(mortal_portal)


@when(
    parsers.re("(?P<what>.+) dies (?P<when>(before|after) .+), and another form is handed in as soon as that is over"),
    target_fixture="survived",
)
def something_dies(what: str, when: str, mortal_portal: MortalPortal) -> Survived:
    return processes.die(mortal_portal, what, when)


@when(
    parsers.parse(
        "the pod of {what} is deleted on the way of a form, and another form is handed in as soon as that is over"
    ),
    target_fixture="survived",
)
def a_pod_is_deleted(what: str, breakage: Breakage) -> Survived:
    return pods.die(what, breakage)


@then(parsers.parse("the other form has become a pull request within {seconds:d} s"))
def the_other_form_is_a_pull_request(seconds: int, survived: Survived) -> None:
    survival.wait_for_next(survived, seconds)


@then(parsers.parse("the task of the first form has ended within {seconds:d} s, and nothing of it is half-made"))
def the_first_task_has_ended(seconds: int, survived: Survived) -> None:
    survival.wait_for_end(survived, seconds)


@when("the first form is handed in again", target_fixture="again")
def the_first_form_is_handed_in_again(survived: Survived) -> Submission:
    return survival.hand_in_again(survived)


@then("each of the two forms is one pull request with its files and its text")
def each_form_is_one_pull_request(survived: Survived, again: Submission) -> None:
    survival.assert_one_each(survived, again)


@when(parsers.parse("a good model is proposed, and the gate's {what} is killed {when}"), target_fixture="proposed")
def the_gate_is_killed(what: str, when: str, breakage: Breakage) -> Proposed:
    return gate_jobs.kill(what, when, breakage)


@then("the gate has approved the proposed commit")
def the_gate_has_approved(proposed: Proposed, platform: Platform) -> None:
    gate_jobs.assert_approved(proposed, platform)


@then(parsers.parse("the portal has opened its pull request within {seconds:d} s"))
def the_portal_has_opened_it(seconds: int, submitted: Submitted, platform: Platform) -> None:
    journey.assert_opened(submitted, seconds, platform)
