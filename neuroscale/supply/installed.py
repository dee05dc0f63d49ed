"""Packages of programs that the suite runs, each whole in a folder of the cache, or not there at all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.host.direct import internet_environment
from neuroscale.host.file_lock import exclusive
from neuroscale.host.programs import output
from neuroscale.settings import cache_dir

INSTALL_SECONDS = 300


def installed(package: str, version: str, install: Callable[[str, str, Path], None]) -> Path:
    """The folder of a package; renamed into place when whole, so that a killed install leaves nothing half done.

    Args:
        package: Its name.
        version: Whatever decides about its content.
        install: Puts that version of it into the folder that it is given, which does not exist yet.
    """
    tools = cache_dir() / "tools"
    folder = tools / f"{package}-{version}"
    if not folder.is_dir():
        lock = exclusive(tools / f"{package}.lock", f"The installation of {package}")
        with lock, tempfile.TemporaryDirectory(dir=tools) as draft:
            if not folder.is_dir():  # whoever held the lock before may have done it
                install(package, version, Path(draft) / "whole")
                (Path(draft) / "whole").rename(folder)
    return folder


def pip_install(arguments: Sequence[str], into: Path, *, within: float = INSTALL_SECONDS) -> None:
    """Install Python packages into a folder, within so many seconds.

    Raises:
        SupplyError: They cannot be had.
    """
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
    run_program([*pip, "--target", str(into), *arguments], within=within)


def run_program(
    command: Sequence[str], *, within: float, extra: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a program and return what it printed.

    Raises:
        SupplyError: It is missing, failed or took longer than ``within`` seconds.
    """
    try:
        return output(command, within=within, env={**internet_environment(), **(extra or {})}, folder=folder)
    except ProgramFailed as error:
        name = " ".join(Path(part).name for part in command[:3])
        raise SupplyError(f"{name} should succeed, but {error}") from error
