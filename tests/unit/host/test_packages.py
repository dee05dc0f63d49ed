"""Debian packages: installed where allowed, else the exact command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
import warm

from neuroscale.errors import ExitCode, HostError, ProgramFailed
from neuroscale.host import packages as module
from neuroscale.host.packages import ensure, missing
from neuroscale.host.programs import Ended
from neuroscale.settings import ROOT


class Machine:
    """A Debian whose dpkg and apt-get the test plays."""

    def __init__(self, *installed: str, begun: str = "", apt_fails: bool = False, apt_hangs: bool = False) -> None:
        self.installed, self.begun = set(installed), begun
        self.apt_fails, self.apt_hangs = apt_fails, apt_hangs
        self.ran: list[list[str]] = []

    def run(self, command: list[str], *, within: float) -> Ended:
        assert command[0] == "dpkg-query"
        there = command[-1] in self.installed
        said = self.begun or ("installed" if there else "")
        return Ended(command, 0 if said else 1, said)

    def log_output(self, command: list[str], log: Path, *, within: float, env: Mapping[str, str]) -> None:
        assert env["DEBIAN_FRONTEND"] == "noninteractive"
        self.ran.append(command)
        if self.apt_hangs:
            raise ProgramFailed("apt-get", f"did not end within {within} s")
        if self.apt_fails:
            raise ProgramFailed("apt-get", "exited with 100", said="E: Unable to locate package", code=100)


def plug(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *programs: str, uid: int = 0) -> None:
    monkeypatch.setenv("NEUROSCALE_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "run", machine.run)
    monkeypatch.setattr(module, "log_output", machine.log_output)
    monkeypatch.setattr(module.shutil, "which", lambda name: name if name in programs else None)
    monkeypatch.setattr(os, "geteuid", lambda: uid)


def test_nothing_is_done_when_all_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine("gcc", "libc6-dev")
    plug(machine, monkeypatch, tmp_path, "dpkg-query", "apt-get")
    assert ensure(["gcc", "libc6-dev"], "a C compiler", allow_install=True) == []
    assert machine.ran == []


def test_only_what_is_missing_is_installed_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine = Machine("gcc")
    plug(machine, monkeypatch, tmp_path, "dpkg-query", "apt-get")
    assert missing(["gcc", "libc6-dev"]) == ["libc6-dev"]
    (line,) = ensure(["gcc", "libc6-dev"], "a C compiler", allow_install=True)
    assert line.startswith("installed libc6-dev from ")
    assert machine.ran[0] == ["apt-get", "update"]
    assert machine.ran[-1] == ["apt-get", "install", "-y", "libc6-dev"]


@pytest.mark.parametrize("status", ["half-installed", "unpacked", "half-configured"])
def test_what_was_cut_short_is_installed_to_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: str
) -> None:
    machine = Machine(begun=status)
    plug(machine, monkeypatch, tmp_path, "dpkg-query", "apt-get")
    assert module.cut_short(["docker.io"]) == missing(["docker.io"]) == ["docker.io"]
    ensure(["docker.io"], "a container engine", allow_install=True)
    assert machine.ran == [
        ["apt-get", "update"],
        ["dpkg", "--configure", "-a"],
        ["apt-get", "install", "--fix-broken", "-y"],
        ["apt-get", "install", "-y", "docker.io"],
    ]


@pytest.mark.parametrize("machine", [Machine(), Machine("docker.io")])
def test_neither_what_is_there_nor_what_is_not_was_cut_short(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plug(machine, monkeypatch, tmp_path, "dpkg-query")
    assert module.cut_short(["docker.io"]) == []
    plug(machine, monkeypatch, tmp_path)
    assert module.cut_short(["docker.io"]) == []


@pytest.mark.parametrize(("allowed", "uid", "why"), [(False, 0, "no system packages"), (True, 1000, "only root")])
def test_otherwise_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uid: int, why: str, *, allowed: bool
) -> None:
    machine = Machine()
    plug(machine, monkeypatch, tmp_path, "dpkg-query", "apt-get", uid=uid)
    with pytest.raises(HostError, match=rf"{why}.*Type: sudo apt-get update && sudo apt-get install -y docker\.io"):
        ensure(["docker.io"], "a container engine", allow_install=allowed)
    assert machine.ran == []


def test_a_machine_without_apt_is_told_what_to_look_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug(Machine(), monkeypatch, tmp_path)
    with pytest.raises(HostError, match=r"no apt-get.*by hand"):
        ensure(["mmdebstrap"], "building from source", allow_install=True)


def test_a_failed_installation_shows_what_apt_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug(Machine(apt_fails=True), monkeypatch, tmp_path, "dpkg-query", "apt-get")
    with pytest.raises(HostError, match=r"Unable to locate package[\s\S]*Log: .*apt\.log"):
        ensure(["mmdebstrap"], "building from source", allow_install=True)


def test_an_installation_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plug(Machine(apt_hangs=True), monkeypatch, tmp_path, "dpkg-query", "apt-get")
    with pytest.raises(HostError, match=r"apt-get install.*did not end within 900 s"):
        ensure(["mmdebstrap"], "building from source", allow_install=True)


def test_pytest_installs_nothing_and_ends_with_the_command(tmp_path: Path) -> None:
    """On a Debian without Docker, as root too: a machine whose only programs are those that the test plays."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {"dpkg-query": "exit 1", "apt-get": f'echo "$@" >> {tmp_path}/installed'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    places = {f"NEUROSCALE_{name}": str(tmp_path / name) for name in ("STATE", "CACHE", "REPORTS")}
    environment = {"PATH": str(programs), "HOME": str(tmp_path), **places}
    arguments = ["-m", "smoke", "-q", "tests/e2e/test_milestone_a.py"]
    code, said = warm.run("pytest", *arguments, folder=ROOT, environment=environment)
    assert code == ExitCode.NOT_RUN, said
    assert "Type: sudo apt-get update && sudo apt-get install -y docker.io" in said
    assert not (tmp_path / "installed").exists()


def test_what_is_only_recommended_stays_away_where_it_would_be_a_desktop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine()
    plug(machine, monkeypatch, tmp_path, "dpkg-query", "apt-get")
    (line,) = module.offer(["chromium"], "a browser")
    assert line.startswith("installed chromium from ")
    assert machine.ran[-1] == ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]


def test_what_only_some_scenarios_need_keeps_nobody_from_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plug(Machine(apt_fails=True), monkeypatch, tmp_path, "dpkg-query", "apt-get")
    (line,) = module.offer(["chromium"], "a browser")
    assert line.startswith("A browser should have been installed, but `apt-get install")
    for programs, uid in ((["dpkg-query", "apt-get"], 1000), (["dpkg-query"], 0)):
        machine = Machine()
        plug(machine, monkeypatch, tmp_path, *programs, uid=uid)
        assert module.offer(["chromium"], "a browser") == []
        assert machine.ran == []
