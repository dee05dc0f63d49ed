"""The official KServe client in an environment of its own (``requirements.txt``), run as ``program.py``."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscale.errors import ProgramFailed
from neuroscale.host import direct
from neuroscale.host.programs import output
from neuroscale.supply.installed import installed, pip_install

PROGRAM = Path(__file__).with_name("program.py")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
#: Seconds that the program may take beside what it waits for: it imports for some of them.
_START_SECONDS = 60.0


@dataclass(frozen=True)
class SdkAnswer:
    """What the client made of its task.

    Attributes:
        content: What the program printed; empty when it failed.
        error: The last line of what it said when it failed.
        seconds: How long the program ran, its start included.
    """

    content: dict[str, Any]
    error: str
    seconds: float


def provide() -> Path:
    """The folder with the client's packages, installed once for each content of ``requirements.txt`` and Python.

    Raises:
        SupplyError: They cannot be had.
    """
    decides = REQUIREMENTS.read_bytes() + sys.version.encode()
    version = hashlib.sha256(decides).hexdigest()[:16]
    return installed(
        "kserve-client", version, lambda _, __, into: pip_install(["--requirement", str(REQUIREMENTS)], into)
    )


def command(verb: str) -> tuple[str, ...]:
    """The program, for a Python that sees its own packages only where ``PYTHONPATH`` leads."""
    return sys.executable, "-S", str(PROGRAM), verb


def run_client(verb: str, asked: dict[str, Any], *, waiting: float = 0.0) -> SdkAnswer:
    """Let the client do one thing; what it failed with is its answer.

    Args:
        verb: A function of ``program.py``.
        asked: What that function reads.
        waiting: Seconds that it may take beside its start.
    """
    start = time.monotonic()
    try:
        said = output(
            command(verb),
            within=waiting + _START_SECONDS,
            env={**direct.cluster_environment(), "PYTHONPATH": str(provide())},
            stdin=json.dumps(asked),
        )
    except ProgramFailed as error:
        return SdkAnswer({}, error.last_line, time.monotonic() - start)
    return SdkAnswer(json.loads(said), "", time.monotonic() - start)
