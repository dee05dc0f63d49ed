"""The machine that everything runs on: its Docker engine, its build tools, its quirks."""

from __future__ import annotations

from neuroscale.host.engine import Engine
from neuroscale.host.preparation import HostReport, prepare

__all__ = ["Engine", "HostReport", "prepare"]
