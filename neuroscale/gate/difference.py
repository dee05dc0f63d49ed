"""What a change of this checkout asks for, from the commit where it left its base."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.delta.compare import Delta
from neuroscale.errors import Inconclusive
from neuroscale.gate import base
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.placement import placed
from neuroscale.gate.render import Checkout, render_several
from neuroscale.gate.schema import fit
from neuroscale.gate.sides import Sides
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT


@contextmanager
def sides(
    tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT
) -> Iterator[tuple[Sides, Tree, list[Finding]]]:
    """Both sides of a change, rendered at once: to start the engine takes longer than a tree.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit that the change is proposed for.
        head: Its last commit; ``None``: the working tree.
        repository: The checkout.

    Yields:
        Both, what there is with the change, and what does not render of it.

    Raises:
        Inconclusive: The engine or git failed.
    """
    start = base.merge_base(reference, head or "HEAD", repository)
    with ExitStack() as open_trees:
        before = open_trees.enter_context(base.checkout(start, repository))
        after = repository if head is None else open_trees.enter_context(base.checkout(head, repository))
        trees = [open_trees.enter_context(gitops_tree(tools.manifests, MILESTONES, one)) for one in (before, after)]
        (was, _), (now, findings) = render_several(tools.renderer, [Checkout.whole(tree) for tree in trees])
        yield Sides.of(start, head, (before, after), was, repository), now, findings


def difference(tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT) -> Delta:
    """What a change asks for; arguments as for :func:`sides`.

    Raises:
        Inconclusive: The engine or git failed, there are no prices, or some of the change is no manifest: what cannot
            be read would be free.
    """
    with sides(tools, reference, head, repository) as (both, now, findings):
        fitting, misfits = fit(now, both.schemas)
        if wrong := [*findings, *misfits]:
            raise Inconclusive(f"All of the change should be priced, but {wrong[0]}. Next: neuroscale gate")
        return both.delta(placed(fitting))
