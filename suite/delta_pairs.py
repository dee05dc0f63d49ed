"""The second implementation of the delta, which the fast tier has, for a scenario with many more pairs of trees."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neuroscale.gate.opinions import SecondOpinion
from neuroscale.settings import ROOT

_WHERE = ROOT / "tests" / "unit" / "delta"


@pytest.fixture(scope="session")
def second_opinion() -> SecondOpinion:
    """As ``tests/unit/delta`` has it, with its generator and its wrong deltas."""
    if str(_WHERE) not in sys.path:
        sys.path.append(str(_WHERE))
    both, wrong = import_module("both_opinions"), import_module("wrong_deltas")
    found = {name: partial(wrong.is_found, mistake) for name, mistake in wrong.WRONG.items()}
    return SecondOpinion(partial(_differences, both), found)


def _differences(both: Any, pairs: int) -> tuple[int, str]:
    tried, first = 0, ""

    # A pair that differs is not made smaller: that takes minutes, and make delta-pairs does it.
    @settings(
        max_examples=pairs, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(st.randoms(use_true_random=False).map(both.Case.of))
    def price(case: Any) -> None:
        nonlocal tried, first
        tried += 1
        first = first or next(both.disagreements(case), "")
        assert not first

    try:
        price()
    except AssertionError:
        if not first:
            raise
    return tried, first
