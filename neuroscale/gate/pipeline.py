"""What a change of the manifests must pass before it is merged: render, schemas, AppProjects, policies, resources.

Each stage looks at what the stages before it let through, and says how much that was. Nothing is sent to a cluster, and
nothing is learned from one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.errors import Inconclusive
from neuroscale.gate import appproject, base, policy, resources, schema
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.render import render
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT


@dataclass
class GateResult:
    """One passage through the gate.

    Attributes:
        places: Folder -> its objects.
        findings: Why it is red; none: green.
        validated: Objects that fit their schema.
        evaluated: Policy -> objects that it judged.
        demand: What all pods ask for.
        changes: What differs from the base; ``None`` without one.
        note: What the comparison does not know.
        seconds: Stage -> how long it took.
    """

    places: Places = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    validated: int = 0
    evaluated: Mapping[str, int] = field(default_factory=dict)
    demand: resources.Amounts = field(default_factory=dict)
    changes: list[resources.Change] | None = None
    note: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def rendered(self) -> int:
        """How many objects the tree makes."""
        return sum(map(len, self.places.values()))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Keep how long a stage takes."""
        start = time.monotonic()
        yield
        self.seconds[stage] = time.monotonic() - start


def pass_through(tools: Tools, reference: str | None = None, repository: Path = ROOT) -> GateResult:
    """Judge the working tree of a repository.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit to compare its demand of resources with; ``None``: with nothing.
        repository: The checkout.

    Raises:
        Inconclusive: A tool or git failed, or there is nothing to judge.
    """
    result = GateResult()
    places = _fitting(tools, repository, result)
    _obey_policies(tools, places, result)
    with result.timed("resources"):
        demands = resources.demands(places)
        result.demand = resources.totals(demands)
        result.findings += resources.check(places)
    if reference is not None:
        with result.timed("base"):
            result.changes = resources.changes(_demands(tools, reference, repository), demands)
            if base.supplied_differently(reference, repository):
                result.note = f"{reference} pins other upstream manifests; both sides are rendered with today's"
    result.findings.sort()
    return result


def _fitting(tools: Tools, repository: Path, result: GateResult) -> Places:
    """Render, schema, AppProjects: the objects that are whole, each in its namespace."""
    with result.timed("render"):
        result.places, result.findings = rendered(tools, repository)
    if not result.rendered:
        raise Inconclusive(f"{repository} should make objects, but makes none. Next: a full checkout")
    with result.timed("schema"):
        fitting, found = schema.check(result.places, schema.Schemas.of(result.places))
        result.validated = sum(map(len, fitting.values()))
        result.findings += found
    with result.timed("appproject"):
        result.findings += appproject.check(fitting)
    return policy.placed(fitting)


def _obey_policies(tools: Tools, places: Places, result: GateResult) -> None:
    with result.timed("policy"):
        results = policy.simulate(tools.kyverno, places)
        result.evaluated = policy.evaluated(results)
        result.findings += policy.check(places, results)
    if not result.evaluated and not result.findings:
        raise Inconclusive("The policies should judge at least one object, but judged none. Next: a full checkout")


def rendered(tools: Tools, repository: Path = ROOT) -> tuple[Places, list[Finding]]:
    """Every folder's objects, upstream's manifests in place, and what does not render."""
    with gitops_tree(tools.manifests, MILESTONES, repository) as tree:
        return render(tree, tools.chart)


def _demands(tools: Tools, reference: str, repository: Path) -> dict[str, resources.Amounts]:
    with base.checkout(reference, repository) as before:
        places, wrong = rendered(tools, before)
    fitting, invalid = schema.check(places, schema.Schemas.of(places))
    if wrong or invalid:
        raise Inconclusive(
            f"{reference} should render and fit its schemas, to compare with, but: {[*wrong, *invalid][0]}. "
            f"Next: another --base"
        )
    return resources.demands(policy.placed(fitting))
