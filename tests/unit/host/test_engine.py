"""The Docker client in one place: what it is asked, and what its failures become."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroscale.errors import HostError
from neuroscale.host import engine as module
from neuroscale.host.engine import Engine


@pytest.fixture
def client(tmp_path: Path) -> Path:
    return tmp_path / "docker"


def engine(client: Path, script: str) -> Engine:
    client.write_text(f"#!/bin/sh\n{script}\n")
    client.chmod(0o755)
    return Engine(str(client))


def test_output_comes_back(client: Path) -> None:
    assert engine(client, 'echo "$@"').call("image", "ls") == "image ls\n"


def test_a_missing_client_is_said(tmp_path: Path) -> None:
    absent = Engine(str(tmp_path / "absent"))
    assert not absent.installed()
    assert not absent.answers()
    with pytest.raises(HostError, match="no `docker` on PATH"):
        absent.call("info")


def test_a_refusal_carries_the_engines_words(client: Path) -> None:
    with pytest.raises(HostError, match=r"`docker pull nothing` .* docker exited with 1: manifest unknown"):
        engine(client, "echo manifest unknown >&2; exit 1").call("pull", "nothing")


def test_an_engine_that_hangs_is_not_waited_for(client: Path) -> None:
    with pytest.raises(HostError, match=r"`docker info` should succeed, but docker did not end within 0\.2 s"):
        engine(client, "exec sleep 30").call("info", within=0.2)


def test_an_engine_that_hangs_is_told_from_one_that_is_not_there(client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert engine(client, "exit 1").ask() == "is silent"
    assert engine(client, "echo 27.0").ask() == "answers"
    monkeypatch.setattr(module, "_ANSWER_SECONDS", 0.2)
    assert engine(client, "exec sleep 30").ask() == "hangs"


@pytest.mark.parametrize("words", ["Error: No such image: x:1", "Error response from daemon: no such image: x:1"])
def test_an_absent_image_is_told_from_a_dead_engine(client: Path, words: str) -> None:
    assert not engine(client, f'echo "{words}" >&2; exit 1').has_image("x:1")
    with pytest.raises(HostError, match="Cannot connect"):
        engine(client, "echo 'Cannot connect to the Docker daemon' >&2; exit 1").has_image("x:1")
    assert engine(client, "echo sha256:1").has_image("x:1")
