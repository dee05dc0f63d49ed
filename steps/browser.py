"""A guest of the portal with a real browser: on the cluster, and at the portal of this machine."""

from __future__ import annotations

from pytest_bdd import parsers, then, when

from neuroscale.browser import visit
from neuroscale.chaos.breakage import Breakage
from neuroscale.golden_path import browsing
from neuroscale.golden_path.browsing import Followed
from neuroscale.local_portal import browsing as local_browsing
from neuroscale.local_portal.browsing import Refused, Timed
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.results import Recorder


@when("a developer asks for a model in a browser, and follows the link", target_fixture="browsed")
def a_developer_asks_in_a_browser(breakage: Breakage, recorder: Recorder) -> Followed:
    return browsing.ask_for_model(breakage, recorder)


@when(parsers.parse("a guest fills in {what} in a browser, and follows the link"), target_fixture="browsed")
def a_guest_fills_in(local_portal: LocalPortal, what: str) -> Followed:
    return local_browsing.follow(local_portal, what)


@then("the link has led to the page of the pull request")
def the_link_has_led_to_the_pull_request(browsed: Followed) -> None:
    browsing.assert_landed(browsed)


@then("the pull request has what the oracle says, and byte by byte what the API makes of the same form")
def the_pull_request_is_as_by_api(browsed: Followed) -> None:
    browsing.assert_as_by_api(browsed)


@then("the pages had no error but for assets that the Git server lacks, and asked this machine alone")
def the_pages_were_quiet(browsed: Followed) -> None:
    browsing.assert_quiet_but_for_assets(browsed)


@then("the pages had no error but that the form is wrong, and asked this machine alone")
def the_pages_were_quiet_but_for_the_form(browsed: Refused) -> None:
    visit.assert_quiet(browsed.visit, but=visit.NOT_VALID)


@when(parsers.parse("a guest tries a form with {mistake} in a browser"), target_fixture="browsed")
def a_guest_tries_a_form(local_portal: LocalPortal, mistake: str) -> Refused:
    return local_browsing.try_mistake(local_portal, mistake)


@then(parsers.parse("the page says of {title}: {complaint}"))
def the_page_says(browsed: Refused, title: str, complaint: str) -> None:
    local_browsing.assert_says(browsed, title, complaint)


@then("nothing has been handed in")
def nothing_has_been_handed_in(browsed: Refused) -> None:
    local_browsing.assert_not_handed_in(browsed)


@when(parsers.parse("{count:d} forms are handed in {how}, one after the other"), target_fixture="handed")
def forms_are_handed_in(local_portal: LocalPortal, recorder: Recorder, count: int, how: str) -> Timed:
    return local_browsing.hand_in_one_by_one(local_portal, count, how, recorder)


@then(parsers.parse("nine of ten were a pull request within {seconds:g} s"))
def nine_of_ten_were_a_pull_request(handed: Timed, seconds: float) -> None:
    local_browsing.assert_nine_of_ten(handed, seconds)
