"""The one file with prices, for what is said before a merge and for what is billed after it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.quantities import SUFFIXES, exact, quantity

#: Where it is in a checkout. No YAML: Argo CD would take it for a manifest.
FILE = Path("infrastructure", "prices.toml")
#: Hours of a month, as clouds bill it: 365 × 24 ÷ 12.
MONTH = Decimal(730)
#: What one unit of a resource is, where it is not the resource's own.
_UNITS = {"memory": SUFFIXES["Gi"]}
_CPU, _MEMORY = "cpu", "memory"


@dataclass(frozen=True)
class Thresholds:
    """From which increase on a change is pointed out.

    Attributes:
        cpu: Cores that are requested.
        memory: Bytes that are requested.
        block: Whether such a change is rejected.
    """

    cpu: Decimal
    memory: Decimal
    block: bool = False


@dataclass(frozen=True)
class Prices:
    """What resources cost.

    Attributes:
        currency: Of all of them.
        hourly: Resource -> price of a unit for an hour: of a vCPU, of a GiB, of one piece of anything else.
        thresholds: What is pointed out.
        nodes: How many there are; ``None``: nobody says, and DaemonSets have no price.
    """

    currency: str
    hourly: Mapping[str, Decimal]
    thresholds: Thresholds
    nodes: int | None = None

    @exact()
    def monthly(self, amounts: Mapping[str, Decimal]) -> Decimal:
        """What requests cost in a month, exactly."""
        return sum((self._hour(resource, amounts) for resource in self.hourly), Decimal(0)) * MONTH

    def _hour(self, resource: str, amounts: Mapping[str, Decimal]) -> Decimal:
        requested = amounts.get(f"requests.{resource}", Decimal(0))
        return requested / _UNITS.get(resource, Decimal(1)) * self.hourly[resource]


def load(tree: Path) -> Prices:
    """The prices of a checkout.

    Raises:
        Inconclusive: There are none, or they cannot be read.
    """
    try:
        text = (tree / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(f"cannot be read: {type(error).__name__}") from error
    return parse(text)


def parse(text: str) -> Prices:
    """The prices in a file's text. Its decimals are taken as they are written.

    Raises:
        Inconclusive: It is none.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise _unusable(f"is no TOML: {error}") from error
    if unknown := set(document) - {"currency", "hourly", "thresholds", "nodes"}:
        raise _unusable(f"has {', '.join(sorted(unknown))}, which nobody reads")
    currency, nodes = document.get("currency"), document.get("nodes")
    if not isinstance(currency, str) or not currency:
        raise _unusable("does not say its currency")
    if nodes is not None and (not isinstance(nodes, int) or isinstance(nodes, bool) or nodes < 1):
        raise _unusable(f"has {nodes!r} nodes")
    return Prices(currency, _hourly(document.get("hourly")), _thresholds(document.get("thresholds")), nodes)


def _hourly(given: Any) -> dict[str, Decimal]:
    found = {}
    for resource, price in given.items() if isinstance(given, dict) else ():
        if (
            not isinstance(price, int | Decimal)
            or isinstance(price, bool)
            or not Decimal(price).is_finite()
            or price < 0
        ):
            raise _unusable(f"has {price!r} as the price of {resource}")
        found[resource] = Decimal(price)
    if not {_CPU, _MEMORY} <= set(found):
        raise _unusable("does not say what cpu and memory cost")
    return found


def _thresholds(given: Any) -> Thresholds:
    said = given if isinstance(given, dict) else {}
    block = said.get("block", False)
    if set(said) - {"block"} != {_CPU, _MEMORY} or not isinstance(block, bool):
        raise _unusable("does not say thresholds of cpu and memory, and whether they block")
    return Thresholds(quantity(said[_CPU]), quantity(said[_MEMORY]), block)


def _unusable(why: str) -> Inconclusive:
    return Inconclusive(f"{FILE} should say what resources cost, but {why}. Next: correct it")
