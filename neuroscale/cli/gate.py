"""``neuroscale gate``: what a change of the manifests must pass before it is merged."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from neuroscale.gate import findings
from neuroscale.gate.pipeline import GateResult, pass_through
from neuroscale.gate.resources import COUNTED, readable
from neuroscale.gate.tools import provide
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.polling import duration
from neuroscale.settings import assert_checkout

console = Console(soft_wrap=True, highlight=False)


def gate(
    base: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit whose demand of resources to compare with.", show_default=False),
    ] = None,
) -> None:
    """Judge all manifests of this checkout as a merge would deploy them. Needs no cluster."""
    assert_checkout()
    tools = provide()
    start = time.monotonic()
    result = pass_through(tools, base)
    _show(result)
    took = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in result.seconds.items())
    console.print(f"{duration(time.monotonic() - start)} in all: {took}")
    if code := findings.exit_code(result.findings):
        console.print(f"[red]refused[/]: {len(result.findings)} findings. Next: mend the first, then neuroscale gate")
        raise typer.Exit(code)
    console.print("[green]passed[/]")


def _show(result: GateResult) -> None:
    console.print(
        f"{result.rendered} objects rendered from {len(result.places)} folders, {result.validated} fit their schemas"
    )
    for name in POLICIES:
        console.print(f"  {name}: {result.evaluated.get(name, 0)} objects evaluated")
    _show_resources(result)
    for finding in result.findings:
        console.print(str(finding), style="red", markup=False)


def _show_resources(result: GateResult) -> None:
    asked = ", ".join(f"{what} {readable(what, result.demand[what])}" for what in COUNTED)
    console.print(f"all replicas together ask for {asked}")
    if result.changes is None:
        return
    if not result.changes:
        console.print("no object asks for more or less than in the base")
    else:
        table = Table("object", *COUNTED)
        for change in result.changes:
            row = (f"{'+' if change.by(what) > 0 else ''}{readable(what, change.by(what))}" for what in COUNTED)
            table.add_row(change.name, *row)
        console.print(table)
    if result.note:
        console.print(f"note: {result.note}")
