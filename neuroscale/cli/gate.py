"""``neuroscale gate``: what a change of the manifests must pass before it is merged."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neuroscale.gate import findings
from neuroscale.gate.passage import Passage, pass_through
from neuroscale.gate.resources import COUNTED, readable
from neuroscale.gate.tools import provide
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.waiting import duration

console = Console(soft_wrap=True, highlight=False)


def gate(
    base: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit whose demand of resources to compare with.", show_default=False),
    ] = None,
) -> None:
    """Judge all manifests of this checkout as a merge would deploy them. Needs no cluster."""
    tools = provide()
    start = time.monotonic()
    passage = pass_through(tools, base)
    _show(passage)
    took = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in passage.seconds.items())
    console.print(f"{duration(time.monotonic() - start)} in all: {took}")
    if code := findings.exit_code(passage.findings):
        console.print(f"[red]refused[/]: {len(passage.findings)} findings. Try: mend the first, then neuroscale gate")
        raise typer.Exit(code)
    console.print("[green]passed[/]")


def _show(passage: Passage) -> None:
    console.print(
        f"{passage.rendered} objects rendered from {len(passage.places)} folders, {passage.validated} fit their schemas"
    )
    for name in POLICIES:
        console.print(f"  {name}: {passage.evaluated.get(name, 0)} objects evaluated")
    _show_resources(passage)
    for finding in passage.findings:
        console.print(str(finding), style="red", markup=False)


def _show_resources(passage: Passage) -> None:
    asked = ", ".join(f"{what} {readable(what, passage.demand[what])}" for what in COUNTED)
    console.print(f"all replicas together ask for {asked}")
    if passage.changes is None:
        return
    if not passage.changes:
        console.print("no object asks for more or less than in the base")
    else:
        table = Table("object", *COUNTED)
        for change in passage.changes:
            row = (f"{'+' if change.by(what) > 0 else ''}{readable(what, change.by(what))}" for what in COUNTED)
            table.add_row(change.name, *row)
        console.print(table)
    if passage.note:
        console.print(f"note: {passage.note}")
