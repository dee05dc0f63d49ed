"""The delta against a second implementation that shares nothing with it: each figure, exactly.

The fast tier tries 50 pairs of trees; ``make delta-pairs`` tries 5,000.
"""

from __future__ import annotations

import os
from functools import cache
from random import Random

import pytest
from both_opinions import Case, disagreements
from generated import KINDS, Trees
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from wrong_deltas import WRONG

PAIRS = int(os.environ.get("NEUROSCALE_DELTA_PAIRS", "50"))
#: Enough that each wrong delta is found, whatever it is wrong about.
SEEDS = 400


@settings(max_examples=PAIRS, deadline=None, suppress_health_check=[*HealthCheck])
@given(st.randoms(use_true_random=False).map(Case.of))
def test_a_second_implementation_says_the_same(case: Case) -> None:
    event(f"{sum(map(len, case.after.values())) - sum(map(len, case.before.values())):+d} objects")
    assert list(disagreements(case)) == []


def test_there_is_every_kind_among_the_pairs() -> None:
    pairs = [Trees(Random(seed)).pair() for seed in range(200)]  # noqa: S311 - test data
    found = {obj["kind"] for pair in pairs for tree in pair for objects in tree.values() for obj in objects}
    assert found >= {*KINDS, "LimitRange", "ServingRuntime", "HorizontalPodAutoscaler", "RuntimeClass", "Rollout"}


@cache
def seeded(seed: int) -> Case:
    """The same for every wrong delta."""
    return Case.of(Random(seed))  # noqa: S311 - test data


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_delta_is_found(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    WRONG[wrong](monkeypatch)
    assert any(next(disagreements(one), "") for one in map(seeded, range(SEEDS)))
