"""What is said of one object by one rule, and which objects of the profile are judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neuroscale.gate.findings import Tree, named
from neuroscale.gate.placement import placed
from neuroscale.kubernetes.refs import Object

#: The Git server is operated elsewhere in production, and what tenants deploy the gate judges.
OUTSIDE = ("bootstrap/forge", "apps/")
_WORKLOADS = {"CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"}


@dataclass(frozen=True, order=True)
class Verdict:
    """One rule about one object.

    Attributes:
        checker: Whose rule.
        rule: Its name.
        where: The object, as :func:`neuroscale.gate.findings.named` has it.
        good: Whether the object is as the rule asks.
        said: What the checker says where it is not.
    """

    checker: str
    rule: str
    where: str
    good: bool
    said: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.said or 'is not as it should be'} [{self.checker} {self.rule}]"


@dataclass(frozen=True)
class Judged:
    """An object, and how people look for it."""

    where: str
    obj: Object

    @property
    def is_workload(self) -> bool:
        """Whether it makes pods."""
        return self.obj["kind"] in _WORKLOADS

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name, as checkers tell objects apart."""
        meta = self.obj["metadata"]
        return self.obj["kind"], meta.get("namespace") or "", meta["name"]


def subjects(tree: Tree) -> list[Judged]:
    """The objects of the profile, each in its namespace."""
    return list(_inside(tree))


def _inside(tree: Tree) -> Iterator[Judged]:
    for place, objects in placed(tree).items():
        if not place.startswith(OUTSIDE):
            yield from (Judged(named(place, obj), obj) for obj in objects)
