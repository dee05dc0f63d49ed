"""What a change asks for, from the commit where it left its base: both trees as Argo CD makes them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.delta import prices as price_file
from neuroscale.delta.compare import Delta, compare
from neuroscale.delta.workloads import survey
from neuroscale.errors import Inconclusive
from neuroscale.gate import base
from neuroscale.gate.findings import Places
from neuroscale.gate.judgement import fit
from neuroscale.gate.placement import placed
from neuroscale.gate.render import Checkout, render, render_several
from neuroscale.gate.schema import kubernetes
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT

#: The first Kubernetes that knows resources of a whole pod without being told to.
_POD_LEVEL = (1, 34)


def difference(tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT) -> Delta:
    """What a change asks for.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit that it is proposed for.
        head: Its last commit; ``None``: the working tree.
        repository: The checkout.

    Raises:
        Inconclusive: The engine or git failed, there are no prices, or some of the change is no manifest: what cannot
            be read would be free.
    """
    start = base.merge_base(reference, head or "HEAD", repository)
    with ExitStack() as trees:
        before = trees.enter_context(base.checkout(start, repository))
        after = repository if head is None else trees.enter_context(base.checkout(head, repository))
        sides = [trees.enter_context(gitops_tree(tools.manifests, MILESTONES, tree)) for tree in (before, after)]
        (was, _), (now, findings) = render_several(tools.renderer, [Checkout.whole(tree) for tree in sides])
        fitting, misfits = fit(now)
        if findings := [*findings, *misfits]:
            raise Inconclusive(f"All of the change should be priced, but {findings[0]}. Next: neuroscale gate")
        return _delta((before, placed(fit(was)[0])), (after, placed(fitting)), (start, head), repository)


def difference_of(tools: Tools, reference: str, places: Places, repository: Path = ROOT) -> Delta:
    """What the working tree asks for, whose objects are at hand; what is broken asks for nothing, before and after.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit that the change is proposed for.
        places: The working tree's objects, each in its namespace.
        repository: The checkout.

    Raises:
        Inconclusive: The engine or git failed, or there are no prices.
    """
    start = base.merge_base(reference, "HEAD", repository)
    with base.checkout(start, repository) as before, gitops_tree(tools.manifests, MILESTONES, before) as tree:
        was, _ = render(tools.renderer, tree)
        return _delta((before, placed(fit(was)[0])), (repository, places), (start, None), repository)


def _delta(
    before: tuple[Path, Places], after: tuple[Path, Places], commits: tuple[str, str | None], repository: Path
) -> Delta:
    """Priced as it will be once it is merged; pointed out as what it is proposed for says."""
    prices = price_file.load(after[0])
    thresholds = price_file.load(before[0]).thresholds if (before[0] / price_file.FILE).exists() else prices.thresholds
    pod_level = tuple(map(int, kubernetes().split("."))) >= _POD_LEVEL
    was, now = (survey(places, prices, pod_level=pod_level) for _, places in (before, after))
    start, head = commits
    end = base.commit_of(head or "HEAD", repository)
    edited = head is None and base.is_edited(repository)
    note = f"{start} pins other upstream manifests; both sides are rendered with today's"
    return replace(
        compare(was, now, prices, thresholds),
        base=start,
        head=f"{end} and what is not committed" if edited else end,
        note=note if base.supplied_differently(start, repository, head) else "",
    )
