"""Both sides of a change, as Argo CD makes their trees, and what lies between them.

The image of the pull-request gate has this module, and so nothing here may need a cluster's client.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from neuroscale import prices as price_file
from neuroscale.delta.compare import Delta, compare
from neuroscale.delta.workloads import survey
from neuroscale.gate import base, removals
from neuroscale.gate.findings import Finding, Places, Tree
from neuroscale.gate.placement import placed
from neuroscale.gate.schema import Schemas, fit, kubernetes

#: The first Kubernetes that knows resources of a whole pod without being told to.
_POD_LEVEL = (1, 34)


@dataclass(frozen=True)
class Sides:
    """A change: what was there where it left its base, and both commits.

    Attributes:
        start: The commit where it left its base.
        head: Its last commit; ``None``: the working tree.
        folders: The checkouts of both.
        was: What there was, as far as it fits its schemas. What was broken asked for nothing; the change may mend it.
        repository: Where both commits are.
        schemas: Of what there was.
    """

    start: str
    head: str | None
    folders: tuple[Path, Path]
    was: Tree
    repository: Path
    schemas: Schemas

    @classmethod
    def of(cls, start: str, head: str | None, folders: tuple[Path, Path], was: Tree, repository: Path) -> Sides:
        """With all that there was, whether or not it fits."""
        schemas = Schemas.of(was.places)
        return cls(start, head, folders, fit(was, schemas)[0], repository, schemas)

    def removals(self, places: Places) -> list[Finding]:
        """What the change takes out without saying so; ``places`` as for :meth:`delta`."""
        return removals.check(placed(self.was), places, removals.meant(*self.folders))

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
        was, now = (survey(one, prices, pod_level=pod_level) for one in (placed(self.was), places))
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
