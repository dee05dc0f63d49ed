"""What the gate says of objects that are rendered: schemas, AppProjects, policies, resources.

Each stage looks at what the stages before it let through, and says how much that was. Nothing is sent to a cluster, and
nothing is learned from one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from neuroscale import prices as price_file
from neuroscale.delta.compare import Delta
from neuroscale.errors import Inconclusive
from neuroscale.gate import api_validation, appproject, billing, policy, resources, schema
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Places, Tree, named
from neuroscale.gate.placement import placed

if TYPE_CHECKING:
    from neuroscale.gate.sides import Sides

#: Kinds that say what others may do; a change is judged by those that hold already, whatever it makes of them.
_STANDARDS = {"AppProject", "ValidatingPolicy"}


@dataclass
class GateResult:
    """One passage through the gate.

    Attributes:
        tree: What there is.
        findings: Why it is red; none: green.
        validated: Objects that fit their schema.
        evaluated: Policy -> objects that it judged.
        demand: What all pods ask for.
        delta: What it asks for beyond its base; ``None`` without one.
        seconds: Stage -> how long it took.
    """

    tree: Tree = field(default_factory=Tree)
    findings: list[Finding] = field(default_factory=list)
    validated: int = 0
    evaluated: Mapping[str, int] = field(default_factory=dict)
    demand: resources.Amounts = field(default_factory=dict)
    delta: Delta | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        """Folder -> its objects."""
        return self.tree.places

    @property
    def rendered(self) -> int:
        """How many objects the tree makes."""
        return sum(map(len, self.places.values()))

    def price(self, delta: Delta) -> None:
        """Keep what it asks for beyond its base, and reject what is above a threshold where that blocks."""
        self.delta = delta
        self.bill(delta.prices)
        if delta.blocks:
            found = {Finding("resources", "threshold", str(price_file.FILE), one) for one in delta.flags}
            self.findings = sorted({*self.findings, *found})

    def bill(self, prices: price_file.Prices) -> None:
        """Reject what would be billed by other prices."""
        self.findings = sorted({*self.findings, *billing.check(self.places, prices)})

    def compare(self, sides: Sides, places: Places) -> None:
        """Keep what it asks for beyond its base, and reject what it takes out of the platform without saying so."""
        # What does not render, or is no object, is not removed: it is broken, and said to be.
        if not any(one.stage in ("render", "schema") for one in self.findings):
            self.findings = sorted({*self.findings, *sides.removals(places)})
        with self.timed("delta"):
            self.price(sides.delta(places))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Keep how long a stage takes."""
        start = time.monotonic()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - start


def judge(
    engine: Engine,
    result: GateResult,
    standards: Tree | None = None,
    *,
    like: schema.Schemas | None = None,
    policies_expected: bool = True,
) -> Places:
    """Judge what was rendered; the findings are added to the result.

    Args:
        engine: Validates objects, and evaluates policies.
        result: With its tree.
        standards: The tree that a change is proposed for. Its policies and AppProjects judge as well, so that no change
            loosens what it is judged by.
        like: The schemas of a tree that it is much like.
        policies_expected: Whether a tree without any policy is wrong. A platform without the guardrails' milestone has
            none, neither before nor after a change; its AppProjects judge all the same.

    Returns:
        The objects that fit their schemas, each in its namespace.

    Raises:
        Inconclusive: The engine failed, or there is nothing to judge.
    """
    if not result.rendered:
        raise Inconclusive("The tree should make objects, but makes none. Next: a full checkout")
    with result.timed("schema"):
        fitting, found = schema.fit(result.tree, like)
        fitting, more = api_validation.fit(engine, fitting)
        result.validated = sum(map(len, fitting.places.values()))
        result.findings += [*found, *more]
    places = placed(fitting)
    trees = [fitting] if standards is None else [fitting, _under(schema.fit(standards, like)[0], fitting)]
    with result.timed("appproject"):
        result.findings += [one for tree in trees for one in appproject.check(tree)]
    if policies_expected or any(policy.policies(tree.places) for tree in trees):
        with result.timed("policy"):
            for tree in trees:
                _obey_policies(engine, placed(tree), result)
        if not result.evaluated and not result.findings:
            raise Inconclusive("The policies should judge at least one object, but judged none. Next: a full checkout")
    with result.timed("resources"):
        result.demand = resources.totals(resources.demands(places))
        result.findings += resources.check(places)
    result.findings = sorted(_located(set(result.findings), result.tree))
    return places


def _obey_policies(engine: Engine, places: Places, result: GateResult) -> None:
    results = policy.simulate(engine, places)
    result.evaluated = result.evaluated or policy.evaluated(results)
    result.findings += policy.check(places, results)


def _under(standards: Tree, tree: Tree) -> Tree:
    """The same objects, but for policies and AppProjects, which are the standards'."""
    kept = {place: [obj for obj in objects if obj["kind"] not in _STANDARDS] for place, objects in tree.places.items()}
    for place, objects in standards.places.items():
        if binding := [obj for obj in objects if obj["kind"] in _STANDARDS]:
            kept[place] = [*kept.get(place, []), *binding]
    return replace(tree, places=kept)


def _located(findings: set[Finding], tree: Tree) -> Iterator[Finding]:
    """Findings with the file and line of the object that they are about."""
    known = {
        named(place, obj): tree.origins.get((place, obj["kind"], obj["metadata"]["name"]), "")
        for places in (tree.places, placed(tree))
        for place, objects in places.items()
        for obj in objects
    }
    return (one if one.at else replace(one, at=known.get(one.where, "")) for one in findings)
