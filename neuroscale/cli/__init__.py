"""``neuroscale``: bring the platform up, look at it, break it, roll it back, report. ``--help`` is the manual."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable

import typer
from rich.console import Console

from neuroscale.cli.comment import comment
from neuroscale.cli.delta import delta
from neuroscale.cli.gate import gate
from neuroscale.cli.platform import adopt, check, down, endpoints, rollback, status, up
from neuroscale.cli.report import report
from neuroscale.cli.runs import bench, incident, kill_matrix
from neuroscale.cli.showback import showback
from neuroscale.cli.supply import supply
from neuroscale.cli.trend import trend
from neuroscale.errors import ExitCode, ending_of
from neuroscale.interruption import listen
from neuroscale.screen import accept_any_encoding


def _renamed(old: str, command: Callable[[], None]) -> Callable[[], None]:
    """A command under its old name: it says the new one, then does its work."""

    def renamed() -> None:
        Console(stderr=True, soft_wrap=True).print(f"`neuroscale {old}` is now `neuroscale {command.__name__}`")
        command()

    renamed.__doc__ = command.__doc__
    return renamed


app = typer.Typer(
    name="neuroscale",
    help="Chaos and conformance suite for the NeuroScale GitOps inference platform.",
    epilog="Exit codes: 0 passed, 1 failed, 2 usage, 3 not run (environment), 4 forbidden (guard), "
    "5 nothing collected, 6 an error inside the suite or pytest, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
for command in (
    up, down, status, check, rollback, endpoints, adopt, gate, delta, comment, showback, report, trend, bench,
    kill_matrix,
):  # fmt: skip
    app.command()(command)
for old, command in (("heal", rollback), ("ports", endpoints)):
    app.command(old, hidden=True)(_renamed(old, command))
app.add_typer(incident, name="incident")
app.add_typer(supply, name="supply")


def main(command: Callable[[], object] = app) -> None:
    """Entry point: an expected error is a sentence and an exit code, not a traceback."""
    accept_any_encoding()
    listen()
    try:
        command()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each has its own code; Python's is the platform's
        code, sentence = ending_of(error)
        if sentence:
            Console(stderr=True, soft_wrap=True).print(sentence, style="red", markup=False)
        elif code != ExitCode.INTERRUPTED:
            traceback.print_exception(error)
        sys.exit(code)
