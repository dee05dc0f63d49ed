"""``neuroscale delta``: what a change of the manifests asks of the scheduler, and what that costs in a month."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscale.delta.written import Format, written
from neuroscale.errors import ExitCode
from neuroscale.gate.difference import difference
from neuroscale.gate.tools import provide
from neuroscale.screen import write
from neuroscale.settings import assert_checkout


def delta(
    base: Annotated[str, typer.Option(help="Branch, tag or commit that the change is for.", show_default=False)],
    head: Annotated[
        str | None, typer.Option(help="Its last commit; the working tree if not given.", show_default=False)
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="For whom.")] = Format.TEXT,
) -> None:
    """Say what a change asks for and costs, from where it left its base. Needs no cluster."""
    assert_checkout()
    found = difference(provide(), base, head)
    write(written(found, form))
    if found.blocks:
        raise typer.Exit(ExitCode.FAILED)
