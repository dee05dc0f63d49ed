"""A tree against another one: which workloads came, went, or ask for something else, and who pays for it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from neuroscale.delta.demand import ZERO, Demand
from neuroscale.delta.unpriced import Unpriced
from neuroscale.delta.workloads import Survey, Workload
from neuroscale.kubernetes.quantities import exact, readable
from neuroscale.prices import Prices, Thresholds


@dataclass(frozen=True)
class Row:
    """What asks for something, before and after.

    Attributes:
        before: What it asked for; nothing if it was not there.
        after: What it asks for; nothing if it is not there any more.
        open: Whether the difference is the least that it can be, since nobody bounds the replicas of what differs.
    """

    before: Demand
    after: Demand
    open: bool = field(kw_only=True)

    @property
    def by(self) -> Demand:
        """How much more."""
        return self.after - self.before


@dataclass(frozen=True)
class Change(Row):
    """A workload that is not what it was.

    Attributes:
        was: As it was; ``None``: it was not there.
        now: As it is; ``None``: it is gone.
    """

    was: Workload | None
    now: Workload | None

    @classmethod
    def of(cls, was: Workload | None, now: Workload | None) -> Change:
        """From both states, of which there is at least one."""
        before, after = was.demand if was else Demand(), now.demand if now else Demand()
        return cls(before, after, was, now, open=bool(after.unbounded) and not (after - before).is_none)

    @property
    def workload(self) -> Workload:
        """As it is, or else as it was."""
        found = self.now or self.was
        assert found is not None, "a change is of something"  # noqa: S101 - whoever makes one has one of them
        return found

    @property
    def what(self) -> tuple[str, ...]:
        """What became of it, in words."""
        if self.was is None or self.now is None:
            return ("added",) if self.was is None else ("removed",)
        was, now = self.was, self.now
        words = {
            f"renamed from {was}": was.key != now.key,
            f"moved from {was.place}": was.place != now.place,
            f"taken over from {', '.join(was.owners)}": was.owners != now.owners,
            f"charged to {', '.join(was.cost_centers)} before": was.cost_centers != now.cost_centers,
            "changed": not self.by.is_none,
        }
        return tuple(word for word, holds in words.items() if holds)


@dataclass(frozen=True)
class Delta:
    """The difference between two trees.

    Attributes:
        changes: Workloads that differ.
        owners: Who answers for workloads -> what they ask for together; those with a difference.
        cost_centers: Who pays -> likewise.
        total: Of the whole tree.
        unpriced: What has no price, and is new or another than before.
        without_price: How much of the tree has none.
        prices: What all of it is priced by.
        thresholds: What is pointed out.
        base: The commit that it is compared with.
        head: The commit.
        note: What the comparison does not know.
    """

    changes: tuple[Change, ...]
    owners: Mapping[str, Row]
    cost_centers: Mapping[str, Row]
    total: Row
    unpriced: tuple[Unpriced, ...]
    without_price: int
    prices: Prices
    thresholds: Thresholds
    base: str = ""
    head: str = ""
    note: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """What is above a threshold."""
        rows = [*((f"{one.workload}", one.by) for one in self.changes), ("the whole change", self.total.by)]
        return tuple(dict.fromkeys(said for name, by in rows for said in _above(name, by, self.thresholds)))

    @property
    def blocks(self) -> bool:
        """Whether the change must not be merged."""
        return self.thresholds.block and bool(self.flags)


def _above(name: str, by: Demand, thresholds: Thresholds) -> Iterator[str]:
    for resource, limit in (("cpu", thresholds.cpu), ("memory", thresholds.memory)):
        what = f"requests.{resource}"
        more = max(by.least.get(what, ZERO), by.most.get(what, ZERO))
        if more >= limit:
            yield f"{name} asks for {readable(what, more)} more {what}; the threshold is {readable(what, limit)}"


def compare(base: Survey, head: Survey, prices: Prices, thresholds: Thresholds | None = None) -> Delta:
    """The difference between two trees.

    Args:
        base: As it was.
        head: As it is.
        prices: By which both are priced.
        thresholds: Those that hold; the prices' own if not given.
    """
    pairs = (Change.of(was, now) for was, now in _paired(base.workloads, head.workloads))
    changes = sorted((one for one in pairs if one.what), key=lambda one: (one.workload.place, str(one.workload)))
    before, after = set(base.unpriced), head.unpriced
    return Delta(
        tuple(changes),
        _by(base, head, changes, lambda one: ((share.owner, share.demand) for share in one.shares)),
        _by(base, head, changes, lambda one: ((share.cost_center, share.demand) for share in one.shares)),
        Row(_total(base), _total(head), open=any(one.open for one in changes)),
        tuple(one for one in after if one not in before),
        len(after),
        prices,
        thresholds or prices.thresholds,
    )


def _total(survey: Survey) -> Demand:
    return Demand.sum(one.demand for one in survey.workloads)


_Shares = Callable[[Workload], Iterable[tuple[str, Demand]]]


def _by(base: Survey, head: Survey, changes: Sequence[Change], shares: _Shares) -> dict[str, Row]:
    """Those for whom something is different."""
    sides = []
    for survey in (base, head):
        sums: dict[str, Demand] = {}
        for who, demand in (share for workload in survey.workloads for share in shares(workload)):
            sums[who] = sums.get(who, Demand()) + demand
        sides.append(sums)
    before, after = sides
    concerned = {who for one in changes if one.open and one.now for who, _ in shares(one.now)}
    rows = {}
    for who in sorted({*before, *after}):
        was, now = before.get(who, Demand()), after.get(who, Demand())
        # What changed hands differs for nobody but them.
        rows[who] = Row(was, now, open=who in concerned or now.unbounded > was.unbounded)
    return {who: row for who, row in rows.items() if not row.by.is_none}


_Pair = tuple[Workload | None, Workload | None]


def _paired(before: Sequence[Workload], after: Sequence[Workload]) -> list[_Pair]:
    """Each workload beside what it was: by folder and name, by name, by what runs in it."""
    gone, new, pairs = list(before), list(after), list[_Pair]()
    for same in (
        lambda one: (one.place, one.key),
        lambda one: one.key,
        lambda one: (one.place, one.kind, one.namespace, one.content) if any(one.content) else None,
        lambda one: (one.kind, one.namespace, one.content) if any(one.content) else None,
    ):
        pairs += _matched(gone, new, same)
    return [*pairs, *((was, None) for was in gone), *((None, now) for now in new)]


def _matched(gone: list[Workload], new: list[Workload], same: Callable[[Workload], object]) -> list[_Pair]:
    """Takes those that are the same out of both lists, in their order where several are. None is nobody's."""
    waiting, pairs = defaultdict[object, deque[Workload]](deque), list[_Pair]()
    for one in gone:
        waiting[same(one)].append(one)
    rest = list[Workload]()
    for now in new:
        sign = same(now)
        if sign is not None and waiting[sign]:
            pairs.append((waiting[sign].popleft(), now))
        else:
            rest.append(now)
    new[:] = rest
    taken = {id(was) for was, _ in pairs}
    gone[:] = [one for one in gone if id(one) not in taken]
    return pairs


@exact()
def cost(prices: Prices, demand: Demand) -> tuple[Decimal, Decimal]:
    """What a demand costs in a month, at least and at most."""
    return prices.monthly(demand.least), prices.monthly(demand.most)
