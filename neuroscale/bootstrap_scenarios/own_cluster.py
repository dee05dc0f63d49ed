"""A cluster of its own, beside the one that other scenarios use, made by the command line as a process that is seen."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.bootstrap_scenarios.audited import POLICY_FILE, policy_file, write_policy
from neuroscale.bootstrap_scenarios.observed import STOPPED
from neuroscale.cluster import k3d
from neuroscale.cluster.state import load_state
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect
from neuroscale.host.programs import running
from neuroscale.platform import Platform, connect
from neuroscale.polling import Verdict, met, pending, wait_until
from neuroscale.settings import ROOT

NAME = "neuroscale-own"
#: The milestone that all others stand on; its bootstrap has every kind of step.
UP = ("up", "--milestones", "a", "--no-install")
NEXT = "pytest -m bootstrap"
#: Seconds: a creation, and a recreation besides where the first cluster does not come up.
WITHIN = 420.0


def program() -> tuple[str, ...]:
    """The module that is run as the command line, and what goes before its arguments."""
    return ("neuroscale.bootstrap_scenarios.observed",)


@dataclass(frozen=True)
class Started:
    """The command line at work.

    Attributes:
        ended: Its exit code, or ``None`` as long as it runs.
        trace: What it has done, a line for each deed.
        log: What it says.
    """

    ended: Callable[[], int | None]
    trace: Path
    log: Path

    @property
    def deeds(self) -> list[str]:
        """What it has done so far."""
        return _lines(self.trace)

    @property
    def process(self) -> int:
        """Its number, which is that of its group as well."""
        return int(re.fullmatch(r"pid (\d+)", self.deeds[0])[1])  # type: ignore[index]

    @property
    def said(self) -> str:
        """The end of what it said."""
        return " / ".join(_lines(self.log)[-4:])

    @property
    def stopped(self) -> bool:
        """Whether it has stopped at the deed that it was to stop at."""
        return self.deeds[-1:] == [STOPPED] or STOPPED in self.deeds


@dataclass(frozen=True)
class Ended:
    """How the command line ended.

    Attributes:
        code: Its exit code.
        seconds: It took.
        deeds: What it did.
        said: The end of what it said.
    """

    code: int
    seconds: float
    deeds: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class OwnCluster:
    """The cluster.

    Attributes:
        folder: For traces and logs.
        name: Its name.
    """

    folder: Path
    name: str = NAME
    _numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def started(
        self,
        *arguments: str,
        stop_before: str = "",
        times: int = 1,
        env: Mapping[str, str] | None = None,
        behind: Sequence[str] = (),
    ) -> Iterator[Started]:
        """The command line, as long as the block lasts.

        Args:
            arguments: Its arguments.
            stop_before: The deed to stop before, as a regular expression.
            times: Which of those that match.
            env: What its environment has besides.
            behind: A command that runs it.
        """
        number = next(self._numbers)
        trace, log = self.folder / f"{number}.trace", self.folder / f"{number}.log"
        environment = {
            **os.environ,
            **_supply(),
            "NEUROSCALE_CLUSTER": self.name,
            POLICY_FILE: str(policy_file(self.folder)),
            "PYTHONPATH": str(ROOT),
            **(env or {}),
        }
        command = [*behind, sys.executable, "-m", *program(), str(trace), stop_before, str(times), *arguments]
        with running(command, log, env=environment, folder=ROOT) as ended:
            yield Started(ended, trace, log)

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, behind: Sequence[str] = ()) -> Ended:
        """Run the command line to its end; arguments as for :meth:`started`.

        Raises:
            ConditionTimeout: It does not end.
        """
        begun = time.monotonic()
        with self.started(*arguments, env=env, behind=behind) as work:

            def ask() -> Verdict:
                return pending(work.said) if (code := work.ended()) is None else met(f"it ended with {code}")

            wait_until(ask, f"neuroscale {' '.join(arguments)} ends", NEXT, within=WITHIN, every=0.1)
            seconds, code = time.monotonic() - begun, work.ended()
            return Ended(-1 if code is None else code, seconds, tuple(work.deeds), work.said)

    def make_anew(self, *, env: Mapping[str, str] | None = None) -> Ended:
        """From nothing.

        Raises:
            FaultHadNoEffect: The bootstrap failed.
        """
        self.delete()
        ended = self.run(*UP, env=env)
        if ended.code:
            raise FaultHadNoEffect(
                f"A bootstrap should end well, but ended with {ended.code}: {ended.said}. Next: {NEXT}"
            )
        return ended

    def delete(self) -> None:
        """It and all that is remembered of it, by the library; whatever state it is in."""
        k3d.delete(self.name)

    @property
    def platform(self) -> Platform:
        """What runs on it.

        Raises:
            ClusterUnreachable: There is none.
        """
        return connect(self.name)


def assert_well(ended: Ended, within: float = WITHIN) -> None:
    """A run has ended well, in time.

    Raises:
        ConditionTimeout: It has not.
    """
    if ended.code or ended.seconds > within:
        raise ConditionTimeout(
            f"The command line should end with 0 within {within:.0f} s, but ended with {ended.code} after "
            f"{ended.seconds:.1f} s: {ended.said}. Next: {NEXT}"
        )


@contextmanager
def own_cluster() -> Iterator[OwnCluster]:
    """A name for it; what an earlier run left under it is deleted, and so is what is there at the end."""
    with TemporaryDirectory(prefix="neuroscale-own-") as folder:
        own = OwnCluster(Path(folder))
        write_policy(own.folder)
        own.delete()
        try:
            yield own
        finally:
            own.delete()


def _supply() -> dict[str, str]:
    """As the cluster was made that is there already: to ask the registries each time takes its time."""
    state = load_state()
    return {"SUPPLY": state.supply} if state is not None and not state.adopted else {}


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []
