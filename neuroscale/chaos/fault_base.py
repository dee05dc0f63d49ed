"""What every fault is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met

#: What a snapshot found: JSON that only the fault that made it understands.
Snapshot = dict[str, Any]


class FaultModel(BaseModel):
    """One change that breaks something.

    Subclasses answer five questions: what is there (``snapshot``), do it (``inject``), can the change be seen
    (``verify_injected``), bring back what the snapshot saw (``revert``), and in words, what is it (``description``).
    Those whose revert is only the beginning of the rollback also say when it is over (``rollback_complete``).
    """

    model_config = ConfigDict(frozen=True)

    def continue_rollback(self, platform: Platform, snapshot: Snapshot) -> None:
        """Begin or end what keeps the rollback from being complete; asked for again until it is."""

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:  # noqa: ARG002
        """Whether anything of it is left after the revert."""
        return met("the revert was all")


class ObjectFault(FaultModel):
    """A fault of one object that exists."""

    target: Ref

    def snapshot(self, platform: Platform) -> Snapshot:
        """Keep the whole object."""
        return {"before": platform.cluster.get(self.target)}
