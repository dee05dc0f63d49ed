"""Quantities: what the API server takes for one, and what it rejects."""

from __future__ import annotations

from decimal import Decimal

import pytest

from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.quantities import millicores, quantity, readable


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", "0.25"), ("2", "2"), (2, "2"), (0.5, "0.5"), ("1Gi", str(1024**3)), ("64M", "64000000"), ("1e3", "1000"),
     ("1E", "1e18"), ("1.5Ki", "1536"), ("5u", "0.000005"), ("+1k", "1000"), ("-1", "-1"), (".5", "0.5"), ("5.", "5"),
     ("1E+3", "1000"), (1e-07, "0.0000001"), (" 1 ", "1"), ("3n", "3e-9"), ("1Ei", str(1024**6))],
)  # fmt: skip
def test_a_quantity_is_a_number(text: object, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "much", "1Zi", None, "1K", "NaN", "inf", "-Infinity", True, float("nan"), "1_000", "1 m", "1e3m", "1e", "m",
     "1e1.5", "0x1", "\u0661", "1mi", "--1", "1,5", "\t1", "1\n"],
)  # fmt: skip
def test_what_is_no_quantity_is_said(text: object) -> None:
    with pytest.raises(Inconclusive, match="should be a quantity"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2", 2000), ("250m", 250), ("0.5", 500), ("0", 0), ("1500m", 1500), ("0.5m", 1), ("1k", 1_000_000), ("100u", 1)],
)
def test_cpu_is_counted_as_the_scheduler_does(text: str, expected: int) -> None:
    assert millicores(text) == expected


@pytest.mark.parametrize(
    ("what", "amount", "text"),
    [("requests.cpu", "0.25", "250m"), ("limits.cpu", "1", "1"), ("requests.memory", "134217728", "128Mi"),
     ("requests.memory", "0", "0"), ("requests.memory", "1000", "1000"), ("pods", "3", "3"),
     ("limits.memory", "-1073741824", "-1Gi"),
     ("requests.cpu", "0.0005", "0.5m"), ("requests.memory", "1.5", "1.5"), ("pods", "-20", "-20")],
)  # fmt: skip
def test_amounts_are_written_as_in_manifests(what: str, amount: str, text: str) -> None:
    assert readable(what, Decimal(amount)) == text
