"""``neuroscale gate``: what a change of the manifests must pass before it is merged."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from neuroscale.delta.written import text
from neuroscale.gate import findings
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.pipeline import pass_through
from neuroscale.gate.resources import COUNTED
from neuroscale.gate.tools import provide
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.quantities import readable
from neuroscale.polling import duration
from neuroscale.screen import say, say_verbatim
from neuroscale.settings import assert_checkout


def gate(
    base: Annotated[
        str | None,
        typer.Option(help="Branch, tag or commit that the change is for: say what it costs.", show_default=False),
    ] = None,
) -> None:
    """Judge all manifests of this checkout as a merge would deploy them. Needs no cluster."""
    assert_checkout()
    tools = provide()
    start = time.monotonic()
    result = pass_through(tools, base)
    _show(result)
    took = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in result.seconds.items())
    say(f"{duration(time.monotonic() - start)} in all: {took}")
    if code := findings.exit_code(result.findings):
        say(f"[red]rejected[/]: {len(result.findings)} findings. Next: mend the first, then neuroscale gate")
        raise typer.Exit(code)
    say("[green]passed[/]")


def _show(result: GateResult) -> None:
    say(f"{result.rendered} objects rendered from {len(result.places)} folders, {result.validated} fit their schemas")
    for name in POLICIES:
        say(f"  {name}: {result.evaluated.get(name, 0)} objects evaluated")
    _show_resources(result)
    for finding in result.findings:
        say(str(finding), style="red", markup=False)


def _show_resources(result: GateResult) -> None:
    asked = ", ".join(f"{what} {readable(what, result.demand[what])}" for what in COUNTED)
    say(f"all replicas together ask for {asked}")
    if result.delta is not None:
        say_verbatim(f"\n{text(result.delta)}")
