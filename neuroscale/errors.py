"""Every error this library raises on purpose, and the exit code that each error leads to, whoever raises it.

:func:`ending_of` is the one place that maps errors: the command line, a session's end and a scenario's verdict ask it.

::

    NeuroscaleError                 exit 3: nothing can be said about the platform
    ├── UsageError                  exit 2: a name or an option that does not exist
    ├── WriteForbidden              exit 4: the guard forbids a write
    ├── Locked                      exit 3: another run holds the cluster or the cache
    ├── HostError                   exit 3: Docker, disk, ports of this machine
    ├── SupplyError                 exit 3: an image, binary or manifest cannot be had
    ├── ClusterUnreachable          exit 3: the API server does not answer
    │   └── ApiServerSlow           exit 3: … in time, though it took the request
    ├── ApiError                    exit 3: the API server answered, and it was a no
    ├── ProgramFailed               exit 3: a program did not start, end in time, or succeed
    │   └── ProgramLate             exit 3: … because it did not end in time
    ├── Inconclusive                exit 3: the pull-request gate could not do its work, which is no pass
    ├── PreconditionFailed          exit 3: a precondition failed, so the scenario did not happen
    │   └── SteadyStateLost         exit 3: … because the steady state did not hold: nor will the next one's
    ├── FaultHadNoEffect            exit 3: the fault was injected and nothing changed
    ├── RevertFailed                exit 3: a rollback did not succeed; it stays in the journal
    ├── SecretWrittenDown           exit 6: a run left a secret in its folder
    └── ConditionTimeout            exit 1: the platform did not do what it promises (also an AssertionError)
        └── Unrecoverable           exit 1: … and waiting longer would not have helped

    OSError                         exit 3: a file, a folder or the disk of this machine
    KeyboardInterrupt               exit 130: Ctrl-C, SIGTERM or SIGHUP
    any other                       exit 6: nobody foresaw it

The text of an error has one shape: what was expected, what was seen, and the next move. That of a wait::

    Timed out after 3 min 00 s waiting for: Application "root" is Synced and Healthy (41 checks).
    Last seen: OutOfSync/Degraded. Next: neuroscale check gitops
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar, NamedTuple

#: Characters of what a program said that its error repeats.
_SHOWN = 800


class ExitCode(IntEnum):
    """What the process says to the shell. Documented in README.md."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    NOT_RUN = 3
    REFUSED = 4
    NOTHING_COLLECTED = 5
    INTERNAL = 6
    INTERRUPTED = 130


class NeuroscaleError(Exception):
    """Root of the tree."""

    exit_code: ClassVar[ExitCode] = ExitCode.NOT_RUN


class UsageError(NeuroscaleError):
    """A milestone, marker, incident or option that does not exist."""

    exit_code = ExitCode.USAGE


class WriteForbidden(NeuroscaleError):
    """The guard forbids a write to this cluster."""

    exit_code = ExitCode.REFUSED


class Locked(NeuroscaleError):
    """Another run holds the lock; the message names its pid and start time."""


class HostError(NeuroscaleError):
    """This machine lacks something that a run needs."""


class SupplyError(NeuroscaleError):
    """A binary, an image or an upstream manifest cannot be had."""


class ClusterUnreachable(NeuroscaleError):
    """The API server does not answer. Never turned into a skip: a dead cluster is not a calm one."""


class ApiServerSlow(ClusterUnreachable):
    """The API server took a request, and did not answer it in time."""


class ApiError(NeuroscaleError):
    """The API server answered a request with an error.

    Attributes:
        status: HTTP status code.
        reason: Kubernetes' machine-readable reason, for example ``AlreadyExists``.
    """

    def __init__(self, message: str, *, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ProgramFailed(NeuroscaleError):
    """A program could not be started, did not end in time, or ended with another exit code than 0.

    Attributes:
        how: Which of the three, in words that follow the program's name.
        said: What it said, whole.
        code: Its exit code; ``None`` where it did not end by itself.
    """

    def __init__(self, program: str, how: str, *, said: str = "", code: int | None = None) -> None:
        line = " ".join(said.split())[-_SHOWN:]
        super().__init__(f"{program} {how}: {line}" if line else f"{program} {how}")
        self.how, self.said, self.code = how, said, code

    @property
    def last_line(self) -> str:
        """The end of what it said, where a Python program names its error; without that, how it failed."""
        return (self.said.splitlines() or [self.how])[-1]


class ProgramLate(ProgramFailed):
    """A program did not end in time, and was killed."""


class Inconclusive(NeuroscaleError):
    """The CI gate could not judge what it was given: a tool failed, git did, or there was nothing."""


class PreconditionFailed(NeuroscaleError):
    """The steady state did not hold before the fault; the scenario is *not run*."""


class SteadyStateLost(PreconditionFailed):
    """The platform is sick, and stays so: whatever else is tried on it says nothing either."""


class FaultHadNoEffect(NeuroscaleError):
    """The fault could not be seen in the cluster; whatever follows would prove nothing."""


class RevertFailed(NeuroscaleError):
    """An undo failed. It stays open in the journal for ``neuroscale rollback``."""


class ConditionTimeout(NeuroscaleError, AssertionError):
    """A probe was not met within its budget."""

    exit_code = ExitCode.FAILED


class Unrecoverable(ConditionTimeout):
    """A probe saw a state that time does not mend."""


class SecretWrittenDown(NeuroscaleError):
    """A run left a secret in its folder."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, run: str, found: Sequence[str]) -> None:
        shown = "; ".join(found[:3])
        super().__init__(
            f"No secret should stand in reports/{run}, but {shown}. Next: rm -r reports/{run}, and rotate it"
        )


class Ending(NamedTuple):
    """How something ended by an error.

    Attributes:
        sentence: What to tell; empty when there is nothing to say, or when only a traceback would say it.
    """

    code: ExitCode
    sentence: str


def ending_of(error: BaseException) -> Ending:
    """The exit code that an error leads to, and its sentence."""
    if isinstance(error, NeuroscaleError):
        return Ending(error.exit_code, f"{type(error).__name__}: {error}")
    if isinstance(error, OSError):
        return Ending(ExitCode.NOT_RUN, _of_this_machine(error))
    if isinstance(error, KeyboardInterrupt):
        return Ending(ExitCode.INTERRUPTED, "")
    return Ending(ExitCode.INTERNAL, "")


def _of_this_machine(error: OSError) -> str:
    what = error.filename if error.filename is not None else "a file, a folder or a connection"
    look = "df -h" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "ls -ld"
    move = f"{look} {error.filename}" if error.filename is not None else "df -h, then the same command again"
    return f"This machine should let the suite use {what}, but: {error.strerror or error}. Next: {move}"
