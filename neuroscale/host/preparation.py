"""Making the machine fit for a cluster: an engine that answers and can run privileged containers.

Each quirk that is met and handled gives one line. On a healthy host nothing is done and nothing is said.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from neuroscale.errors import HostError, ProgramFailed
from neuroscale.host import capability, packages
from neuroscale.host.engine import Engine
from neuroscale.host.programs import leave_running, run
from neuroscale.polling import pause
from neuroscale.settings import cache_dir

_ANSWER_WITHIN = 60.0
_SERVICE_SECONDS = 60.0
_PID_FILE = Path("/var/run/docker.pid")


@dataclass(frozen=True)
class HostReport:
    """What was done to the host: one line for each quirk."""

    lines: tuple[str, ...]


@dataclass
class Host:
    """The machine as preparation sees it; tests bring their own.

    Attributes:
        engine: The Docker engine.
        pid_file: Where dockerd writes its process id.
    """

    engine: Engine = field(default_factory=Engine)
    pid_file: Path = _PID_FILE

    def under_systemd(self) -> bool:
        """Does systemd run this machine?"""
        return Path("/run/systemd/system").is_dir()

    def dockerd(self) -> int | None:
        """Process id of the engine, if it runs in sight."""
        return next(
            (process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == "dockerd"), None
        )


def prepare(*, allow_install: bool, host: Host | None = None) -> HostReport:
    """Bring up an engine that can run k3d's nodes.

    Args:
        allow_install: May Debian packages be installed?
        host: The machine.

    Raises:
        HostError: Something is missing that may not or cannot be mended; the text has the command to type.
    """
    host = host or Host()
    lines: list[str] = []
    heard = host.engine.ask()
    if heard != "answers":
        _explain_deaf_engine(host, heard)
        if not shutil.which("dockerd") or packages.cut_short(packages.DOCKER):
            lines += packages.ensure(packages.DOCKER, "a container engine", allow_install=allow_install)
            if not shutil.which("dockerd"):
                raise HostError(
                    "The container engine is installed, but dockerd is not on PATH. Type: export PATH=$PATH:/usr/sbin"
                )
            # The package starts the engine in its own way, which lacks the wrapper.
            if not capability.has_sys_resource() and host.engine.answers():
                _service("service", "docker", "stop")
        lines += _start(host, allow_install=allow_install)
    elif (pid := host.dockerd()) and not capability.has_sys_resource(pid):
        _want_wrapper(host.engine)
    return HostReport(tuple(lines))


def _service(*command: str) -> None:
    """Whether it worked shows in whether the engine answers."""
    with suppress(ProgramFailed):
        run(command, within=_SERVICE_SECONDS)


def _explain_deaf_engine(host: Host, heard: str) -> None:
    if address := os.environ.get("DOCKER_HOST"):
        raise HostError(
            f"The engine at DOCKER_HOST={address} should answer within 5 s, but does not. Next: docker info"
        )
    if host.dockerd() and os.geteuid() != 0 and not os.access("/var/run/docker.sock", os.W_OK):
        raise HostError(
            "dockerd runs, but this user may not talk to it. Type: sudo usermod -aG docker $USER, and log in again"
        )
    if heard == "hangs":
        # Something holds its socket: a second dockerd would fight with it over containers and networks.
        raise HostError(
            "The container engine should answer `docker version` within 5 s, but it hangs. No second one was started. "
            "Next: docker version; then restart the engine, or the machine"
        )


def _start(host: Host, *, allow_install: bool) -> list[str]:
    if host.engine.answers():
        return []
    if pid := host.dockerd():
        # It may be starting; a second one would fight with it.
        _await_answer(host.engine, "journalctl -u docker", f"dockerd runs (process {pid})")
        return []
    if os.geteuid() != 0:
        raise HostError("The container engine is installed but not running. Type: sudo systemctl start docker")
    lines = _sweep_pid_file(host)
    if host.under_systemd():
        _service("systemctl", "start", "docker")
        log, how = "journalctl -u docker", "through systemd"
    else:
        extra: list[str] = []
        if not capability.has_sys_resource():
            lines += packages.ensure(packages.COMPILER, "a C compiler", allow_install=allow_install)
            extra = [
                f"--add-runtime={capability.RUNTIME}={capability.wrapper()}",
                f"--default-runtime={capability.RUNTIME}",
            ]
            lines.append(
                "this machine withholds CAP_SYS_RESOURCE: dockerd runs containers through a wrapper around runc"
            )
        log, how = str(_launch(extra)), "as there is no systemd to do so"
    _await_answer(host.engine, log, "dockerd was started")
    return [*lines, f"started dockerd {how}; log: {log}"]


def _sweep_pid_file(host: Host) -> list[str]:
    """A killed dockerd leaves its pid behind; once another process bears it, the next dockerd refuses to start."""
    try:
        pid = int(host.pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return []
    if psutil.pid_exists(pid) and psutil.Process(pid).name() == "dockerd":
        return []
    host.pid_file.unlink()
    return [f"removed {host.pid_file}, left behind by a dockerd that is gone (process {pid})"]


def _launch(extra: list[str]) -> Path:
    log = cache_dir() / "logs" / "dockerd.log"
    leave_running(["dockerd", *extra], log)
    return log


def _await_answer(engine: Engine, log: str, which: str) -> None:
    limit = time.monotonic() + _ANSWER_WITHIN
    while not engine.answers():
        if time.monotonic() > limit:
            raise HostError(
                f"{which} and should answer within {_ANSWER_WITHIN:.0f} s, but `docker version` fails. "
                f"Evidence: {log}   Next: dockerd"
            )
        pause(0.25)


def _want_wrapper(engine: Engine) -> None:
    if engine.call("info", "--format", "{{.DefaultRuntime}}").strip() == capability.RUNTIME:
        return
    raise HostError(
        "dockerd runs without CAP_SYS_RESOURCE and without the wrapper that makes up for it, so no cluster node could "
        "start. Stop that dockerd (kill $(cat /var/run/docker.pid)) and run the same command again: it will be started "
        "with the wrapper"
    )
