"""What a change of the manifests must pass before it is merged: this checkout's tree, rendered and judged."""

from __future__ import annotations

from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.errors import Inconclusive
from neuroscale.gate import base, policy, resources, schema
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.judgement import GateResult, judge
from neuroscale.gate.render import render
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT


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
    with result.timed("render"):
        result.places, result.findings = rendered(tools, repository)
    places = judge(tools.kyverno, result)
    if reference is not None:
        with result.timed("base"):
            result.changes = resources.changes(_demands(tools, reference, repository), resources.demands(places))
            if base.supplied_differently(reference, repository):
                result.note = f"{reference} pins other upstream manifests; both sides are rendered with today's"
    return result


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
