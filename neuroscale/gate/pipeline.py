"""What a change of the manifests must pass before it is merged: this checkout's tree, rendered and judged."""

from __future__ import annotations

from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.gate import base, resources
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.judgement import GateResult, fit, judge
from neuroscale.gate.placement import placed
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
        Inconclusive: The engine or git failed, or there is nothing to judge.
    """
    result = GateResult()
    with result.timed("render"):
        result.tree, result.findings = rendered(tools, repository)
    places = judge(tools.judge, result)
    if reference is not None:
        with result.timed("base"):
            before = _demands(tools, reference, repository)
            result.changes = resources.changes(before, resources.demands(places))
            if base.supplied_differently(reference, repository):
                result.note = f"{reference} pins other upstream manifests; both sides are rendered with today's"
    return result


def rendered(tools: Tools, repository: Path = ROOT) -> tuple[Tree, list[Finding]]:
    """Every folder's objects, upstream's manifests in place, and what does not render."""
    with gitops_tree(tools.manifests, MILESTONES, repository) as tree:
        return render(tools.renderer, tree)


def _demands(tools: Tools, reference: str, repository: Path) -> dict[str, resources.Amounts]:
    """What a commit asked for. What is broken in it asked for nothing: a change may be what mends it."""
    with base.checkout(reference, repository) as before:
        tree, _ = rendered(tools, before)
    fitting, _ = fit(tree)
    return resources.demands(placed(fitting))
