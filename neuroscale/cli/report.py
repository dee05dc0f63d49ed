"""``neuroscale report``."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from neuroscale.errors import UsageError
from neuroscale.report import summary, write
from neuroscale.results import RunFolder
from neuroscale.screen import say
from neuroscale.settings import reports_dir


def report(
    run: Annotated[
        str | None, typer.Argument(help="Name of the run; the latest if not given.", show_default=False)
    ] = None,
    *,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Write the report of a run as one HTML file and print its summary.

    Says nothing about the platform by its exit code: the run itself did that.
    """
    folder = chosen(run)
    try:
        written = write(folder)
        say(summary(folder, written.path, written.note))
    except ValidationError as error:
        raise UsageError(
            f"The run {folder.path.name} should be readable, but {error.title} is damaged: {error.errors()[0]['msg']}. "
            f"Nothing was changed in {folder.path}. Next: neuroscale report with another run"
        ) from error
    if open_:
        typer.launch(str(written.path))


def chosen(name: str | None) -> RunFolder:
    """The named run, or the latest.

    Raises:
        UsageError: There is no such run; the text names those there are.
    """
    runs = {folder.path.name: folder for folder in RunFolder.all()}
    if not runs:
        raise UsageError(f"A run should be in {reports_dir()}, but there is none. Next: make conformance")
    if name is None:
        return list(runs.values())[-1]
    if name not in runs:
        latest = ", ".join(list(runs)[-5:])
        raise UsageError(f"A run {name} should be in {reports_dir()}, but there is none. Try one of: {latest}")
    return runs[name]
