"""The write-ahead journal: how to undo a fault is on disk before the fault happens.

One JSON object a line. A last line that a crash cut short was never synced, so its deed never began: it is ignored.
Any other line that cannot be read may stand for something that is still broken: it stops everything, and stays.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from neuroscale.atomic_write import naming, write_atomically
from neuroscale.chaos.faults import Fault, Snapshot
from neuroscale.cluster.client import Cluster
from neuroscale.errors import NeuroscaleError, RevertFailed
from neuroscale.interruption import finishing
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually
from neuroscale.settings import BUDGETS, CLUSTER_NAME, state_dir

_LOG = logging.getLogger(__name__)

_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


class _Line(BaseModel):
    """What each line has. Whether this version can undo the fault is asked of those alone that are still open."""

    model_config = ConfigDict(extra="allow", strict=True)
    id: str = Field(min_length=1)


class _Opened(_Line):
    event: Literal["open"]
    nonce: str = Field(min_length=1)


class _Closed(_Line):
    event: Literal["closed"]


_LINE: TypeAdapter[_Opened | _Closed] = TypeAdapter(Annotated[_Opened | _Closed, Field(discriminator="event")])


@dataclass(frozen=True)
class Entry:
    """A fault that was begun."""

    id: str
    fault: Fault
    snapshot: Snapshot
    nonce: str
    at: str


@dataclass(frozen=True)
class _RollbackComplete:
    """The probe that asks a fault whether anything of it is left, and as long as there is, to go on clearing it."""

    platform: Platform
    entry: Entry
    area: str = "all"

    @property
    def description(self) -> str:
        return f'rollback of "{self.entry.fault.description}" is complete'

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - the fault has the whole platform
        fault, snapshot = self.entry.fault, self.entry.snapshot
        verdict = fault.rollback_complete(self.platform, snapshot)
        if not verdict:
            fault.continue_rollback(self.platform, snapshot)
        return verdict


@contextmanager
def _undoing(entry: Entry) -> Iterator[None]:
    """Whatever goes wrong with one fault is a :class:`RevertFailed`, since the others must still be undone."""
    try:
        yield
    except Exception as error:  # the caller goes on with the next fault, and then raises
        raise RevertFailed(
            f'Could not roll back "{entry.fault.description}": {type(error).__name__}: {error}. '
            "It stays in the journal. Next: neuroscale rollback"
        ) from error


def _undone(entries: Sequence[Entry], undo: Callable[[Entry], None]) -> dict[str, RevertFailed]:
    """Failures by the id of their entry; none keeps the others from being undone.

    What failed is tried again as long as others succeed, for they may be what it waits for: a webhook that refuses what
    has to be created again, a portal that works on no task.
    """
    while True:
        failures: dict[str, RevertFailed] = {}
        for entry in entries:
            try:
                with _undoing(entry):
                    undo(entry)
            except RevertFailed as failure:
                failures[entry.id] = failure
        if len(failures) in (0, len(entries)):
            return failures
        entries = [entry for entry in entries if entry.id in failures]


def _raise(failures: Mapping[str, RevertFailed]) -> None:
    if failures:
        first, *_ = failures.values()
        raise RevertFailed("\n".join(map(str, failures.values()))) from first


class Journal:
    """Undo operations of one cluster. ``nonce`` names the cluster they belong to."""

    def __init__(self, path: Path, nonce: str) -> None:
        self._path = path
        self._nonce = nonce

    @classmethod
    def of(cls, nonce: str, name: str = CLUSTER_NAME) -> Journal:
        """The journal of the cluster that this machine made."""
        return cls(state_dir(name) / "journal.jsonl", nonce)

    def open(self, fault: Fault, snapshot: Snapshot) -> Entry:
        """Write down how to undo a fault; when this returns, it is on disk."""
        entry = Entry(uuid.uuid4().hex, fault, snapshot, self._nonce, datetime.now(UTC).isoformat())
        self._append(
            {
                "event": "open",
                "id": entry.id,
                "at": entry.at,
                "nonce": entry.nonce,
                "fault": _FAULT.dump_python(fault, mode="json"),
                "receipt": snapshot,
            }
        )
        _LOG.info("opened: %s", fault.description)
        return entry

    def close(self, entry: Entry) -> None:
        """The fault is undone."""
        self._append({"event": "closed", "id": entry.id, "at": datetime.now(UTC).isoformat()})
        _LOG.info("closed: %s", entry.fault.description)

    def unfinished(self) -> list[Entry]:
        """Faults of this cluster that were begun and not undone, latest first.

        Entries of an earlier cluster of the same name are not among them: what they broke is gone with it.

        Raises:
            NeuroscaleError: One of them cannot be read; nothing was undone, and the journal is as it was.
        """
        opened: dict[str, dict[str, Any]] = {}
        for line in self._lines():
            if line["event"] == "open" and line["nonce"] == self._nonce:
                opened[line["id"]] = line
            else:
                opened.pop(line["id"], None)
        return [self._entry(line) for line in reversed(opened.values())]

    def forget(self) -> None:
        """Drop what it says, once nothing is open: it holds whole objects, and every start reads all of it.

        Raises:
            NeuroscaleError: An open fault cannot be read; see :meth:`unfinished`.
        """
        if self._path.exists() and not self.unfinished():
            write_atomically(self._path, "", private=True)

    def roll_back_all(self, platform: Platform, entries: Sequence[Entry]) -> None:
        """Undo in the given order, wait until nothing is left, and close.

        First everything is reverted, then waited for: what lingers may need what another revert brings back.

        Raises:
            RevertFailed: At least one failed and stays open; all failures are in the text.
        """
        with finishing():
            failures = _undone(entries, lambda entry: entry.fault.revert(platform, entry.snapshot))
            reverted = [entry for entry in entries if entry.id not in failures]
            _raise(failures | _undone(reverted, lambda entry: self._see_it_end(platform, entry)))

    def revert_all(self, platform: Platform, entries: Sequence[Entry]) -> None:
        """Revert in the given order, and no more: they stay open, and are reverted once more when they are undone.

        Raises:
            RevertFailed: At least one failed; all failures are in the text.
        """
        with finishing():
            _raise(_undone(entries, lambda entry: entry.fault.revert(platform, entry.snapshot)))

    def _see_it_end(self, platform: Platform, entry: Entry) -> None:
        within = BUDGETS.roll_back + entry.fault.extra_rollback_seconds
        eventually(_RollbackComplete(platform, entry), platform.cluster, within=within)
        self.close(entry)

    def _entry(self, line: dict[str, Any]) -> Entry:
        try:
            fault = _FAULT.validate_python(line["fault"])
            return Entry(line["id"], fault, line["receipt"], line["nonce"], line["at"])
        except (KeyError, ValidationError) as error:
            why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else f"it has no {error}"
            raise NeuroscaleError(
                f"The open fault {line['id']} of {line.get('at')} in {self._path} should be one that this version "
                f"can undo, but: {why}. Nothing was undone, and the journal is as it was. "
                "Next: neuroscale rollback of the version that broke it; "
                "or neuroscale down, if the suite made this cluster"
            ) from error

    def _append(self, line: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = (json.dumps(line) + "\n").encode()
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        # Where the disk gets full in the middle, a single call of the system would write a part and report no error.
        with naming(self._path), os.fdopen(descriptor, "ab") as file:
            content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
            tail = content[content.rfind(b"\n") + 1 :]
            if tail and _read(tail) is None:
                # The cut-off line of a killed run announces a deed that was never done; it must not swallow this line.
                os.ftruncate(descriptor, len(content) - len(tail))
            elif tail:
                data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(descriptor)

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        *whole, tail = self._path.read_bytes().split(b"\n")
        lines = [self._line(number, raw) for number, raw in enumerate(whole, start=1) if raw.strip()]
        # An editor may have taken the last line's end away.
        return [*lines, *filter(None, [_read(tail)])]

    def _line(self, number: int, raw: bytes) -> dict[str, Any]:
        line = _read(raw)
        if line is None:
            raise NeuroscaleError(
                f"Line {number} of {self._path} should open or close a fault, but cannot be read. What it "
                "says may still be broken. Nothing was undone, and the journal is as it was. "
                "Next: mend the line; or neuroscale down, if the suite made this cluster"
            )
        return line


def _read(raw: bytes) -> dict[str, Any] | None:
    """What a line says; ``None`` if it cannot be read."""
    try:
        return _LINE.validate_python(json.loads(raw)).model_dump()
    except (ValueError, RecursionError):
        return None
