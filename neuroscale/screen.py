"""What people read of a command: as wide as their terminal; elsewhere, as in a log, wide enough for whole tables."""

from __future__ import annotations

import io
import sys

from rich.console import Console, ConsoleDimensions, RenderableType
from rich.table import Table

#: Columns where there is no terminal: in 80 of them, most tables have to break their words.
WIDE, _LINES = 160, 50


class Screen(Console):
    """A console that takes a log for a log, whatever ``FORCE_COLOR`` and ``COLUMNS`` say: those are about terminals."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=True, highlight=False)
        # Colours in a log are what FORCE_COLOR asks for; a table that is drawn over and over is not.
        self.is_interactive = self.file.isatty()

    @property
    def size(self) -> ConsoleDimensions:
        """Columns and lines, of which only a terminal has a limit."""
        return super().size if self.file.isatty() else ConsoleDimensions(WIDE, _LINES)

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        self._width, self._height = new_size


def say(what: RenderableType = "", *, style: str | None = None, markup: bool = True) -> None:
    """Print to standard output as it is now.

    Args:
        what: A sentence, or a table.
        style: Of rich.
        markup: Whether square brackets in a sentence are rich's.
    """
    Screen().print(what, style=style, markup=markup)


def say_verbatim(line: str) -> None:
    """Print a line that repeats what others said, in whose words square brackets are no markup."""
    say(line, markup=False)


def write(text: str) -> None:
    """Put a text out as it is, for whoever reads it further: neither wrapped nor coloured."""
    sys.stdout.write(text)
    sys.stdout.flush()


def table(*columns: str, title: str = "") -> Table:
    """A table without a frame, in which every word can be read to its end."""
    made = Table(
        title=f"\n{title}" if title else None, title_justify="left", title_style="bold", box=None, header_style="dim"
    )
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def accept_any_encoding() -> None:
    """Let standard output and error show a question mark for a character that their encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
