"""Nearest-rank, whoever asks."""

from __future__ import annotations

import re

import pytest

from neuroscale.quantile import quantile
from neuroscale.settings import ROOT


@pytest.mark.parametrize(
    ("share", "expected"), [(0, 1), (0.25, 1), (0.26, 2), (0.5, 2), (0.51, 3), (0.75, 3), (0.99, 4), (1, 4)]
)
def test_a_quantile_is_one_of_what_was_measured(share: float, expected: int) -> None:
    assert quantile([1, 2, 3, 4], share) == expected


def test_of_nothing_there_is_none() -> None:
    assert quantile([], 0.5) is None


def test_the_99th_of_a_hundred_is_not_the_worst() -> None:
    assert quantile(range(1, 101), 0.99) == 99
    assert quantile(range(1, 102), 0.99) == 100


def test_nobody_ranks_in_another_way() -> None:
    """The standard library's ``median`` and ``quantiles`` make figures up that lie between two measured ones."""
    sources = [file for folder in ("neuroscale", "suite", "steps") for file in (ROOT / folder).rglob("*.py")]
    assert [
        str(file)
        for file in sources
        if re.search(r"^(from|import) statistics", file.read_text(encoding="utf-8"), re.MULTILINE)
    ] == []
