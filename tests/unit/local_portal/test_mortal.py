"""Programs that are killed and started again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from neuroscale.errors import FaultHadNoEffect, HostError
from neuroscale.local_portal.mortal import Mortal
from neuroscale.local_portal.process import Program
from neuroscale.polling import Verdict, met, pending, wait_until

#: Ignores whoever asks it politely.
SCRIPT = (
    "import os, pathlib, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "pathlib.Path('pid').write_text(str(os.getpid())); signal.pause()"
)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    def ready() -> Verdict:
        return met("it is there") if (tmp_path / "pid").exists() else pending("it is not there")

    command = [sys.executable, "-c", SCRIPT]
    program = Program("It", command, tmp_path, tmp_path / "log", os.environ, ready, ends_by=signal.SIGKILL)
    with Mortal(program) as made:
        yield made


def pid(mortal: Mortal) -> int:
    return int((mortal.program.folder / "pid").read_text(encoding="ascii"))


def is_there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_was_killed_comes_back_as_another_process(mortal: Mortal) -> None:
    first = pid(mortal)
    assert mortal.well
    mortal.kill()
    assert (mortal.well, is_there(first)) == (False, False)
    (mortal.program.folder / "pid").unlink()
    mortal.start()
    assert mortal.well
    assert pid(mortal) != first


def test_what_had_ended_cannot_be_killed(mortal: Mortal) -> None:
    os.kill(pid(mortal), signal.SIGKILL)
    wait_until(lambda: pending("it lives") if mortal.well else met("it has ended"), "it ends", "", within=5)
    with pytest.raises(FaultHadNoEffect, match=r"It should run until it is killed, but had ended with -9"):
        mortal.kill()


def test_what_runs_otherwise_is_started_anew(mortal: Mortal) -> None:
    mortal.kill()
    mortal.start(replace(mortal.program, env={**os.environ, "A": "1"}))
    other = pid(mortal)
    assert not mortal.well
    (mortal.program.folder / "pid").unlink()
    mortal.revive()
    assert (mortal.well, is_there(other)) == (True, False)


def test_what_is_well_is_left_alone(mortal: Mortal) -> None:
    first = pid(mortal)
    mortal.revive()
    assert is_there(first)


def test_what_does_not_come_back_is_told(mortal: Mortal) -> None:
    mortal.kill()
    with pytest.raises(HostError, match=r"It answers .*it ended with 3"):
        mortal.start(
            replace(mortal.program, command=[sys.executable, "-c", "raise SystemExit(3)"], ready=lambda: pending(""))
        )
    assert not mortal.well


def test_the_block_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT]
    program = Program(
        "It", command, tmp_path, tmp_path / "log", os.environ,
        lambda: met("yes") if (tmp_path / "pid").exists() else pending("no"), ends_by=signal.SIGKILL,
    )  # fmt: skip
    with Mortal(program) as made:
        number = pid(made)
    assert not is_there(number)
