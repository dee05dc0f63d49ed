"""Many app folders."""

from __future__ import annotations

import re

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.gitops import scale_scenarios
from neuroscale.gitops.scale_scenarios import Deployed
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@when(
    parsers.parse("app folders are added up to {totals} in all, each time once those before are deployed"),
    target_fixture="deployed",
)
def app_folders_are_added(totals: str, breakage: Breakage, recorder: Recorder) -> list[Deployed]:
    return scale_scenarios.deploy_in_turn(breakage, recorder, [int(total) for total in re.findall(r"\d+", totals)])


@given(parsers.parse("there are {total:d} app folders, all of them deployed"), target_fixture="deployed")
def there_are_app_folders(total: int, breakage: Breakage, recorder: Recorder) -> list[Deployed]:
    return scale_scenarios.deploy_in_turn(breakage, recorder, [total])


@when(parsers.parse("{whom} are frozen in turn for {durations} s each"), target_fixture="uids_before")
def are_frozen_in_turn(whom: str, durations: str, breakage: Breakage) -> dict[str, str]:
    seconds = [float(one) for one in re.findall(r"[\d.]+", durations)]
    return scale_scenarios.freeze_in_turn(breakage, re.split(", | and ", whom), seconds)


@then("each Application is the one that it was before")
def each_application_is_the_same(uids_before: dict[str, str], platform: Platform) -> None:
    scale_scenarios.assert_none_deleted(uids_before, platform)


@then("exactly one Application for each folder exists, Synced and Healthy")
def one_application_for_each(platform: Platform) -> None:
    scale_scenarios.assert_exact(platform)


@then(parsers.parse("the time grows with the number of folders by an exponent of at most {exponent:f}"))
def the_time_grows(exponent: float, deployed: list[Deployed], platform: Platform) -> None:
    scale_scenarios.assert_growth(deployed, exponent, platform)


@then(parsers.parse("one more folder took at most {times:d} times as long at the end as at the beginning"))
def one_more_folder_took(times: int, deployed: list[Deployed], platform: Platform) -> None:
    scale_scenarios.assert_one_more(deployed, times, platform)
