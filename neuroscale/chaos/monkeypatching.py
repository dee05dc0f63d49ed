"""Attributes of modules in this process, exchanged and put back: how a check that runs in here is broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Literal

from pydantic import Field

from neuroscale.chaos.fault_base import FaultModel, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, unrecoverable

#: Wire -> what belongs there. Another process has wires of its own, and nothing to put back.
_ORIGINALS: dict[str, Any] = {}


class FunctionPatched(FaultModel):
    """A function of a check that runs from this process: the CI gate, its delta, the portal without a cluster, ….

    It ends with the process, so that nothing is left for a later one to undo.

    Attributes:
        wire: ``module:attribute``. Of those alone: what stands in a journal must not reach anything else.
        replacement: Likewise, of a package's ``mutants`` alone.
    """

    kind: Literal["rewired"] = "rewired"
    wire: str = Field(
        pattern=r"^neuroscale\.(gate|delta|local_portal|deaths|bootstrap_scenarios|comment_scenarios|cost_scenarios"
        r"|growth_law|sticky_comments|guardrails\.running)"
        r"(\.[a-z_]+)*:[A-Za-z_]+$"
    )
    replacement: str = Field(pattern=r"^[a-z_]+\.mutants\.[a-z_]+:[a-z_]+$")

    @property
    def target(self) -> None:
        """No object of the cluster."""
        return

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.replacement} takes the place of {self.wire}"

    def snapshot(self, platform: Platform) -> Snapshot:  # noqa: ARG002
        """Nothing that would be of use to another process."""
        return {}

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Exchange it."""
        exchange(self.wire, self.replacement)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """Who looks there now finds the replacement."""
        there = at(self.wire) is at(self.replacement)
        return met("the replacement is there") if there else unrecoverable("the original is there")

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Put the original back."""
        restore(self.wire)


def at(wire: str) -> Any:
    """What is there now.

    Args:
        wire: ``module:attribute``.
    """
    module, _, attribute = wire.partition(":")
    return getattr(import_module(module), attribute)


def exchange(wire: str, replacement: str) -> None:
    """Put what is at another place there."""
    # Looked up first: the replacement may take what it replaces along, and must not find itself.
    new, old = at(replacement), at(wire)
    _ORIGINALS.setdefault(wire, old)
    _put(wire, new)


def restore(wire: str) -> None:
    """Put the original back; nothing happens where nothing was exchanged."""
    if wire in _ORIGINALS:
        _put(wire, _ORIGINALS.pop(wire))


def _put(wire: str, value: Any) -> None:
    module, _, attribute = wire.partition(":")
    setattr(import_module(module), attribute, value)
