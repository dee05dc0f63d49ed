"""The write-ahead journal: how to undo a fault is on disk before the fault happens.

One JSON object a line. A line that a crash cut short was never synced, so its deed never began: it is ignored.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from neuroscale.chaos.fault import Fault, Receipt
from neuroscale.errors import RevertFailed
from neuroscale.platform import Platform
from neuroscale.settings import CLUSTER_NAME, state_dir

_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


@dataclass(frozen=True)
class Entry:
    """A fault that was begun."""

    id: str
    fault: Fault
    receipt: Receipt
    nonce: str
    at: str


class Journal:
    """Undo operations of one cluster. ``nonce`` names the cluster they belong to."""

    def __init__(self, path: Path, nonce: str) -> None:
        self._path = path
        self._nonce = nonce

    @classmethod
    def of(cls, nonce: str, name: str = CLUSTER_NAME) -> Journal:
        """The journal of the cluster that this machine made."""
        return cls(state_dir(name) / "journal.jsonl", nonce)

    def open(self, fault: Fault, receipt: Receipt) -> Entry:
        """Write down how to undo a fault; when this returns, it is on disk."""
        entry = Entry(uuid.uuid4().hex, fault, receipt, self._nonce, datetime.now(UTC).isoformat())
        self._append(
            {
                "event": "open",
                "id": entry.id,
                "at": entry.at,
                "nonce": entry.nonce,
                "fault": _FAULT.dump_python(fault, mode="json"),
                "receipt": receipt,
            }
        )
        return entry

    def close(self, entry: Entry) -> None:
        """The fault is undone."""
        self._append({"event": "closed", "id": entry.id, "at": datetime.now(UTC).isoformat()})

    def unfinished(self) -> list[Entry]:
        """Faults of this cluster that were begun and not undone, latest first.

        Entries of an earlier cluster of the same name are not among them: what they broke is gone with it.
        """
        entries: dict[str, Entry] = {}
        for line in self._lines():
            if line["event"] == "open" and line["nonce"] == self._nonce:
                fault = _FAULT.validate_python(line["fault"])
                entries[line["id"]] = Entry(line["id"], fault, line["receipt"], line["nonce"], line["at"])
            else:
                entries.pop(line["id"], None)
        return list(reversed(entries.values()))

    def undo(self, platform: Platform, entry: Entry) -> None:
        """Revert one fault and close it.

        Raises:
            RevertFailed: It stays open.
        """
        try:
            entry.fault.revert(platform, entry.receipt)
            self.close(entry)
        except Exception as error:  # whatever it is, the other faults must still be undone
            raise RevertFailed(
                f"It should be undone that {entry.fault.says}, but: {type(error).__name__}: {error}. "
                f"It stays in {self._path}. Try: neuroscale heal"
            ) from error

    def undo_all(self, platform: Platform, entries: list[Entry]) -> None:
        """Undo in the given order; a failure does not keep the others from being undone.

        What failed is tried again as long as others succeed: one undo may be what another one waits for, as with a
        webhook that refuses what has to be created again.

        Raises:
            RevertFailed: At least one failed; all failures are in the text.
        """
        while entries:
            failed: dict[str, tuple[Entry, RevertFailed]] = {}
            for entry in entries:
                try:
                    self.undo(platform, entry)
                except RevertFailed as error:
                    failed[entry.id] = entry, error
            if len(failed) == len(entries):
                raise RevertFailed("\n".join(str(error) for _, error in failed.values()))
            entries = [entry for entry, _ in failed.values()]

    def _append(self, line: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = (json.dumps(line) + "\n").encode()
        # A cut-off last line of a killed run must not swallow this one.
        if self._path.exists() and not self._path.read_bytes().endswith(b"\n"):
            data = b"\n" + data
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _lines(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        lines = []
        for raw in self._path.read_bytes().split(b"\n"):
            try:
                line = json.loads(raw)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.append(line)
        return lines
