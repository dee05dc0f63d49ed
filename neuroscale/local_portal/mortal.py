"""The portal as processes that are killed and started again, with doors that stop a form on its way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from neuroscale.errors import FaultHadNoEffect
from neuroscale.local_portal import rig
from neuroscale.local_portal.doors import Door
from neuroscale.local_portal.parts import Parts
from neuroscale.local_portal.process import NEXT, Program
from neuroscale.local_portal.rig import LocalPortal
from neuroscale.settings import ROOT

#: PostgreSQL's word for an immediate stop: nothing is written, and the next start recovers. SIGKILL would leave it to
#: each of its processes to notice that they are alone.
_IMMEDIATE = signal.SIGQUIT


class Mortal:
    """A program that is killed, and started again at the same address with what it kept.

    Args:
        program: How it is set up.
    """

    def __init__(self, program: Program) -> None:
        self.program = self._running = program
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def well(self) -> bool:
        """It runs as it was set up."""
        return self._ended() is None and self._running is self.program

    def start(self, program: Program | None = None) -> None:
        """Start it and wait until it answers.

        Args:
            program: How, if otherwise than it was set up.

        Raises:
            HostError: It does not answer.
            ProgramFailed: It cannot be started.
        """
        self._running = program or self.program
        self._ended = self._stack.enter_context(self._running.answering())

    def kill(self) -> None:
        """Kill it.

        Raises:
            FaultHadNoEffect: It had ended before.
        """
        if (code := self._ended()) is not None:
            raise FaultHadNoEffect(
                f"{self.program.name} should run until it is killed, but had ended with {code}. Next: {NEXT}"
            )
        self._stack.close()

    def revive(self) -> None:
        """Start it as it was set up, unless it is well.

        Raises:
            HostError: It does not answer.
            ProgramFailed: It cannot be started.
        """
        if not self.well:
            self._stack.close()
            self.start()


@dataclass(frozen=True)
class MortalPortal:
    """The portal, each of whose processes can be killed.

    Attributes:
        portal: As whoever asks it sees it.
        database: PostgreSQL.
        git_server: Gitea.
        backstage: The portal's own process.
        database_door: By which Backstage goes to PostgreSQL, and nobody else.
        git_door: By which Backstage goes to Gitea, and nobody else.
    """

    portal: LocalPortal
    database: Mortal
    git_server: Mortal
    backstage: Mortal
    database_door: Door
    git_door: Door

    def revive(self) -> None:
        """Everything runs, as it was set up.

        Raises:
            HostError: A process does not answer.
            ProgramFailed: One cannot be started.
        """
        for one in (self.database, self.git_server, self.backstage):
            one.revive()


@contextmanager
def mortal_portal(parts: Parts, root: Path = ROOT) -> Iterator[MortalPortal]:
    """The portal as ``values.yaml`` sets it up, which asks for its database and the Git server by doors.

    Args:
        parts: What it is made of.
        root: The checkout.

    Raises:
        HostError: One of the processes does not answer.
        NeuroscaleError: One of them cannot be set up.
    """
    mortals, doors = list[Mortal](), list[Door]()

    def start(program: Program) -> None:
        ends_by = signal.SIGKILL if mortals else _IMMEDIATE
        mortals.append(stack.enter_context(Mortal(replace(program, ends_by=ends_by))))

    def door(port: int) -> int:
        doors.append(stack.enter_context(Door(port)))
        return doors[-1].port

    with rig.own_folder() as folder, ExitStack() as stack:
        portal = rig.assemble(parts, folder, root, start, door)
        (database, git_server, backstage), (database_door, git_door) = mortals, doors
        yield MortalPortal(portal, database, git_server, backstage, database_door, git_door)
