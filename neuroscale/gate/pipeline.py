"""What a change of the manifests must pass before it is merged: this checkout's tree, rendered and judged."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from neuroscale import prices
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.gate import billing
from neuroscale.gate.difference import sides
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.judgement import GateResult, judge
from neuroscale.gate.render import render
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT


def pass_through(tools: Tools, reference: str | None = None, repository: Path = ROOT) -> GateResult:
    """Judge the working tree of a repository.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit that it is proposed for, to say what it costs; ``None``: none.
        repository: The checkout.

    Raises:
        Inconclusive: The engine or git failed, or there is nothing to judge.
    """
    result = GateResult()
    if reference is None:
        with result.timed("render"):
            result.tree, result.findings = rendered(tools, repository)
        judge(tools.judge, result)
        if billing.configurations(result.places):
            result.bill(prices.load(repository))
        return result
    with ExitStack() as trees:
        with result.timed("render"):
            both, result.tree, result.findings = trees.enter_context(sides(tools, reference, repository=repository))
        places = judge(tools.judge, result, like=both.schemas)
        result.compare(both, places)
    return result


def rendered(tools: Tools, repository: Path = ROOT) -> tuple[Tree, list[Finding]]:
    """Every folder's objects, upstream's manifests in place, and what does not render."""
    with gitops_tree(tools.manifests, MILESTONES, repository) as tree:
        return render(tools.renderer, tree)
