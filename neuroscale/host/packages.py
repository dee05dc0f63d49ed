"""Debian packages of the machine itself: what is missing, and installing it where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from neuroscale.errors import HostError
from neuroscale.settings import cache_dir

DOCKER = ("docker.io",)
#: What compiling the capability wrapper takes.
COMPILER = ("gcc", "libc6-dev")
#: What the source supply builds with. The keyring lets Ubuntu verify Debian's packages.
BUILD_TOOLS = (*COMPILER, "debian-archive-keyring", "libseccomp-dev", "mmdebstrap", "pkg-config")
_WITHIN = 900.0


def missing(packages: Iterable[str]) -> list[str]:
    """Those that dpkg does not have installed; all of them where there is no dpkg."""
    if not shutil.which("dpkg-query"):
        return list(packages)
    return [package for package in packages if not _installed(package)]


def ensure(packages: Iterable[str], purpose: str, *, allow_install: bool) -> list[str]:
    """Install what is missing.

    Args:
        packages: Debian package names.
        purpose: What they are for, for people: ``"a container engine"``.
        allow_install: May packages be installed?

    Returns:
        One line if something was installed, none otherwise.

    Raises:
        HostError: Packages are missing and may not or cannot be installed; the text has the command to type.
    """
    lacking = missing(packages)
    if not lacking:
        return []
    names = " ".join(lacking)
    if not shutil.which("apt-get"):
        raise HostError(
            f"{purpose.capitalize()} is needed, but {names} cannot be installed: this machine has no apt-get. "
            f"Install the equivalent of these Debian packages by hand, then run the same command again."
        )
    if not allow_install or os.geteuid() != 0:
        why = "only root may install it" if allow_install else "this command installs no system packages"
        raise HostError(
            f"{purpose.capitalize()} is needed, but {names} is not installed and {why}. "
            f"Type: sudo apt-get update && sudo apt-get install -y {names}; "
            "or, as root: neuroscale up, which installs it and says so"
        )
    _install(lacking, purpose)
    return [f"installed {names} from {_distribution()}: {purpose} was missing"]


def _install(packages: list[str], purpose: str) -> None:
    log = cache_dir() / "logs" / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", *packages]):
        with log.open("ab") as out:
            try:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, timeout=_WITHIN,
                    env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                failed = f"did not end within {_WITHIN:.0f} s"
            else:
                failed = "failed" if done.returncode else ""
    if failed:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise HostError(
            f"{purpose.capitalize()} should have been installed, but `{' '.join(command)}` {failed}:\n{tail}\n"
            f"Log: {log}   Next: {' '.join(command)}"
        )


def _installed(package: str) -> bool:
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout == "installed"


def _distribution() -> str:
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("NAME="):
            return line.partition("=")[2].strip('"')
    return "the distribution"
