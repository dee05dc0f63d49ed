"""The law by which the time to deploy folders grows."""

from __future__ import annotations

import pytest

from neuroscale.gitops.scale_scenarios import Deployed, evaluate_growth, evaluate_one_more, evaluate_same
from neuroscale.growth_law import fit

COUNTS = (1, 1, 1, 1, 1, 4, 20, 70, 200, 1, 1, 1, 1, 1)


def measured(exponent: float, noise: float = 0.02) -> list[Deployed]:
    """Each a little too slow, or too fast, in turn."""
    return [
        Deployed(count, 3 + sum(COUNTS[: place + 1]), 2 * count**exponent * (1 + noise * (-1) ** place))
        for place, count in enumerate(COUNTS)
    ]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_the_law_is_found(exponent: float) -> None:
    law = fit([(one.folders, one.seconds) for one in measured(exponent)])
    assert law.low < exponent < law.high
    assert law.high - law.low < 0.1


@pytest.mark.parametrize(("exponent", "noise", "fits"), [(1.0, 0.02, True), (1.2, 0.02, False), (1.0, 0.5, False)])
def test_what_may_grow_faster_is_too_fast(exponent: float, noise: float, fits: bool) -> None:
    assert bool(evaluate_growth(measured(exponent, noise), 1.15)) is fits


def test_folders_that_come_alone_at_the_end_hide_no_law() -> None:
    slow = [Deployed(1, 300 + number, 500.0) for number in range(5)]
    assert evaluate_growth([*measured(1.0)[:-5], *slow], 1.15)
    assert not evaluate_growth([*measured(1.5)[:-5], *slow], 1.15)


def test_too_few_points_are_no_law() -> None:
    assert evaluate_growth(measured(0.5)[:3], 1.15).state == "unrecoverable"
    assert evaluate_growth([Deployed(1, 4, 1.0)] * 6, 1.15).state == "unrecoverable"


@pytest.mark.parametrize(("seconds", "kept"), [((4.0, 4.0, 3.0, 9.0, 9.0), True), ((4.0, 4.0, 9.0, 9.0, 9.0), False)])
def test_one_more_folder_takes_as_long_at_the_end(seconds: tuple[float, ...], *, kept: bool) -> None:
    done = measured(0.5)
    late = [Deployed(1, 300 + number, took) for number, took in enumerate(seconds)]
    assert bool(evaluate_one_more([*done[:-5], *late], 2)) is kept


@pytest.mark.parametrize("done", [[], measured(0.5)[:-1], measured(0.5)[1:], measured(0.5)[:3]], ids=len)
def test_without_five_at_each_end_nothing_is_known(done: list[Deployed]) -> None:
    assert evaluate_one_more(done, 2).state == "unrecoverable"


def test_an_application_of_the_same_name_may_be_another_one() -> None:
    assert evaluate_same({"a": "1", "b": "2"}, {"a": "1", "b": "2", "c": "3"})
    assert "b is another one" in evaluate_same({"a": "1", "b": "2"}, {"a": "1", "b": "3"}).observed
    assert "b is gone" in evaluate_same({"a": "1", "b": "2"}, {"a": "1"}).observed
