"""Many app folders."""

from __future__ import annotations

import re

from pytest_bdd import parsers, then, when

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


@then("exactly one Application for each folder exists, Synced and Healthy")
def one_application_for_each(platform: Platform) -> None:
    scale_scenarios.assert_exact(platform)


@then(parsers.parse("the time grows with the number of folders by an exponent of at most {exponent:f}"))
def the_time_grows(exponent: float, deployed: list[Deployed], platform: Platform) -> None:
    scale_scenarios.assert_growth(deployed, exponent, platform)


@then(parsers.parse("the last folder took at most {times:d} times as long as the first"))
def the_last_folder_took(times: int, deployed: list[Deployed], platform: Platform) -> None:
    scale_scenarios.assert_one_more(deployed, times, platform)
