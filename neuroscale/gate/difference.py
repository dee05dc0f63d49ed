"""What a change asks for, from the commit where it left its base: both trees as Argo CD makes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.delta import prices as price_file
from neuroscale.delta.compare import Delta, compare
from neuroscale.delta.workloads import survey
from neuroscale.errors import Inconclusive
from neuroscale.gate import base
from neuroscale.gate.findings import Finding, Places, Tree
from neuroscale.gate.judgement import fit
from neuroscale.gate.placement import placed
from neuroscale.gate.render import Checkout, render_several
from neuroscale.gate.schema import kubernetes
from neuroscale.gate.tools import Tools
from neuroscale.milestones import MILESTONES
from neuroscale.settings import ROOT

#: The first Kubernetes that knows resources of a whole pod without being told to.
_POD_LEVEL = (1, 34)


@dataclass(frozen=True)
class Sides:
    """A change, rendered: what was there where it left its base, and what is there with it.

    Attributes:
        start: The commit where it left its base.
        head: Its last commit; ``None``: the working tree.
        folders: The checkouts of both.
        was: What there was. What is broken in it asked for nothing: the change may be what mends it.
        now: What there is.
        findings: What does not render of it.
        repository: Where both commits are.
    """

    start: str
    head: str | None
    folders: tuple[Path, Path]
    was: Tree
    now: Tree
    findings: list[Finding]
    repository: Path

    def delta(self, places: Places) -> Delta:
        """Priced as it will be once it is merged; pointed out as what it is proposed for says.

        Args:
            places: What there is now, as far as it fits its schemas, each object in its namespace.

        Raises:
            Inconclusive: There are no prices, or git failed.
        """
        before, after = self.folders
        prices = price_file.load(after)
        thresholds = price_file.load(before).thresholds if (before / price_file.FILE).exists() else prices.thresholds
        pod_level = tuple(map(int, kubernetes().split("."))) >= _POD_LEVEL
        was, now = (survey(one, prices, pod_level=pod_level) for one in (placed(fit(self.was)[0]), places))
        end = base.commit_of(self.head or "HEAD", self.repository)
        edited = self.head is None and base.is_edited(self.repository)
        elsewhere = base.supplied_differently(self.start, self.repository, self.head)
        return replace(
            compare(was, now, prices, thresholds),
            base=self.start,
            head=f"{end} and what is not committed" if edited else end,
            note=f"{self.start} pins other upstream manifests; both sides are rendered with today's"
            if elsewhere
            else "",
        )


@contextmanager
def sides(tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT) -> Iterator[Sides]:
    """Both sides of a change, rendered at once: to start the engine takes longer than a tree.

    Args:
        tools: From :func:`neuroscale.gate.tools.provide`.
        reference: Branch, tag or commit that the change is proposed for.
        head: Its last commit; ``None``: the working tree.
        repository: The checkout.

    Raises:
        Inconclusive: The engine or git failed.
    """
    start = base.merge_base(reference, head or "HEAD", repository)
    with ExitStack() as open_trees:
        before = open_trees.enter_context(base.checkout(start, repository))
        after = repository if head is None else open_trees.enter_context(base.checkout(head, repository))
        trees = [open_trees.enter_context(gitops_tree(tools.manifests, MILESTONES, one)) for one in (before, after)]
        (was, _), (now, findings) = render_several(tools.renderer, [Checkout.whole(tree) for tree in trees])
        yield Sides(start, head, (before, after), was, now, findings, repository)


def difference(tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT) -> Delta:
    """What a change asks for; arguments as for :func:`sides`.

    Raises:
        Inconclusive: The engine or git failed, there are no prices, or some of the change is no manifest: what cannot
            be read would be free.
    """
    with sides(tools, reference, head, repository) as both:
        fitting, misfits = fit(both.now)
        if findings := [*both.findings, *misfits]:
            raise Inconclusive(f"All of the change should be priced, but {findings[0]}. Next: neuroscale gate")
        return both.delta(placed(fitting))
