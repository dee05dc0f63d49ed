"""What people read where: a terminal, a log, a screen that knows few characters."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
import warm
from rich.console import ConsoleDimensions

from neuroscale.errors import ExitCode
from neuroscale.screen import WIDE, Screen, say, say_verbatim, table
from neuroscale.settings import CLUSTER_NAME, ROOT

#: As a shell, a CI system or a company sets them for everybody.
ELSEWHERE = {
    "NEUROSCALE_CLUSTER": "foo",
    "FORCE_COLOR": "1",
    "COLUMNS": "40",
    "LC_ALL": "C",
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.autocrlf",
    "GIT_CONFIG_VALUE_0": "true",
}


def printed(monkeypatch: pytest.MonkeyPatch) -> str:
    rows = table("SLO", "series", "answer", title="SLOs")
    rows.add_row("deleted-deployment-comes-back", "none-seen-before, repeated drift", "not measured")
    rows.add_row("short", "a sentence that goes on " * 12, "kept")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    say(rows)
    return stream.getvalue()


@pytest.mark.parametrize("columns", ["", "40", "80"])
def test_a_log_has_every_word_of_a_table(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    text = printed(monkeypatch)
    assert "…" not in text
    for words in ("deleted-deployment-comes-back", "none-seen-before, repeated drift", "not measured"):
        assert words in text
    assert max(map(len, text.splitlines())) <= WIDE


def test_a_narrow_terminal_breaks_words_and_hides_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "size", ConsoleDimensions(40, 25))
    assert "…" not in printed(monkeypatch)


def test_forced_colours_make_no_terminal_of_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that is drawn twice a second would fill a CI system's log."""
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setenv("FORCE_COLOR", "1")
    screen = Screen()
    assert screen.is_terminal
    assert not screen.is_interactive


def test_what_others_said_is_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    say_verbatim("list [/oops] of [bold]x")
    assert capsys.readouterr().out == "list [/oops] of [bold]x\n"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_knows_few_characters_shows_the_others_as_question_marks(encoding: str, tmp_path: Path) -> None:
    program = "from neuroscale.cli import main; from neuroscale.screen import say; main(lambda: say('a – b …'))"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    assert warm.run("program", folder=tmp_path, environment=environment) == (0, "a ? b ?\n")


@pytest.mark.skipif(ELSEWHERE["NEUROSCALE_CLUSTER"] == CLUSTER_NAME, reason="this is that environment")
def test_the_fast_tier_is_the_same_elsewhere() -> None:
    """Those of its modules that a foreign environment could reach most easily; CI runs all of it in one."""
    modules = ("test_state.py", "test_k3d.py", "test_cli.py", "report/test_report_terminal.py")
    arguments = ["-q", "-p", "no:xdist", *(f"tests/unit/{module}" for module in modules)]
    code, said = warm.run("pytest", *arguments, folder=ROOT, environment={**os.environ, **ELSEWHERE})
    assert code == ExitCode.PASSED, said
