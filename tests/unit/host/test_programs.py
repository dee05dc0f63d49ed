"""A program's output, or the error that its caller has words for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neuroscale.errors import HostError, SupplyError
from neuroscale.host.programs import output


def say(script: str, within: float = 20, **options: object) -> str:
    return output(
        [sys.executable, "-c", script],
        within=within,
        late=lambda error: HostError(f"late: {error.timeout}"),
        failed=lambda ended: SupplyError(f"{ended.returncode}: {ended.stdout}|{ended.stderr}"),
        **options,  # type: ignore[arg-type]
    )


def test_what_is_printed_is_the_answer(tmp_path: Path) -> None:
    script = "import os, sys; print(os.getcwd(), os.environ.get('A')); print('talk', file=sys.stderr)"
    assert say(script, folder=tmp_path, env={"A": "1"}) == f"{tmp_path} 1\n"


def test_it_gets_no_input() -> None:
    assert say("import sys; print(repr(sys.stdin.read()))") == "''\n"


def test_a_failure_is_told_with_all_that_was_said() -> None:
    with pytest.raises(SupplyError, match=r"^3: out\|err$"):
        say("import sys; sys.stdout.write('out'); sys.stderr.write('err'); sys.exit(3)")


def test_one_that_takes_too_long_is_ended() -> None:
    with pytest.raises(HostError, match=r"^late: 0\.5$"):
        say("import signal; signal.pause()", within=0.5)


def test_one_that_is_not_there_is_the_callers_affair() -> None:
    with pytest.raises(FileNotFoundError):
        output(["no-such-program"], within=1, late=lambda _: HostError(""), failed=lambda _: HostError(""))
