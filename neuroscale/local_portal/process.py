"""A process of this machine: its address, its surroundings, and the wait until it answers."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import ConditionTimeout, HostError
from neuroscale.host import direct
from neuroscale.host.programs import Account, running
from neuroscale.polling import Verdict, met, pending, unrecoverable, wait_until
from neuroscale.settings import BUDGETS

HERE = "127.0.0.1"
NEXT = "pytest -m portal"
#: Measured: the portal takes 7 to 9 s on an idle machine; others may be at work on this one.
_READY_WITHIN = 120.0
_SHOWN = 500
#: What somebody set for programs of his own must not reach ours.
_FOREIGN = ("APP_CONFIG_", "GIT_", "GITEA_", "NODE_", "PG", "POSTGRES_")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind((HERE, 0))
        return int(one.getsockname()[1])


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Of a process: this one's without proxies and without what steers programs of its kind, and ``more``."""
    ours = {name: value for name, value in direct.cluster_environment().items() if not name.startswith(_FOREIGN)}
    return {**ours, **more}


def answers(url: str) -> Verdict:
    """Whether a server takes a GET, as the kubelet asks it."""
    try:
        status = direct.ask(url, seconds=BUDGETS.check).status_code
    except HostError as error:
        return pending(str(error))
    return met("it is ready") if status == 200 else pending(f"it answers {status}")


def as_root() -> bool:
    """Whether this process is root's."""
    return os.geteuid() == 0


@dataclass(frozen=True)
class Program:
    """A program that is to answer for a while.

    Attributes:
        name: What it and its log are called.
        folder: Where it runs.
        log: What it says.
        env: The whole environment.
        ready: Asks it once whether it answers.
        account: Who it runs as; who this process runs as if not given.
        ends_by: What asks it to end.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    env: Mapping[str, str]
    ready: Callable[[], Verdict]
    account: Account | None = None
    ends_by: signal.Signals = signal.SIGTERM

    @contextmanager
    def answering(self) -> Iterator[Callable[[], int | None]]:
        """It runs, and answers.

        Yields:
            What says its exit code, or ``None`` as long as it runs.

        Raises:
            HostError: It ended, or does not answer in time; the text ends with the last that it said.
            ProgramFailed: It cannot be started.
        """
        with running(
            self.command, self.log, env=self.env, folder=self.folder, account=self.account, ends_by=self.ends_by
        ) as ended:

            def ask() -> Verdict:
                code = ended()
                return self.ready() if code is None else unrecoverable(f"it ended with {code}")

            try:
                wait_until(ask, f"{self.name} answers", NEXT, within=_READY_WITHIN, every=0.1)
            except ConditionTimeout as error:
                said = self.log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
                raise HostError(f"{error} It said: {' '.join(said.split())}") from error
            yield ended
