"""What every fault is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from neuroscale.chaos.objects import delete_if_present, end_pods, evaluate_gone
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

    @property
    def extra_rollback_seconds(self) -> float:
        """What its rollback may take beyond the usual."""
        return 0


class ObjectFault(FaultModel):
    """A fault of one object that exists."""

    target: Ref

    def snapshot(self, platform: Platform) -> Snapshot:
        """Keep the whole object."""
        return {"before": platform.cluster.get(self.target)}


class BringsObject(FaultModel):
    """A fault that brings an object, which its rollback takes away unless it was there before."""

    if TYPE_CHECKING:  # a field in one subclass, in others read off a manifest

        @property
        def target(self) -> Ref:
            """The object."""

    def revert(self, platform: Platform, snapshot: Snapshot) -> None:
        """Delete it."""
        if snapshot["before"] is None:
            if self.target.kind == "Namespace":
                end_pods(platform.cluster, self.target.name)
            delete_if_present(platform.cluster, self.target)

    def rollback_complete(self, platform: Platform, snapshot: Snapshot) -> Verdict:
        """It is gone: a namespace empties itself first, and a finalizer may hold anything."""
        if snapshot["before"] is not None:
            return met("it was there before")
        return evaluate_gone(platform.cluster, self.target)
