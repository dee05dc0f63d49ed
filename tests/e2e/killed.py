"""A run that kills itself without a chance to tidy up: ``python killed.py FAULT POINT``.

FAULT is a fault as JSON on standard input. POINT says how many journal entries are on disk when the process dies:
``before-deed`` (opened, nothing done), ``after-deed`` (done, not undone), ``before-close`` (undone, not closed).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from pydantic import TypeAdapter

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault, Snapshot
from neuroscale.chaos.journal import Entry, Journal
from neuroscale.cluster.state import load_state
from neuroscale.platform import connect


def die() -> NoReturn:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process does not get here")


class Mortal(Journal):
    """A journal whose process dies at one point."""

    point = ""

    def open(self, fault: Fault, snapshot: Snapshot) -> Entry:
        entry = super().open(fault, snapshot)
        if self.point == "before-deed":
            die()
        return entry

    def close(self, entry: Entry) -> None:
        if self.point == "before-close":
            die()
        super().close(entry)


def main() -> None:
    state = load_state()
    assert state is not None
    Mortal.point = sys.argv[1]
    fault: Fault = TypeAdapter(Fault).validate_json(sys.stdin.read())
    with Breakage(connect(), Mortal.of(state.nonce)) as breakage:
        breakage.inject(fault)
        if Mortal.point == "after-deed":
            die()


if __name__ == "__main__":
    main()
