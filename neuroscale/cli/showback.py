"""``neuroscale showback``: what each team pays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from neuroscale.metering.prometheus import SCRAPE_SECONDS
from neuroscale.metering.showback import Showback
from neuroscale.metering.showback import showback as compute
from neuroscale.metering.window import RESOLUTION, Window, seconds
from neuroscale.platform import connect
from neuroscale.probes import expected
from neuroscale.screen import say, table, write


class Label(StrEnum):
    """By what costs are shown."""

    OWNER = "owner"
    COST_CENTER = "cost-center"


class Format(StrEnum):
    """For whom."""

    TEXT = "text"
    JSON = "json"


def showback(
    window: Annotated[str, typer.Option(help="How far back, such as 90s, 15m or 2h; Prometheus keeps 6h.")] = "15m",
    by: Annotated[Label, typer.Option(help="The label of pods that says who pays.")] = Label.OWNER,
    form: Annotated[Format, typer.Option("--format", help="For whom.")] = Format.TEXT,
) -> None:
    """Say what each team pays for what ran lately, from OpenCost, and what nobody pays for."""
    platform = connect()
    # What has not been scraped yet, and seen at a step of OpenCost's, is not known yet.
    until = datetime.now(UTC) - timedelta(seconds=SCRAPE_SECONDS + RESOLUTION)
    found = compute(platform.cluster, Window.ending(until, seconds(window)), by.value)
    currency = expected.prices(platform.git_server).currency
    if form is Format.JSON:
        write(json.dumps(as_json(found, currency), indent=2) + "\n")
    else:
        _show(found, currency)


def as_json(found: Showback, currency: str) -> dict[str, object]:
    """For programs: every figure as it is known."""
    return {
        "from": found.window.start.isoformat(),
        "to": found.window.end.isoformat(),
        "by": found.label,
        "currency": currency,
        "hourly": dict(found.prices),
        "payers": [
            {"name": one.name, "cpu_hours": one.cpu_hours, "memory_gib_hours": one.memory_hours, "cost": one.cost}
            for one in found.payers
        ],
        "unallocated": dict(found.unallocated),
        "total": found.total,
    }


def _show(found: Showback, currency: str) -> None:
    rows = table(found.label, "vCPU-hours", "GiB-hours", currency)
    for one in found.payers:
        rows.add_row(one.name, f"{one.cpu_hours:.5f}", f"{one.memory_hours:.5f}", f"{one.cost:.6f}")
    say(
        f"from {found.window}, at {found.prices['cpu']:g} {currency} a vCPU-hour, {found.prices['memory']:g} a GiB-hour"
    )
    say(rows)
    nobodys = ", ".join(f"{name} {cost:.6f}" for name, cost in sorted(found.unallocated.items()))
    say(f"unallocated, by namespace: {nobodys}" if nobodys else "nothing is unallocated")
