"""The delta and the second implementation on one pair of trees: where they differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from generated import Tree, Trees
from second_opinion import Cluster, opinion

from neuroscale import prices
from neuroscale.delta import compare, workloads, written

SIDES = ("before", "after", "difference")
PRICES = {"cpu": "0.03719", "memory": "0.004673"}
SOME_PRICES = (PRICES, {**PRICES, "nvidia.com/gpu": "2.9327"}, {"cpu": "0", "memory": "0.1"})


@dataclass(frozen=True)
class Case:
    """A pair of trees, and what they are priced by."""

    before: Tree
    after: Tree
    nodes: int | None
    prices: Mapping[str, str]
    pod_level: bool

    @classmethod
    def of(cls, random: Random) -> Case:
        nodes, pod_level, hourly = random.choice([None, 1, 3]), random.random() < 0.5, random.choice(SOME_PRICES)
        return cls(*Trees(random).pair(), nodes, hourly, pod_level)


def disagreements(case: Case) -> Iterator[str]:
    """Every figure that the two do not agree on, by name."""
    said = _answer(case)
    told = opinion(*(Cluster(tree, case.nodes, case.prices, case.pod_level) for tree in (case.before, case.after)))
    if exact(said["total"]) != told["total"]:
        yield "total"
    for mine, theirs in (("owners", "owner"), ("costCenters", "payer")):
        if {row["name"]: exact(row) for row in said[mine]} != told[theirs]:
            yield mine
    rows = [((row["kind"], row["namespace"], row["name"]), row["folder"], exact(row)) for row in said["workloads"]]
    others = [(row["name"], row["place"], {side: row[side] for side in SIDES}) for row in told["workloads"]]
    if _sorted(rows) != _sorted(others):
        yield "workloads"
    if said["unpriced"] != told["unpriced"] or said["withoutPrice"]["count"] != told["unpriced"].total():
        yield "without a price"


def _answer(case: Case) -> dict[str, Any]:
    hourly = {resource: Decimal(price) for resource, price in case.prices.items()}
    priced = prices.Prices("USD", hourly, prices.Thresholds(Decimal(2), Decimal(4)), case.nodes)
    was, now = (workloads.survey(tree, priced, pod_level=case.pod_level) for tree in (case.before, case.after))
    found: dict[str, Any] = json.loads(written.document(compare.compare(was, now, priced)))
    return {**found, "unpriced": Counter(_named(one.name) for one in now.unpriced)}


def _named(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return f"{kind} {rest if '/' in rest else f'/{rest}'}"


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def exact(row: dict[str, Any]) -> dict[str, Any]:
    """A row with numbers for texts, without those that are zero."""
    found: dict[str, Any] = {}
    for side in SIDES:
        found[side] = {"unbounded": row[side]["unbounded"]}
        for bound in ("least", "most"):
            numbers = {key: Fraction(text) for key, text in row[side][bound].items()}
            found[side][bound] = {key: number for key, number in numbers.items() if number}
    return found
