"""``neuroscale trend``."""

from __future__ import annotations

from typing import Annotated

import typer

from neuroscale.cli.report import chosen
from neuroscale.errors import ExitCode, PreconditionFailed, UsageError
from neuroscale.polling import duration
from neuroscale.report.slowdown import RUNS, compare
from neuroscale.report.trend import history
from neuroscale.screen import say, table

#: Runs of whatever kind; a series is measured by few of them.
_LOOKED_AT = 500


def trend(
    run: Annotated[
        str | None, typer.Argument(help="Name of the run; the latest if not given.", show_default=False)
    ] = None,
) -> None:
    """Compare a run's recoveries with those of earlier runs on the same kind of machine.

    Exit code 1: a series is slower by half, and by 2 s, than the median of earlier runs.
    """
    folder = chosen(run)
    known = history(folder, most=_LOOKED_AT)
    if folder.path.name in known.unreadable:
        raise UsageError(f"The run {folder.path.name} should be readable, but is damaged. Next: neuroscale trend RUN")
    *earlier, this = known.runs
    found = compare(this, earlier)
    if not found:
        raise PreconditionFailed(
            f"At least {RUNS} earlier runs on such a machine should have measured what {folder.path.name} has, but "
            "fewer have. Next: make conformance"
        )
    lines = table("SLO", "series", "earlier runs", "before", "now", "verdict")
    for one in found:
        before = "never recovered" if one.before == float("inf") else duration(one.before)
        verdict = "[red]slower[/]" if one.slower else "[green]as before[/]"
        lines.add_row(one.slug, one.series, str(one.runs), before, one.now.text, verdict)
    say(lines)
    slower = sum(one.slower for one in found)
    say(f"{slower} of {len(found)} series are slower than before" if slower else f"{len(found)} series are as before")
    if slower:
        raise typer.Exit(ExitCode.FAILED)
