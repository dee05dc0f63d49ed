"""Models that sleep until somebody asks."""

from __future__ import annotations

import re
from contextlib import ExitStack

from pytest_bdd import given, parsers, then, when

from neuroscale.chaos.breakage import Breakage
from neuroscale.platform import Platform
from neuroscale.results import Recorder
from neuroscale.serving import sleeping_models
from neuroscale.serving.sleeping_models import Asleep, Deleted, Woken


@when(
    parsers.parse("models that sleep are created up to {totals} in all, each time once those before are Ready"),
    target_fixture="asleep",
)
def models_are_created(totals: str, breakage: Breakage, recorder: Recorder) -> Asleep:
    return sleeping_models.create_in_turn([int(total) for total in re.findall(r"\d+", totals)], breakage, recorder)


@given(parsers.parse("there are {total:d} models that sleep"), target_fixture="asleep")
def there_are_models(total: int, breakage: Breakage, recorder: Recorder) -> Asleep:
    return sleeping_models.create_in_turn([total], breakage, recorder)


@then(
    parsers.parse("none of them has a pod, and the time grew with their number by an exponent of at most {exponent:f}")
)
def none_has_a_pod(exponent: float, asleep: Asleep, platform: Platform) -> None:
    sleeping_models.assert_without_pods(asleep, platform)
    sleeping_models.assert_law(asleep, exponent, platform)


@then("none of them has a pod")
def none_has_one(asleep: Asleep, platform: Platform) -> None:
    sleeping_models.assert_without_pods(asleep, platform)


@given(parsers.parse("{count:d} of them, chosen at random, are asked, one after the other"), target_fixture="woken")
@when(parsers.parse("{count:d} of them, chosen at random, are asked, one after the other"), target_fixture="woken")
def some_are_asked(count: int, asleep: Asleep, platform: Platform, recorder: Recorder) -> Woken:
    return sleeping_models.wake_some(asleep, count, platform, recorder)


@then(parsers.parse("each wakes with the right answer within {seconds:d} s"))
def each_wakes(seconds: int, woken: Woken, platform: Platform) -> None:
    sleeping_models.assert_right(woken, seconds, platform)


@when("one of those that are awake is deleted", target_fixture="deleted")
def one_is_deleted(woken: Woken, asleep: Asleep, platform: Platform, streams: ExitStack) -> Deleted:
    return sleeping_models.delete_one(woken, asleep, platform, streams)


@then("another one that is awake misses no request")
def another_one_misses_none(deleted: Deleted, platform: Platform) -> None:
    sleeping_models.assert_unbroken(deleted, platform)
