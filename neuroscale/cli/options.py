"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Milestones = Annotated[
    str, typer.Option("--milestones", "-m", help="Letters of the milestones wanted, for example 'a' or 'a b'.")
]
