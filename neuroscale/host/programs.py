"""The one place where other programs are started: to their end, or to stay.

What goes wrong has one shape, :class:`ProgramFailed`; its callers say what it means to them.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscale.errors import ProgramFailed, ProgramLate

Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Account:
    """Who a program runs as, by number."""

    user: int
    group: int


def run(  # noqa: PLR0913 - a program and its surroundings
    command: Sequence[str],
    *,
    within: float,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str = "",
    account: Account | None = None,
) -> Ended:
    """Run a program to its end, whatever its exit code.

    Args:
        command: Program and arguments.
        within: Seconds it may take; it is killed after that.
        env: The whole environment; this process's own if not given.
        folder: Where to run it.
        stdin: What it reads.
        account: Who it runs as; who this process runs as if not given.

    Raises:
        ProgramFailed: It cannot be started, or (:class:`ProgramLate`) takes longer.
    """
    try:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=within,
            env=env,
            cwd=folder,
            **_identity(account),
        )
    except subprocess.TimeoutExpired as error:
        raise _late(command, within) from error
    except OSError as error:
        raise _not_started(command, error) from error


def output(  # noqa: PLR0913 - a program and its surroundings
    command: Sequence[str],
    *,
    within: float,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: str = "",
    account: Account | None = None,
) -> str:
    """What a program prints; arguments as for :func:`run`.

    Raises:
        ProgramFailed: It cannot be started, takes longer (:class:`ProgramLate`), or ends with another exit code than 0.
    """
    ended = run(command, within=within, env=env, folder=folder, stdin=stdin, account=account)
    if ended.returncode:
        raise _exited(command, ended.returncode, ended.stderr.strip() or ended.stdout.strip())
    return ended.stdout


def log_output(  # noqa: PLR0913 - a program, its surroundings and where its words go
    command: Sequence[str],
    log: Path,
    *,
    within: float,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    out: Path | None = None,
) -> None:
    """Run a program to its end and append the command line and what it says to a log.

    Args:
        command: Program and arguments.
        log: File to append to; its folder is made.
        within: Seconds it may take; it is killed after that.
        env: The whole environment; this process's own if not given.
        folder: Where to run it.
        out: File for its standard output, where that is a result and not talk.

    Raises:
        ProgramFailed: It cannot be started, takes longer (:class:`ProgramLate`), or ends with another exit code than 0.
            What it said is what it wrote to the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as talk, out.open("wb") if out else nullcontext(talk) as result:
        talk.write(f"$ {' '.join(command)}\n".encode())
        talk.flush()
        start = talk.tell()
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=result,
                stderr=talk,
                check=False,
                timeout=within,
                env=env,
                cwd=folder,
            )
        except subprocess.TimeoutExpired as error:
            raise _late(command, within, _since(log, start)) from error
        except OSError as error:
            raise _not_started(command, error) from error
    if ended.returncode:
        raise _exited(command, ended.returncode, _since(log, start))


def in_foreground(command: Sequence[str], *, folder: Path, env: Mapping[str, str]) -> int:
    """Run a program in this one's terminal for as long as it takes.

    Args:
        command: Program and arguments.
        folder: Where to run it.
        env: The whole environment.

    Returns:
        Its exit code.

    Raises:
        KeyboardInterrupt: By a signal (:func:`neuroscale.interruption.listen`), when the program has ended.
    """
    with subprocess.Popen(command, env=env, cwd=folder) as program:
        try:
            return program.wait()
        except KeyboardInterrupt:
            # It undoes what it broke, which takes a while, and hears no second signal; killed, it would undo nothing.
            program.terminate()
            program.wait()
            raise


def leave_running(command: Sequence[str], log: Path) -> None:
    """Start a program that outlives this process and its terminal.

    Args:
        command: Program and arguments.
        log: File to append what it says to; its folder is made.

    Raises:
        ProgramFailed: It cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        try:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        except OSError as error:
            raise _not_started(command, error) from error


@contextmanager
def running(  # noqa: PLR0913 - a program, its surroundings, and how it ends
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str],
    folder: Path,
    account: Account | None = None,
    ends_by: signal.Signals = signal.SIGTERM,
    ends_within: float = 10,
) -> Iterator[Callable[[], int | None]]:
    """A program that runs as long as the block does, and in no case longer than this process.

    Args:
        command: Program and arguments.
        log: File to append what it says to.
        env: The whole environment.
        folder: Where to run it.
        account: Who it runs as; who this process runs as if not given.
        ends_by: What asks it to end.
        ends_within: Seconds it may take for that; it is killed after them.

    Yields:
        What says its exit code, or ``None`` as long as it runs.

    Raises:
        ProgramFailed: It cannot be started.
    """
    with log.open("ab") as out:
        try:
            # In a session of its own: Ctrl-C in the terminal is this process's to hear, which ends the program.
            program = subprocess.Popen(
                [*die_with_parent(), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=folder, start_new_session=True,
                **_identity(account),
            )  # fmt: skip
        except OSError as error:
            raise _not_started(command, error) from error
    try:
        yield program.poll
    finally:
        program.send_signal(ends_by)
        try:
            program.wait(ends_within)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def die_with_parent() -> tuple[str, ...]:
    """What goes before a command that must not outlive this process, also when that is killed."""
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


def _identity(account: Account | None) -> dict[str, Any]:
    return {"user": account.user, "group": account.group, "extra_groups": ()} if account else {}


def _late(command: Sequence[str], within: float, said: str = "") -> ProgramLate:
    return ProgramLate(Path(command[0]).name, f"did not end within {within:g} s", said=said)


def _not_started(command: Sequence[str], error: OSError) -> ProgramFailed:
    return ProgramFailed(Path(command[0]).name, f"cannot be started: {error}")


def _exited(command: Sequence[str], code: int, said: str) -> ProgramFailed:
    return ProgramFailed(Path(command[0]).name, f"exited with {code}", said=said, code=code)


def _since(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace").strip()
