"""Debian packages of the machine itself: what is missing, and installing it where that is allowed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from neuroscale.errors import HostError, ProgramFailed
from neuroscale.host.direct import internet_environment
from neuroscale.host.programs import log_output, run
from neuroscale.settings import cache_dir

DOCKER = ("docker.io",)
#: What compiling the capability wrapper takes.
COMPILER = ("gcc", "libc6-dev")
#: What the source supply builds with. The keyring lets Ubuntu verify Debian's packages.
BUILD_TOOLS = (*COMPILER, "debian-archive-keyring", "libseccomp-dev", "mmdebstrap", "pkg-config")
BROWSER = "chromium"
#: As dpkg calls a package on its way in.
_BEGUN = frozenset({"half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending"})
_INSTALL_SECONDS = 900
_QUERY_SECONDS = 30


def missing(packages: Iterable[str]) -> list[str]:
    """Those that dpkg does not have installed; all of them where there is no dpkg."""
    if not shutil.which("dpkg-query"):
        return list(packages)
    return [package for package in packages if not _installed(package)]


def cut_short(packages: Iterable[str]) -> list[str]:
    """Those whose installation was begun and not ended: their programs may be there, and what they need may not."""
    if not shutil.which("dpkg-query"):
        return []
    return [package for package in packages if _status(package) in _BEGUN]


def ensure(packages: Iterable[str], purpose: str, *, allow_install: bool, recommended: bool = True) -> list[str]:
    """Install what is missing.

    Args:
        packages: Debian package names.
        purpose: What they are for, for people: ``"a container engine"``.
        allow_install: May packages be installed?
        recommended: Whether what Debian recommends beside them comes along; for a browser that is a whole desktop.

    Returns:
        One line if something was installed, none otherwise.

    Raises:
        HostError: Packages are missing and may not or cannot be installed; the text has the command to type.
    """
    lacking = missing(packages)
    if not lacking:
        return []
    names, options = " ".join(lacking), ("-y",) if recommended else ("-y", "--no-install-recommends")
    if not shutil.which("apt-get"):
        raise HostError(
            f"{purpose.capitalize()} is needed, but {names} cannot be installed: this machine has no apt-get. "
            f"Install the equivalent of these Debian packages by hand, then run the same command again."
        )
    if not allow_install or os.geteuid() != 0:
        why = "only root may install it" if allow_install else "this command installs no system packages"
        raise HostError(
            f"{purpose.capitalize()} is needed, but {names} is not installed and {why}. "
            f"Type: sudo apt-get update && sudo apt-get install {' '.join(options)} {names}; "
            "or, as root: neuroscale up, which installs it and says so"
        )
    _install([*options, *lacking], purpose)
    return [f"installed {names} from {_distribution()}: {purpose} was missing"]


def offer(packages: Iterable[str], purpose: str) -> list[str]:
    """Install what only some scenarios need, where root may; elsewhere they say themselves what to type.

    Args:
        packages: Debian package names.
        purpose: What they are for, for people: ``"a browser"``.

    Returns:
        A line for what was installed, or why it was not.
    """
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return []
    try:
        return ensure(packages, purpose, allow_install=True, recommended=False)
    except HostError as error:
        return [str(error)]


def _install(arguments: list[str], purpose: str) -> None:
    log = cache_dir() / "logs" / "apt.log"
    environment = internet_environment() | {"DEBIAN_FRONTEND": "noninteractive"}
    failed: ProgramFailed | None = None
    commands = (
        ["apt-get", "update"],
        # What a killed dpkg has left is ended: apt-get refuses to install anything beside it.
        ["dpkg", "--configure", "-a"],
        ["apt-get", "install", "--fix-broken", "-y"],
        ["apt-get", "install", *arguments],
    )
    for command in commands:
        try:
            log_output(command, log, within=_INSTALL_SECONDS, env=environment)
        except ProgramFailed as error:
            # An index that cannot be fetched anew may still do, and what dpkg cannot configure is for apt-get to mend.
            failed = error
        else:
            failed = None
    if failed:
        tail = "\n".join(failed.said.splitlines()[-5:])
        raise HostError(
            f"{purpose.capitalize()} should have been installed, but `{' '.join(command)}` {failed.how}:\n{tail}\n"
            f"Log: {log}   Next: {' '.join(command)}"
        ) from failed


def _installed(package: str) -> bool:
    return _status(package) == "installed"


def _status(package: str) -> str:
    asked = run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], within=_QUERY_SECONDS)
    return asked.stdout if asked.returncode == 0 else ""


def _distribution() -> str:
    for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("NAME="):
            return line.partition("=")[2].strip('"')
    return "the distribution"
