"""A delta as text, as Markdown for a pull request, and as JSON: the same figures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from neuroscale.delta import tables
from neuroscale.delta.compare import Change, Delta, Row, cost
from neuroscale.delta.demand import Demand
from neuroscale.delta.tables import Table
from neuroscale.kubernetes.quantities import readable
from neuroscale.prices import MONTH, Prices
from neuroscale.sticky_comments import LONGEST, MARKER

_TITLE = "Resource and cost delta"
#: In one pass: an entity has a character of these in it.
_ENTITIES = {ord(character): f"&#{ord(character)};" for character in "\\`|<>[]*_#@!~"}


class Format(StrEnum):
    """For whom a delta is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def written(delta: Delta, form: Format) -> str:
    """A delta in one of the forms; it ends with a line."""
    return {Format.TEXT: text, Format.MARKDOWN: markdown, Format.JSON: document}[form](delta)


def summary(delta: Delta) -> list[str]:
    """What is to be said of a delta beside its tables."""
    said = [tables.priced_by(delta)]
    if not delta.changes:
        said.append("No workload asks for more or less than in the base.")
    if delta.total.after.unbounded:
        said.append(
            f"Pods without an upper bound on their replicas: {delta.total.after.unbounded} sorts in the tree. A figure "
            f"with + is the least that it can be."
        )
    said.append(f"Without a price: {delta.without_price} in the tree, {len(delta.unpriced)} of them new or changed.")
    return [*said, *([f"Note: {delta.note}."] if delta.note else [])]


def flags(delta: Delta) -> list[str]:
    """What is above a threshold, or that nothing is."""
    limits = delta.thresholds
    words = f"{readable('cpu', limits.cpu)} CPU and {readable('memory', limits.memory)}"
    if not delta.flags:
        return [f"Requests grow by less than the thresholds of {words}."]
    follows = "This change is rejected for it." if delta.blocks else "Look at it before merging."
    return [*(f"{flag}." for flag in delta.flags), follows]


# --- text


def text(delta: Delta) -> str:
    """For a terminal or a log."""
    lines = [f"{_TITLE}: {delta.base} to {delta.head}"]
    shown = [tables.workloads(delta), *tables.teams(delta), tables.total(delta)]
    for one in (one for one in shown if one.rows):
        lines += ["", *_aligned(one)]
    lines += ["", *flags(delta), *summary(delta), *(f"  {one}" for one in delta.unpriced)]
    return "\n".join(lines) + "\n"


def _aligned(table: Table) -> list[str]:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


# --- Markdown


def markdown(delta: Delta) -> str:
    """For a pull request: totals first and whole; what does not fit is left out from the end, and counted."""
    head = [
        MARKER,
        f"<!-- head: {delta.head} -->",
        f"## {_TITLE}",
        "",
        f"`{_code(delta.base)}` to `{_code(delta.head)}`",
    ]
    warning = "⚠️ " if delta.flags else ""
    head += ["", *_piped(tables.total(delta)), "", *(f"> {warning}{_escaped(one)}" for one in flags(delta)), ""]
    head += [f"{_escaped(one)}  " for one in summary(delta)]
    blocks = [
        *((f"### By {one.title}", _header(one), _cells(one), "rows") for one in tables.teams(delta)),
        (f"### {(one := tables.workloads(delta)).title}", _header(one), _cells(one), "workloads"),
        ("### Without a price", [], [f"- {_escaped(str(one))}" for one in delta.unpriced], "entries"),
    ]
    parts = ["\n".join(head) + "\n"]
    for title, header, lines, called in blocks:
        if lines:
            # Counted are bytes, of which there are never fewer.
            room = LONGEST - sum(len(one.encode()) for one in parts)
            parts.append(_fitting(["", title, "", *header], lines, called, room))
    return "".join(parts)


def _fitting(header: Sequence[str], lines: Sequence[str], called: str, room: int) -> str:
    """As many lines as there is room for, and how many are left out; nothing where not even that fits."""
    kept, whole = list(header), len(lines)
    left = room - sum(len(one.encode()) + 1 for one in header) - len(_left_out(whole, called).encode()) - 2
    if left < 0:
        return ""
    for index, line in enumerate(lines):
        left -= len(line.encode()) + 1
        if left < 0:
            return "\n".join([*kept, "", _left_out(whole - index, called)]) + "\n"
        kept.append(line)
    return "\n".join(kept) + "\n"


def _left_out(count: int, called: str) -> str:
    return f"… and {count} more {called}, for which there is no room here. All of them: `neuroscale delta`"


def _piped(table: Table) -> list[str]:
    return [*_header(table), *_cells(table)]


def _header(table: Table) -> list[str]:
    return [f"| {' | '.join(table.columns)} |", f"|{'---|' * len(table.columns)}"]


def _cells(table: Table) -> list[str]:
    return [f"| {' | '.join(map(_escaped, row))} |" for row in table.rows]


def _escaped(words: str) -> str:
    """Words that a tree's author chose, without anything that Markdown or a forge would follow."""
    return " ".join(words.split()).translate(_ENTITIES)


def _code(words: str) -> str:
    return " ".join(words.split()).replace("`", "'")


# --- JSON


def document(delta: Delta) -> str:
    """For programs: every figure exact, in cores, bytes, pods and money, as text."""
    prices, total = delta.prices, delta.total
    found = {
        "base": delta.base,
        "head": delta.head,
        "prices": {"currency": prices.currency, "hourly": {k: _digits(v) for k, v in prices.hourly.items()}},
        "monthHours": _digits(MONTH),
        "total": _row(total, prices),
        "owners": _named(delta.owners, prices),
        "costCenters": _named(delta.cost_centers, prices),
        "workloads": [_workload(one, prices) for one in delta.changes],
        "withoutPrice": {
            "count": delta.without_price,
            "changed": [{"folder": one.place, "object": one.name, "reason": one.reason} for one in delta.unpriced],
        },
        "flags": list(delta.flags),
        "blocks": delta.blocks,
        "note": delta.note,
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _named(rows: Mapping[str, Row], prices: Prices) -> list[dict[str, Any]]:
    return [{"name": name, **_row(row, prices)} for name, row in rows.items()]


def _workload(one: Change, prices: Prices) -> dict[str, Any]:
    found = one.workload
    whose = {"owners": list(found.owners), "costCenters": list(found.cost_centers)}
    where = {"kind": found.kind, "namespace": found.namespace, "name": found.name, "folder": found.place}
    return {**where, "what": list(one.what), **whose, **_row(one, prices)}


def _row(row: Row, prices: Prices) -> dict[str, Any]:
    sides = {"before": row.before, "after": row.after, "difference": row.by}
    return {name: _demand(demand, prices) for name, demand in sides.items()}


def _demand(demand: Demand, prices: Prices) -> dict[str, Any]:
    least, most = cost(prices, demand)
    return {
        "least": {**_amounts(demand.least.items()), "monthly": _digits(least)},
        "most": {**_amounts(demand.most.items()), "monthly": _digits(most)},
        "unbounded": demand.unbounded,
    }


def _amounts(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    return {what: _digits(amount) for what, amount in sorted(amounts)}


def _digits(number: Decimal) -> str:
    return readable("", number)
