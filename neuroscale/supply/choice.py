"""Which supply to use."""

from __future__ import annotations

from typing import Literal

from neuroscale.supply.contract import Supply
from neuroscale.supply.source import SourceSupply
from neuroscale.supply.workshop import Workshop

Mode = Literal["auto", "registry", "source"]


def choose(mode: Mode = "auto", *, may_install: bool = False) -> Supply:
    """The supply for a mode."""
    return SourceSupply(f"supply source: {mode}", Workshop(may_install=may_install))
