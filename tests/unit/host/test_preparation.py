"""Host preparation: silent on a healthy host; elsewhere a line per quirk, or the command to type."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from neuroscale.errors import HostError
from neuroscale.host import preparation as module
from neuroscale.host.engine import Engine
from neuroscale.host.preparation import Host, prepare


@dataclass
class World:
    """A machine."""

    engine_up: bool = False
    hangs: bool = False
    runtime: str = "runc"
    dockerd_pid: int | None = None
    systemd: bool = False
    capable: bool = True
    dockerd_installed: bool = True
    cut_short: tuple[str, ...] = ()
    path_has_sbin: bool = True
    starts: bool = True
    launched: list[list[str]] = field(default_factory=list)
    ran: list[list[str]] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class FakeEngine(Engine):
    """Answers once something has started it."""

    world: World

    def ask(self) -> Literal["answers", "is silent", "hangs"]:
        if self.world.hangs:
            return "hangs"
        return "answers" if self.world.engine_up else "is silent"

    def call(self, *arguments: str, within: float = 60) -> str:
        assert arguments[0] == "info"
        return f"{self.world.runtime}\n"


@dataclass
class FakeHost(Host):
    """The machine as preparation sees it."""

    world: World = field(default_factory=World)

    def under_systemd(self) -> bool:
        return self.world.systemd

    def dockerd(self) -> int | None:
        return self.world.dockerd_pid


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()

    def ensure(packages: Any, purpose: str, *, allow_install: bool) -> list[str]:
        if not allow_install:
            raise HostError(f"Type: sudo apt-get install -y {' '.join(packages)}")
        world.installed += packages
        world.dockerd_installed = world.path_has_sbin
        return [f"installed {' '.join(packages)}"]

    def run(command: tuple[str, ...], *, within: float) -> None:
        world.ran.append([*command])
        if command[:2] == ("systemctl", "start"):
            world.engine_up = world.starts

    def leave_running(command: list[str], log: Path) -> None:
        world.launched.append(command)
        world.engine_up = world.starts

    monkeypatch.setenv("NEUROSCALE_CACHE", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(module.packages, "ensure", ensure)
    monkeypatch.setattr(module.packages, "cut_short", lambda _: world.cut_short)
    monkeypatch.setattr(module.capability, "has_sys_resource", lambda *_: world.capable)
    monkeypatch.setattr(module.capability, "wrapper", lambda: Path("/cache/host/runc"))
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}" if world.dockerd_installed else None)
    monkeypatch.setattr(module, "run", run)
    monkeypatch.setattr(module, "leave_running", leave_running)
    return world


def host(world: World, tmp_path: Path) -> FakeHost:
    return FakeHost(engine=FakeEngine(world=world), pid_file=tmp_path / "docker.pid", world=world)


def test_on_a_healthy_host_nothing_is_done_and_nothing_is_said(world: World, tmp_path: Path) -> None:
    world.engine_up, world.dockerd_pid = True, 17
    assert prepare(allow_install=True, host=host(world, tmp_path)).lines == ()
    assert (world.launched, world.ran, world.installed) == ([], [], [])


def test_a_stopped_engine_is_started_through_systemd_where_there_is_one(world: World, tmp_path: Path) -> None:
    world.systemd = True
    (line,) = prepare(allow_install=False, host=host(world, tmp_path)).lines
    assert line == "started dockerd through systemd; log: journalctl -u docker"
    assert world.ran == [["systemctl", "start", "docker"]]


def test_a_stopped_engine_is_started_directly_where_there_is_no_systemd(world: World, tmp_path: Path) -> None:
    (line,) = prepare(allow_install=False, host=host(world, tmp_path)).lines
    assert line.startswith("started dockerd as there is no systemd to do so; log: ")
    assert world.launched == [["dockerd"]]


def test_without_the_capability_dockerd_gets_the_wrapper_and_says_so(world: World, tmp_path: Path) -> None:
    world.capable = False
    lines = prepare(allow_install=True, host=host(world, tmp_path)).lines
    assert any("withholds CAP_SYS_RESOURCE" in line for line in lines)
    assert world.launched == [["dockerd", "--add-runtime=neuroscale=/cache/host/runc", "--default-runtime=neuroscale"]]
    assert "gcc" in world.installed


@pytest.mark.parametrize(("runtime", "fine"), [("neuroscale", True), ("runc", False)])
def test_a_running_engine_without_the_capability_must_have_the_wrapper(
    world: World, tmp_path: Path, runtime: str, *, fine: bool
) -> None:
    world.engine_up, world.dockerd_pid, world.capable, world.runtime = True, 17, False, runtime
    if fine:
        assert prepare(allow_install=True, host=host(world, tmp_path)).lines == ()
        return
    with pytest.raises(HostError, match=r"kill \$\(cat /var/run/docker.pid\)"):
        prepare(allow_install=True, host=host(world, tmp_path))


def test_an_engine_out_of_sight_is_not_judged_by_this_process(world: World, tmp_path: Path) -> None:
    world.engine_up, world.capable = True, False
    assert prepare(allow_install=True, host=host(world, tmp_path)).lines == ()


def test_docker_is_installed_where_that_is_allowed(world: World, tmp_path: Path) -> None:
    world.dockerd_installed = False
    lines = prepare(allow_install=True, host=host(world, tmp_path)).lines
    assert lines[0] == "installed docker.io"
    assert world.launched == [["dockerd"]]


def test_a_docker_whose_installation_was_cut_short_is_installed_to_its_end(world: World, tmp_path: Path) -> None:
    """dockerd is on PATH then, and iptables may not be, without which it does not start."""
    world.cut_short = ("docker.io",)
    lines = prepare(allow_install=True, host=host(world, tmp_path)).lines
    assert lines[0] == "installed docker.io"
    assert world.launched == [["dockerd"]]


def test_a_path_without_system_programs_is_told(world: World, tmp_path: Path) -> None:
    world.dockerd_installed = world.path_has_sbin = False
    with pytest.raises(HostError, match=r"dockerd is not on PATH\. Type: export PATH=\$PATH:/usr/sbin"):
        prepare(allow_install=True, host=host(world, tmp_path))
    assert world.launched == []


def test_without_docker_and_leave_to_install_it_the_command_is_named(world: World, tmp_path: Path) -> None:
    world.dockerd_installed = False
    with pytest.raises(HostError, match=r"Type: sudo apt-get install -y docker\.io"):
        prepare(allow_install=False, host=host(world, tmp_path))
    assert world.launched == []


def test_a_pid_file_of_a_dead_dockerd_is_removed(world: World, tmp_path: Path) -> None:
    pid_file = tmp_path / "docker.pid"
    # A process that is alive and is not dockerd: this one.
    pid_file.write_text(str(os.getpid()))
    lines = prepare(allow_install=False, host=host(world, tmp_path)).lines
    assert lines[0] == f"removed {pid_file}, left behind by a dockerd that is gone (process {os.getpid()})"
    assert not pid_file.exists()


def test_an_engine_that_does_not_come_up_is_an_error_with_the_log(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.starts = False
    monkeypatch.setattr(module, "_ANSWER_WITHIN", 0.1)
    with pytest.raises(HostError, match=r"Evidence: .*dockerd\.log"):
        prepare(allow_install=False, host=host(world, tmp_path))


def test_another_machines_engine_is_not_started_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(HostError, match=r"DOCKER_HOST=tcp://10\.0\.0\.1:2375"):
        prepare(allow_install=True, host=host(world, tmp_path))
    assert world.launched == []


def test_only_root_starts_an_engine(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostError, match="Type: sudo systemctl start docker"):
        prepare(allow_install=True, host=host(world, tmp_path))


def test_an_engine_that_hangs_gets_no_second_one_beside_it(world: World, tmp_path: Path) -> None:
    world.hangs = True
    with pytest.raises(HostError, match=r"within 5 s, but it hangs\. No second one was started\. Next: docker version"):
        prepare(allow_install=True, host=host(world, tmp_path))
    assert (world.launched, world.ran, world.installed) == ([], [], [])


def test_a_dockerd_that_runs_and_is_silent_is_waited_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.dockerd_pid = 17
    monkeypatch.setattr(module, "_ANSWER_WITHIN", 0.1)
    with pytest.raises(HostError, match=r"dockerd runs \(process 17\) and should answer within 0 s"):
        prepare(allow_install=True, host=host(world, tmp_path))
    monkeypatch.setattr(module, "pause", lambda _: setattr(world, "engine_up", True))
    assert prepare(allow_install=True, host=host(world, tmp_path)).lines == ()
    assert (world.launched, world.ran) == ([], [])
