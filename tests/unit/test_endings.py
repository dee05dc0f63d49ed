"""What each ending says: the same exit code to the shell, in ``run.json`` and on the screen, and one sentence."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import warm

from neuroscale.errors import (
    ConditionTimeout,
    ExitCode,
    HostError,
    Locked,
    NeuroscaleError,
    SupplyError,
    UsageError,
    WriteForbidden,
    ending_of,
)
from neuroscale.host import file_lock
from neuroscale.results import Run, ScenarioResult, ScenarioVerdict
from neuroscale.settings import CLUSTER_NAME, ROOT
from suite import ending
from suite.ending import concerns_all, exit_code

# --- errors


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UsageError("no"), ExitCode.USAGE, "UsageError: no"),
        (WriteForbidden("no"), ExitCode.REFUSED, "WriteForbidden: no"),
        (Locked("no"), ExitCode.NOT_RUN, "Locked: no"),
        (ConditionTimeout("no"), ExitCode.FAILED, "ConditionTimeout: no"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/a"),
            ExitCode.NOT_RUN,
            "This machine should let the suite use /a, but: No space left on device. Next: df -h /a",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded", "/a"),
            ExitCode.NOT_RUN,
            "This machine should let the suite use /a, but: Disk quota exceeded. Next: df -h /a",
        ),
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a"),
            ExitCode.NOT_RUN,
            "This machine should let the suite use /a, but: Not a directory. Next: ls -ld /a",
        ),
        (
            OSError("odd"),
            ExitCode.NOT_RUN,
            (
                "This machine should let the suite use a file, a folder or a connection, but: odd. "
                "Next: df -h, then the same command again"
            ),
        ),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ""),
        (KeyError("a bug"), ExitCode.INTERNAL, ""),
        (AssertionError("a bug"), ExitCode.INTERNAL, ""),
    ],
)
def test_each_error_has_an_exit_code_and_a_sentence(error: BaseException, code: ExitCode, sentence: str) -> None:
    assert ending_of(error) == (code, sentence)


@pytest.mark.parametrize(
    ("error", "all_of_them"),
    [
        (Locked("another run"), True),
        (HostError("no Docker"), True),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), False),
        (SupplyError("one part"), False),
        (ConditionTimeout("it is gone"), False),
    ],
)
def test_what_every_other_scenario_would_meet_too_ends_the_session(error: Exception, *, all_of_them: bool) -> None:
    assert concerns_all(error) is all_of_them


# --- pytest's codes

SESSIONS: list[tuple[int, list[ScenarioVerdict], list[ExitCode], ExitCode]] = [
    (0, ["passed"], [], ExitCode.PASSED),
    (0, ["passed", "failed"], [], ExitCode.FAILED),
    (0, [], [], ExitCode.NOT_RUN),
    (1, ["passed", "failed", "not run"], [ExitCode.NOT_RUN, ExitCode.REFUSED], ExitCode.FAILED),
    (1, ["passed", "not run"], [ExitCode.NOT_RUN], ExitCode.NOT_RUN),
    (1, ["passed", "not run"], [ExitCode.NOT_RUN, ExitCode.REFUSED], ExitCode.REFUSED),
    (1, ["passed"], [], ExitCode.NOT_RUN),
    (1, [], [], ExitCode.NOT_RUN),
    # A control, and what its mutants lead to.
    (0, ["passed"], [ExitCode.PASSED, ExitCode.PASSED], ExitCode.PASSED),
    (1, ["passed"], [ExitCode.PASSED, ExitCode.NOT_RUN], ExitCode.NOT_RUN),
    (1, ["passed"], [ExitCode.NOT_RUN, ExitCode.FAILED], ExitCode.FAILED),
    (1, ["failed"], [ExitCode.NOT_RUN], ExitCode.FAILED),
    (2, ["passed"], [], ExitCode.INTERRUPTED),
    (3, [], [], ExitCode.INTERNAL),
    (4, [], [], ExitCode.USAGE),
    (5, [], [], ExitCode.NOTHING_COLLECTED),
]


def run_of(verdicts: Collection[ScenarioVerdict]) -> Run:
    results = [
        ScenarioResult(nodeid="n", feature="f", scenario="s", tags=[], verdict=one, seconds=1) for one in verdicts
    ]
    return Run(name="r", kind="conformance", started_at=datetime.now(UTC), results=results)


@pytest.mark.parametrize(("status", "verdicts", "codes", "expected"), SESSIONS)
def test_a_sessions_exit_code(
    status: int, verdicts: list[ScenarioVerdict], codes: list[ExitCode], expected: ExitCode
) -> None:
    assert exit_code(pytest.ExitCode(status), run_of(verdicts), codes=codes) == expected


def test_what_pytest_calls_an_interruption_need_not_be_one() -> None:
    status = pytest.ExitCode.INTERRUPTED
    assert exit_code(status, run_of([]), unreadable=True) == ExitCode.INTERNAL
    assert exit_code(status, run_of(["passed", "not run"]), stop=True) == ExitCode.NOT_RUN
    assert exit_code(status, run_of(["passed", "failed"]), stop=True) == ExitCode.FAILED


@pytest.mark.parametrize(
    ("status", "expected"),
    [(0, 0), (1, 1), (2, ExitCode.INTERRUPTED), (3, ExitCode.INTERNAL), (4, ExitCode.USAGE), (5, 5)],
)
def test_a_session_of_the_fast_tier_has_the_same_codes(status: int, expected: int) -> None:
    assert exit_code(pytest.ExitCode(status)) == expected


@pytest.mark.parametrize(("error", "frames"), [(pytest.exit.Exception("no Docker"), 1), (KeyboardInterrupt(), 2)])
def test_pytest_formats_no_traceback_that_nobody_sees(error: BaseException, frames: int) -> None:
    def deep() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        deep()
    ending.pytest_keyboard_interrupt(caught)
    assert len(caught.traceback) == frames


# --- whole processes


def ended(*command: str, folder: Path, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """A command in the checkout, with places of its own and an engine that does not answer."""
    places = {f"NEUROSCALE_{name}": str(folder / name.lower()) for name in ("STATE", "CACHE", "REPORTS")}
    engine = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    return warm.run(*command, folder=ROOT, environment={**os.environ, **places, **engine, **(environment or {})})


_ANY = "milestone_a and smoke"
PROCESSES: dict[str, tuple[tuple[str, ...], dict[str, str], ExitCode, str]] = {
    "an unknown option": (("pytest", "--nosuch"), {}, ExitCode.USAGE, "There is no such option: --nosuch"),
    "a missing file": (("pytest", "nosuch.py"), {}, ExitCode.USAGE, "not found: nosuch.py"),
    "half an expression": (("pytest", "-m", "smoke and"), {}, ExitCode.USAGE, "Wrong expression"),
    "an unknown mutant": (("pytest", "--mutant", "nosuch"), {}, ExitCode.USAGE, "The mutant 'nosuch' should"),
    "no Docker": (("pytest", "-m", _ANY), {}, ExitCode.NOT_RUN, "nothing was run. HostError: The engine"),
    "a bad mirror": (
        ("pytest", "-m", _ANY),
        {"NEUROSCALE_MIRROR": "http://[::1"},
        ExitCode.USAGE,
        "UsageError: NEUROSCALE_MIRROR should be",
    ),
    "state is a file": (("pytest", "-m", _ANY), {"NEUROSCALE_STATE": __file__}, ExitCode.NOT_RUN, "Not a directory"),
    "cache is a file": (
        ("pytest", "-m", "gate"),
        {"NEUROSCALE_CACHE": __file__},
        ExitCode.NOT_RUN,
        "This machine should",
    ),
    "reports is a file": (
        ("pytest", "-m", _ANY),
        {"NEUROSCALE_REPORTS": __file__},
        ExitCode.NOT_RUN,
        "Not a directory",
    ),
    "up without Docker": (("neuroscale", "up"), {}, ExitCode.NOT_RUN, "HostError: The engine"),
    "no home": (
        ("neuroscale", "status"),
        {"NEUROSCALE_STATE": "~nosuchuser/x"},
        ExitCode.NOT_RUN,
        "should have a home",
    ),
}


@pytest.mark.parametrize("situation", PROCESSES)
def test_a_process_says_one_sentence_and_one_code(situation: str, tmp_path: Path) -> None:
    command, environment, code, sentence = PROCESSES[situation]
    ended_with, said = ended(*command, folder=tmp_path, environment=environment)
    assert ended_with == code, said
    assert said.count(sentence) == 1, said
    assert "Traceback" not in said
    for file in tmp_path.glob("reports/*/run.json"):
        assert json.loads(file.read_text())["exit_code"] == code
        assert re.findall(r"exit code (\d+)", said) == [str(code.value)]


@pytest.mark.parametrize("command", [("pytest", "-m", _ANY), ("neuroscale", "up", "--record")])
def test_an_aborted_run_is_the_latest_one(command: tuple[str, ...], tmp_path: Path) -> None:
    """Not yesterday's, which was green; and it says why. ``make conformance`` begins with the other command."""
    yesterday = tmp_path / "reports" / "2020-01-01T00-00-00"
    yesterday.mkdir(parents=True)
    green = run_of(["passed"]).model_copy(update={"name": yesterday.name, "exit_code": 0})
    (yesterday / "run.json").write_text(green.model_dump_json())
    assert ended(*command, folder=tmp_path)[0] == ExitCode.NOT_RUN
    _, shown = ended("neuroscale", "report", folder=tmp_path)
    assert "0 scenarios ran" in shown
    shown = " ".join(shown.split())
    assert "exit code 3 (not run)" in shown
    why = "The platform could not be brought up, so nothing was run. HostError: The engine"
    assert why in shown
    assert yesterday.name not in shown
    (page,) = tmp_path.glob("reports/*/report.html")
    assert why in page.read_text(encoding="utf-8")


def test_a_held_lock_is_one_sentence_for_the_whole_session(tmp_path: Path) -> None:
    with file_lock.exclusive(tmp_path / "state" / CLUSTER_NAME / "lock", "The other run"):
        code, said = ended("pytest", "-m", "milestone_a", folder=tmp_path)
    assert code == ExitCode.NOT_RUN, said
    assert said.count(f"another run holds it: pid {os.getpid()}") == 1, said


# --- signals

#: A session whose scenario breaks something, waits, and takes a while to undo it.
_SLOW = """
import pytest
from neuroscale.polling import pause
from suite.session import PLATFORM
pytest_plugins = ["suite.ending", "suite.session", "suite.mutation", "suite.redaction", "suite.recording"]

@pytest.fixture
def broken(pytestconfig):
    place = pytestconfig.rootpath
    yield place
    (place / "undoing").touch()
    pause(0.5)
    (place / "undone").touch()

@pytest.fixture
def inner(broken):
    yield
    (broken / "inner").touch()
    pause(0.3)
"""
_TEST = """
import pytest
from neuroscale.polling import pause

@pytest.mark.drift
def test_it(broken, inner):
    (broken / "begun").touch()
    pause({seconds})

@pytest.mark.drift
def test_another():
    pass
"""


_INNER = """
from pathlib import Path
from neuroscale.cli import main
from neuroscale.polling import pause

def work():
    try:
        (Path({folder!r}) / "begun").touch()
        pause(50)
    finally:
        pause(0.7)
        (Path({folder!r}) / "undone").touch()

main(work)
"""


def interrupted(folder: Path, seconds: float, signals: list[tuple[str, signal.Signals]]) -> tuple[int, str]:
    """Start the session, and send each signal once a file is there."""
    (folder / "conftest.py").write_text(_SLOW)
    (folder / "test_it.py").write_text(_TEST.format(seconds=seconds))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    drift: d\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NEUROSCALE_REPORTS": str(folder / "reports")}
    session = warm.start("pytest", "-m", "drift", "-p", "no:cacheprovider", folder=folder, environment=environment)
    for file, number in signals:
        session.wait_for(folder / file)
        session.send(number)
    return session.end()


CANCELLED = {
    "Ctrl-C": [("begun", signal.SIGINT)],
    "the terminal is closed": [("begun", signal.SIGHUP)],
    "a CI system loses its patience": [
        ("begun", signal.SIGINT),
        ("begun", signal.SIGTERM),
        ("inner", signal.SIGTERM),
        ("undoing", signal.SIGINT),
        ("undoing", signal.SIGHUP),
    ],
}


@pytest.mark.parametrize("how", CANCELLED)
def test_a_cancelled_session_undoes_what_it_broke_whatever_comes_later(how: str, tmp_path: Path) -> None:
    code, said = interrupted(tmp_path, 50, CANCELLED[how])
    assert code == ExitCode.INTERRUPTED, said
    assert (tmp_path / "undone").exists()
    (record,) = tmp_path.glob("reports/*/run.json")
    assert json.loads(record.read_text())["exit_code"] == code
    assert "exit code 130" in said


@pytest.mark.parametrize("moment", ["inner", "undoing"])
def test_a_signal_during_an_undo_waits_for_its_end(moment: str, tmp_path: Path) -> None:
    code, said = interrupted(tmp_path, 0, [(moment, signal.SIGTERM)])
    assert code == ExitCode.INTERRUPTED, said
    assert (tmp_path / "undone").exists()
    (record,) = tmp_path.glob("reports/*/run.json")
    assert [one["verdict"] for one in json.loads(record.read_text())["results"]] == ["passed"]


def test_a_command_that_runs_the_suite_waits_until_that_has_undone_everything(tmp_path: Path) -> None:
    """The inner process hears of it from the outer one, is not killed, and the outer one ends as it should."""
    (tmp_path / "inner.py").write_text(_INNER.format(folder=str(tmp_path)))
    (tmp_path / "outer.py").write_text(
        "import sys; from neuroscale.cli import main, runs\n"
        f"runs.ROOT = {str(tmp_path)!r}\n"
        "main(lambda: sys.exit(runs._module('inner')))\n"
    )
    outer = warm.start("outer", folder=tmp_path, environment={**os.environ, "PYTHONPATH": str(ROOT)})
    outer.wait_for(tmp_path / "begun")
    outer.send(signal.SIGTERM)
    outer.send(signal.SIGHUP)
    assert (outer.end()[0], (tmp_path / "undone").exists()) == (ExitCode.INTERRUPTED, True)


def test_a_killed_session_does_not_say_more_than_it_knew(tmp_path: Path) -> None:
    code, _ = interrupted(tmp_path, 50, [("begun", signal.SIGKILL)])
    assert code == -signal.SIGKILL
    (record,) = tmp_path.glob("reports/*/run.json")
    said = cast("dict[str, object]", json.loads(record.read_text()))
    assert (said["exit_code"], said["outcome"], said["results"]) == (None, "nothing was run", [])


def test_a_kind_of_error_that_nobody_knows_is_not_run() -> None:
    class New(NeuroscaleError):
        pass

    assert ending_of(New("x")).code == ExitCode.NOT_RUN
