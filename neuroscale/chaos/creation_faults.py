"""Objects that appear where none belong: created by hand, or by a program with a client of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from neuroscale.chaos.fault_base import BringsObject, Snapshot
from neuroscale.cluster.watch import WatchEvent
from neuroscale.errors import ProgramFailed, Unrecoverable
from neuroscale.host import direct
from neuroscale.host.programs import output
from neuroscale.kubernetes.objects import is_ready
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable

#: How long a namespace takes to empty itself, in seconds for each model in it. *Measured*: 119 s for 60 models.
_EMPTYING_SECONDS = 4.0
#: When a namespace is looked at again in which a model's pod was leaving; Knative may bring one while it goes.
_LOOKED_AT_AGAIN_SECONDS = 150.0
#: How long a program of somebody else may take to create an object, in seconds; Python ones import for some of them.
_PROGRAM_SECONDS = 60.0


class _Appears(BringsObject):
    """An object appears that does not belong there; subclasses say who creates it."""

    manifest: Object

    @property
    def target(self) -> Ref:
        """The object."""
        return Ref.to(self.manifest)

    def snapshot(self, platform: Platform) -> Snapshot:
        """Whether the name is free."""
        return {"before": platform.cluster.get(self.target)}

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:  # noqa: ARG002
        """It was seen to appear."""
        if snapshot["before"] is not None:
            return unrecoverable(f"{self.target} existed before")
        return met(f"it appeared with UID {seen[0].uid}") if seen else pending("it has not appeared")


class ObjectCreated(_Appears):
    """An object is created by hand.

    Attributes:
        ready: A pod that does nothing until it is Ready: only then has anything happened.
        models: Of a namespace, how many are made in it: they go with it.
    """

    kind: Literal["object-created"] = "object-created"
    ready: bool = False
    models: int = 0

    @property
    def extra_rollback_seconds(self) -> float:
        """What its models take to go."""
        return _LOOKED_AT_AGAIN_SECONDS + self.models * _EMPTYING_SECONDS if self.models else 0

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} is created by hand"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Create it."""
        platform.cluster.create(self.manifest)

    def verify_injected(self, platform: Platform, snapshot: Snapshot, seen: Sequence[WatchEvent]) -> Verdict:
        """It was seen to appear, and to be Ready where that counts."""
        there = super().verify_injected(platform, snapshot, seen)
        if not there or not self.ready or any(is_ready(event.obj) for event in seen):
            return there
        return pending("it is not Ready")


class CreatedByProgram(_Appears):
    """An object appears because a program with a client of its own creates it.

    The program reads ``{"kubeconfig": …, "manifest": …}`` from standard input.

    Attributes:
        program: Command and arguments.
        python_path: Where its Python finds packages.
        by: Whose program it is, in words.
    """

    kind: Literal["created-by-program"] = "created-by-program"
    program: tuple[str, ...]
    python_path: str
    by: str

    @property
    def description(self) -> str:
        """The deed."""
        return f"{self.target} is created by {self.by}"

    def inject(self, platform: Platform, snapshot: Snapshot) -> None:  # noqa: ARG002
        """Run the program. It writes past the guard, so the guard is asked before.

        Raises:
            Unrecoverable: The program failed.
        """
        platform.cluster.assert_writable(self.description)
        asked = json.dumps({"kubeconfig": platform.cluster.kubeconfig(), "manifest": self.manifest})
        try:
            output(
                self.program,
                within=_PROGRAM_SECONDS,
                env={**direct.cluster_environment(), "PYTHONPATH": self.python_path},
                stdin=asked,
            )
        except ProgramFailed as error:
            raise Unrecoverable(
                f"{self.target} should be created by {self.by}, but: {error.last_line}. Next: neuroscale check"
            ) from error
