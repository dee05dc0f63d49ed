"""Programs: what they print, where it goes, and the one shape of what goes wrong."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
import warm

from neuroscale.errors import ExitCode, ProgramFailed
from neuroscale.host.programs import in_foreground, leave_running, log_output, output, run, running
from neuroscale.polling import pause

PYTHON = Path(sys.executable).name


def command(script: str) -> list[str]:
    return [sys.executable, "-c", script]


FAILING = command("import sys; sys.stdout.write('out'); sys.stderr.write('first\\n second\\n'); sys.exit(3)")
HANGING = command("import signal; print('begun', flush=True); signal.pause()")


def test_what_is_printed_is_the_answer(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd(), os.environ.get('A')); print('talk', file=sys.stderr)"
    assert output(command(script), within=20, folder=tmp_path, env={"A": "1"}) == f"{tmp_path} 1\n"


def test_it_gets_no_input_but_what_it_is_given() -> None:
    script = command("import sys; print(repr(sys.stdin.read()))")
    assert output(script, within=20) == "''\n"
    assert output(script, within=20, stdin="a") == "'a'\n"


def test_what_is_no_text_does_not_hide_the_rest() -> None:
    assert output(["printf", "a\\377b"], within=20) == "a\ufffdb"


def test_a_failure_is_told_in_one_line_and_kept_whole() -> None:
    with pytest.raises(ProgramFailed) as caught:
        output(FAILING, within=20)
    assert str(caught.value) == f"{PYTHON} exited with 3: first second"
    assert (caught.value.code, caught.value.said, caught.value.last_line) == (3, "first\n second", " second")


def test_one_that_fails_in_silence_is_told_too() -> None:
    with pytest.raises(ProgramFailed, match=r"^false exited with 1$") as caught:
        output(["false"], within=20)
    assert caught.value.last_line == "exited with 1"


def test_who_asks_for_the_exit_code_gets_it() -> None:
    ended = run(FAILING, within=20)
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "out", "first\n second\n")


@pytest.mark.parametrize("starter", [run, output])
def test_one_that_takes_too_long_is_ended(starter: object) -> None:
    with pytest.raises(ProgramFailed, match=r"did not end within 0\.5 s$") as caught:
        starter(HANGING, within=0.5)  # type: ignore[operator]
    assert caught.value.code is None


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    expected = r"^no-such-program cannot be started: .*No such file"
    with pytest.raises(ProgramFailed, match=expected):
        run(["no-such-program"], within=1)
    with pytest.raises(ProgramFailed, match=expected):
        log_output(["no-such-program"], tmp_path / "log", within=1)
    with pytest.raises(ProgramFailed, match=expected):
        leave_running(["no-such-program"], tmp_path / "log")


def test_a_log_has_the_command_and_all_that_was_said(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "part.log"
    log_output(["sh", "-c", "echo one; echo two >&2"], log, within=20)
    with pytest.raises(ProgramFailed, match="exited with 3: first second") as caught:
        log_output(FAILING, log, within=20, out=tmp_path / "out")
    assert caught.value.said == "first\n second"
    assert (tmp_path / "out").read_text() == "out"
    said = log.read_text().splitlines()
    assert said[0] == "$ sh -c echo one; echo two >&2"
    assert sorted(said[1:3]) == ["one", "two"]
    assert said[-2:] == ["first", " second"]


def test_a_logged_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ProgramFailed, match=r"did not end within 2 s: begun$"):
        log_output(HANGING, tmp_path / "log", within=2)


def test_in_the_foreground_it_has_this_ones_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = command("import os; print(os.getcwd(), os.environ['A']); raise SystemExit(5)")
    assert in_foreground(script, folder=tmp_path, env=os.environ | {"A": "1"}) == 5
    assert capfd.readouterr().out == f"{tmp_path} 1\n"


_RUN = """
import signal, sys, time
def roll_back(*_):
    time.sleep(1)
    open('rolled-back', 'w').close()
    sys.exit(130)
signal.signal(signal.SIGINT, roll_back)
signal.signal(signal.SIGTERM, roll_back)
print('begun', flush=True)
signal.pause()
"""
_STARTER = f"""
import os, pathlib
os.setsid()
from neuroscale.cli import main
from neuroscale.host.programs import in_foreground
main(lambda: in_foreground([{sys.executable!r}, '-c', {_RUN!r}], folder=pathlib.Path.cwd(), env=os.environ))
"""


@pytest.mark.parametrize("by", ["the terminal", "a signal to this one alone"])
def test_who_is_interrupted_lets_its_program_roll_back(tmp_path: Path, by: str) -> None:
    (tmp_path / "starter.py").write_text(_STARTER, encoding="utf-8")
    starter = warm.start("starter", folder=tmp_path, environment=os.environ)
    while starter.output.read_text(encoding="utf-8") != "begun\n":
        assert starter.process.is_alive()
        pause(0.02)
    if by == "the terminal":
        assert starter.process.pid is not None
        os.killpg(starter.process.pid, signal.SIGINT)
    else:
        starter.send(signal.SIGTERM)
    assert starter.end()[0] == ExitCode.INTERRUPTED
    assert (tmp_path / "rolled-back").exists()


def test_what_is_left_running_has_a_session_of_its_own(tmp_path: Path) -> None:
    log, script = tmp_path / "logs" / "log", "import os; print(os.getpid(), os.getsid(0), flush=True)"
    leave_running(command(script), log)
    while not (said := log.read_text().split()):
        pause(0.02)
    assert said[0] == said[1]
    psutil.Process(int(said[0])).wait(20)


# --- as long as a block lasts


def test_a_program_ends_with_its_block(tmp_path: Path) -> None:
    with running(HANGING, tmp_path / "log", env=os.environ, folder=tmp_path) as ended:
        assert ended() is None
    assert ended() == -signal.SIGTERM


def test_one_that_does_not_want_to_end_is_killed(tmp_path: Path) -> None:
    stubborn = command(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('begun', flush=True)\n"
        "while True: signal.pause()"
    )
    log = tmp_path / "log"
    with running(stubborn, log, env=os.environ, folder=tmp_path, ends_within=0.2) as ended:
        while "begun" not in log.read_text(encoding="utf-8"):
            pause(0.02)
    assert ended() == -signal.SIGKILL


def test_one_that_has_ended_says_how(tmp_path: Path) -> None:
    with running(FAILING, tmp_path / "log", env=os.environ, folder=tmp_path) as ended:
        while ended() is None:
            pause(0.02)
        assert ended() == 3
    assert "first" in (tmp_path / "log").read_text(encoding="utf-8")


def test_one_that_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with (
        pytest.raises(ProgramFailed, match="cannot be started"),
        running(HANGING, tmp_path / "log", env=os.environ, folder=nowhere),
    ):
        pytest.fail("it was started")
