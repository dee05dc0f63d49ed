"""Faults under way: snapshot, journal, inject, prove; and undo, last in first out, whatever happened in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from neuroscale.chaos.faults import Fault, ObjectDeleted, Snapshot
from neuroscale.chaos.journal import Entry, Journal
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.watch import Watcher, WatchEvent
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect
from neuroscale.interruption import finishing
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met

#: A pod that needs the room of a model server on its way out waits for it to drain, which takes that half a minute.
_EFFECT_SECONDS = 60
#: Called with each fault right before it happens, whoever injects it. Filled by the runner.
listeners: list[Callable[[Fault], None]] = []


@dataclass(frozen=True)
class Effect:
    """A fault that was seen to have happened.

    Attributes:
        begun: Monotonic seconds of the injection.
        at: Monotonic seconds at which the proof was seen; recovery times count from here.
        clock: Wall clock of the injection.
        observed: The proof in words.
        watcher: Everything seen of the target since before the fault, or ``None`` for faults without one target.
    """

    fault: Fault
    snapshot: Snapshot
    begun: float
    at: float
    clock: datetime
    observed: str
    watcher: Watcher | None


@dataclass
class Breakage:
    """What is broken at the moment. Leaving the block undoes it."""

    platform: Platform
    journal: Journal
    effects: list[Effect] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)
    _watchers: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with finishing():
            self._watchers.close()
            self.roll_back()

    def inject(self, fault: Fault) -> Effect:
        """Break something and prove it.

        Raises:
            FaultHadNoEffect: The change could not be seen; what follows would prove nothing.
        """
        snapshot = fault.snapshot(self.platform)
        watcher = self.watch(fault.target) if fault.target else None
        with finishing():
            self._entries.append(self.journal.open(fault, snapshot))
        for listener in listeners:
            listener(fault)
        clock, start = datetime.now(UTC), time.monotonic()
        fault.inject(self.platform, snapshot)
        proof = _VerifyInjected(self.platform, fault, snapshot, watcher, start)
        try:
            eventually(proof, self.platform.cluster, within=_EFFECT_SECONDS, every=0.05)
        except ConditionTimeout as error:
            raise FaultHadNoEffect(
                f"The fault should be seen in the cluster, but {fault.description} had no effect within "
                f"{_EFFECT_SECONDS} s: {proof.last.observed}. Nothing that follows would prove anything. "
                "Next: neuroscale status"
            ) from error
        effect = Effect(fault, snapshot, start, proof.at, clock, proof.last.observed, watcher)
        self.effects.append(effect)
        return effect

    def watch(self, ref: Ref) -> Watcher:
        """Watch an object until everything is undone."""
        return self._watchers.enter_context(Watcher(self.platform.cluster, ref))

    def remedy(self) -> None:
        """Take the cause away, latest first, and leave to the platform what the platform has to put back itself.

        What lingers is waited for by :meth:`roll_back`: recovery times begin with the remedy, not with its last trace.

        Raises:
            RevertFailed: See :meth:`Journal.revert_all`.
        """
        causes = [entry for entry in reversed(self._entries) if not _put_back_by_platform(entry.fault)]
        self.journal.revert_all(self.platform, causes)

    def roll_back(self) -> None:
        """Undo everything, latest first; a second call does nothing.

        Raises:
            RevertFailed: See :meth:`Journal.roll_back_all`.
        """
        with finishing():
            entries, self._entries = self._entries[::-1], []
            self.journal.roll_back_all(self.platform, entries)


def _put_back_by_platform(fault: Fault) -> bool:
    return isinstance(fault, ObjectDeleted) and not fault.by_hand


@dataclass
class _VerifyInjected:
    """The probe that asks a fault for its proof, and remembers when the proof arrived."""

    platform: Platform
    fault: Fault
    snapshot: Snapshot
    watcher: Watcher | None
    start: float
    at: float = 0.0
    last: Verdict = field(default_factory=lambda: met("nothing was looked at yet"))
    area: str = "gitops"

    @property
    def description(self) -> str:
        return self.fault.description

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the fault has the whole platform
        seen: Sequence[WatchEvent] = self.watcher.watch_events if self.watcher else ()
        # The proof is as old as the first sighting that makes it, not as this look.
        after = [event for event in seen if event.at >= self.start] if self.watcher else []
        for count in range(1, len(after) + 1):
            self.last, self.at = (
                self.fault.verify_injected(self.platform, self.snapshot, after[:count]),
                after[count - 1].at,
            )
            if self.last:
                return self.last
        if not after:
            self.last, self.at = self.fault.verify_injected(self.platform, self.snapshot, ()), time.monotonic()
        return self.last


def after(effect: Effect) -> list[WatchEvent]:
    """What was seen of the target from the proof of the fault on."""
    return [event for event in effect.watcher.watch_events if event.at >= effect.at] if effect.watcher else []


def state_at(event: WatchEvent) -> Object | None:
    """The object as of a sighting; ``None`` when it was deleted."""
    return None if event.event == "DELETED" else event.obj
