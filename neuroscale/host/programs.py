"""Running a program to its end for what it prints; each caller says in its own words what a failure means."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from neuroscale.errors import NeuroscaleError

Ended = subprocess.CompletedProcess[str]


def output(  # noqa: PLR0913 - a program, its surroundings and two kinds of failure
    command: Sequence[str],
    *,
    within: float,
    late: Callable[[subprocess.TimeoutExpired], NeuroscaleError],
    failed: Callable[[Ended], NeuroscaleError],
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str = "",
) -> str:
    """What a program prints.

    Args:
        command: Program and arguments.
        within: Seconds it may take; it is killed after that.
        late: The error for a program that took longer.
        failed: The error for one that ended with another exit code than 0.
        env: The whole environment; this process's own if not given.
        folder: Where to run it.
        stdin: What it reads.

    Raises:
        NeuroscaleError: What ``late`` or ``failed`` says.
        OSError: There is no such program, or it cannot be started.
    """
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
            env=env,
            cwd=folder,
        )
    except subprocess.TimeoutExpired as error:
        raise late(error) from error
    if done.returncode:
        raise failed(done)
    return done.stdout
