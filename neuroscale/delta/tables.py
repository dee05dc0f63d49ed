"""A delta in tables, the same for a terminal and for a pull request: figures are rounded here, and only here."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from neuroscale.delta.compare import Change, Delta, Row, cost
from neuroscale.delta.demand import PODS, SHOWN, ZERO, Demand
from neuroscale.kubernetes.quantities import exact, readable
from neuroscale.prices import MONTH, Prices

_CENT = Decimal("0.01")
_FIGURES = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


@dataclass(frozen=True)
class Table:
    """Rows of words."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def workloads(delta: Delta) -> Table:
    """What differs, a workload each."""
    columns = ("workload", "folder", "what", "owner", *_FIGURES, "replicas", _per_month(delta.prices))
    return Table("Workloads", columns, tuple(_change(one, delta.prices) for one in delta.changes))


def teams(delta: Delta) -> tuple[Table, ...]:
    """Who answers, and who pays."""
    prices, sorts = delta.prices, (("owner", delta.owners), ("cost center", delta.cost_centers))
    return tuple(
        Table(
            title,
            (title, *_FIGURES, PODS, _per_month(prices)),
            tuple((who, *_differences(row, prices)) for who, row in rows.items()),
        )
        for title, rows in sorts
    )


def total(delta: Delta) -> Table:
    """All of it: before, after, and the difference."""
    row, prices = delta.total, delta.prices
    rows = (
        ("before", *_absolute(row.before, prices)),
        ("after", *_absolute(row.after, prices)),
        ("difference", *_differences(row, prices)),
    )
    return Table("Total", ("total", *_FIGURES, PODS, _per_month(prices)), rows)


def priced_by(delta: Delta) -> str:
    """The prices, in a sentence."""
    said = (f"{price.normalize():f} for {_unit(resource)}" for resource, price in sorted(delta.prices.hourly.items()))
    return f"Prices in {delta.prices.currency}: {', '.join(said)} and hour; a month has {MONTH} hours."


@exact()
def money(amount: Decimal, *, signed: bool = False) -> str:
    """An amount of money, rounded to what it is paid in."""
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN) or abs(_CENT * 0)
    return f"{'+' if signed and rounded > 0 else ''}{rounded:f}"


def _per_month(prices: Prices) -> str:
    return f"{prices.currency} a month"


def _unit(resource: str) -> str:
    return {"cpu": "a vCPU", "memory": "a GiB"}.get(resource, f"one {resource}")


def _change(one: Change, prices: Prices) -> tuple[str, ...]:
    found = one.workload
    owners, (*figures, _, price) = ", ".join(found.owners), _differences(one, prices)
    replicas = _from_to(_pods(one.before if one.was else None), _pods(one.after if one.now else None))
    return (str(found), found.place, "; ".join(one.what), owners, *figures, replicas, price)


def _from_to(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def _pods(demand: Demand | None) -> str:
    """How many: ``3``, ``1–5``, or ``1+`` where nobody says how many at most."""
    if demand is None:
        return "–"
    least, most = demand.least.get(PODS, ZERO), demand.most.get(PODS, ZERO)
    said = readable(PODS, least) if least == most else f"{readable(PODS, least)}–{readable(PODS, most)}"
    return f"{said}+" if demand.unbounded else said


def _absolute(demand: Demand, prices: Prices) -> tuple[str, ...]:
    sides = (demand.least, demand.most)
    figures = (_range(*(readable(what, side.get(what, ZERO)) for side in sides)) for what in _FIGURES)
    price = _range(*(money(amount) for amount in cost(prices, demand)))
    return (*figures, _pods(demand), f"{price}+" if demand.unbounded else price)


def _differences(row: Row, prices: Prices) -> tuple[str, ...]:
    """How much more, with a sign. The price is at least that where nobody bounds the replicas."""
    by = row.by
    what = (_range(*(signed(name, side.get(name, ZERO)) for side in (by.least, by.most))) for name in SHOWN)
    price = _range(*(money(after - before, signed=True) for before, after in _costs(row, prices)))
    return (*what, f"{price}+" if row.open else price)


@exact()
def _costs(row: Row, prices: Prices) -> list[tuple[Decimal, Decimal]]:
    return list(zip(cost(prices, row.before), cost(prices, row.after), strict=True))


def signed(what: str, amount: Decimal) -> str:
    """An amount with its sign; none has none."""
    return f"{'+' if amount > 0 else ''}{readable(what, amount)}"


def _range(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
