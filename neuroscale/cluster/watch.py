"""Watching one object in the background, so that times come from what the API server sent, not from a polling grid."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ClusterUnreachable
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import duration, pause

_RECONNECT_SECONDS = 0.1
_KNOWN_WITHIN = 10.0


@dataclass(frozen=True)
class WatchEvent:
    """One event of one object.

    Attributes:
        event: ``ADDED``, ``MODIFIED`` or ``DELETED``.
        at: Monotonic seconds at which this process read the event.
        clock: Wall clock of the same moment.
    """

    event: str
    obj: Object
    at: float
    clock: datetime

    @property
    def uid(self) -> str:
        """UID of the object."""
        return str(self.obj["metadata"]["uid"])


class Watcher:
    """Collects the sightings of one object from ``with`` to the end of the block.

    Entering returns once the present state is known, so no change after that is missed.

    Args:
        cluster: Where to watch.
        ref: What to watch; it need not exist yet.
        known_within: Seconds in which the present state must be known.
    """

    def __init__(self, cluster: Cluster, ref: Ref, known_within: float = _KNOWN_WITHIN) -> None:
        self.ref = ref
        self._known_within = known_within
        self._trouble = "no answer"
        self._cluster = cluster
        self._sightings: list[WatchEvent] = []
        self._alive: dict[str, Object] = {}
        self._listing: set[str] = set()
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {ref}", daemon=True)

    def __enter__(self) -> Self:
        """Begin.

        Raises:
            ClusterUnreachable: The present state could not be learned; a change would be missed without a word.
        """
        self._thread.start()
        if not self._ready.wait(timeout=self._known_within):
            self._over.set()
            raise ClusterUnreachable(
                f"The API server should list {self.ref} within {duration(self._known_within)} so that it can be "
                f"watched, but did not: {self._trouble}. Next: neuroscale status"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The thread ends with the server's own timeout; nothing waits for it.
        self._over.set()

    @property
    def watch_events(self) -> Sequence[WatchEvent]:
        """Everything seen so far, oldest first."""
        with self._changed:
            return tuple(self._sightings)

    def first(self, matches: Callable[[WatchEvent], bool], *, within: float) -> WatchEvent | None:
        """The first sighting that matches, waiting up to ``within`` seconds for it."""
        deadline = time.monotonic() + within
        with self._changed:
            looked = 0
            while True:
                for event in self._sightings[looked:]:
                    if matches(event):
                        return event
                looked = len(self._sightings)
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(timeout=left):
                    return next((s for s in self._sightings[looked:] if matches(s)), None)

    def _run(self) -> None:
        while not self._over.is_set():
            self._listing.clear()
            try:
                for event, obj in self._cluster.watch(self.ref, seconds=30, listed=self._listed):
                    if self._over.is_set():
                        return
                    self._see(event, obj)
            except (ClusterUnreachable, ApiError) as error:
                self._trouble = str(error)
            pause(_RECONNECT_SECONDS)

    def _see(self, event: str, obj: Object) -> None:
        uid, known = obj["metadata"]["uid"], self._alive.get(obj["metadata"]["uid"])
        self._listing.add(uid)
        if event == "DELETED":
            self._alive.pop(uid, None)
        elif known and known["metadata"]["resourceVersion"] == obj["metadata"]["resourceVersion"]:
            return  # after a reconnect the list repeats what is already known
        else:
            self._alive[uid] = obj
        self._note(event, obj)

    def _listed(self) -> None:
        # What a list has no longer was deleted while nobody watched.
        for uid in self._alive.keys() - self._listing:
            self._note("DELETED", self._alive.pop(uid))
        self._ready.set()

    def _note(self, event: str, obj: Object) -> None:
        with self._changed:
            self._sightings.append(WatchEvent(event, obj, time.monotonic(), datetime.now(UTC)))
            self._changed.notify_all()
