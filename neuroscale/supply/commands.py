"""Running the programs that build: one log per part, and an error that says what went wrong and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.host.programs import die_with_parent, log_output

_DISK_FULL = re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"dial tcp|i/o timeout|no such host|connection (refused|reset|timed out)|network is unreachable"
    r"|tls handshake timeout|temporary failure (in name resolution|resolving)|could not (resolve|connect)"
    r"|failed to fetch|read timed out|max retries exceeded|no matching distribution found",
    re.IGNORECASE,
)
_SHOWN_LINES = 12
#: Far beyond what any part takes; a download that hangs must not hang for ever.
_WITHIN = 3600


def run_logged(
    command: Sequence[str], log: Path, *, env: Mapping[str, str], cwd: Path | None = None, out: Path | None = None
) -> None:
    """Run a build command and append what it says to the log.

    Args:
        command: Program and arguments.
        log: File to append to.
        env: The whole environment.
        cwd: Where to run.
        out: File for its standard output, where that is a result and not talk.

    Raises:
        SupplyError: It failed; the text tells a full disk and a lost network from an error of the build itself.
    """
    try:
        # A killed run must not leave a compiler behind that the next run would compete with.
        log_output([*die_with_parent(), *command], log, within=_WITHIN, env=env, folder=cwd, out=out)
    except ProgramFailed as error:
        raise SupplyError(_explain(command, error, log)) from error


def _explain(command: Sequence[str], error: ProgramFailed, log: Path) -> str:
    """The error text for a build command that failed."""
    tail = "\n".join(f"    {line}" for line in error.said.splitlines()[-_SHOWN_LINES:])
    if _DISK_FULL.search(error.said):
        cause, move = "the disk is full", "Free some space and run the same command again; finished parts are kept."
    elif _NO_NETWORK.search(error.said):
        cause, move = "the network did not answer", "Run the same command again once it does; finished parts are kept."
    else:
        cause, move = error.how, "Read the log; then run the same command again, finished parts are kept."
    return f"{Path(command[0]).name} should have built {log.stem}, but {cause}.\n{tail}\nLog: {log}   {move}"
