"""Debian roots made by mmdebstrap: the lowest layer of images whose programs Debian has."""

from __future__ import annotations

import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from neuroscale.host.direct import internet_environment
from neuroscale.supply.commands import run_logged
from neuroscale.supply.pins import pins

_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")


class RootRecipe(BaseModel):
    """One table of ``root.toml``.

    Attributes:
        users: Names of users to add, to their numeric ids.
        shell: What ``/bin/sh`` is.
        without: Files of these packages to leave out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    packages: list[str]
    users: dict[str, int]
    shell: str
    without: list[str]


def make_root(name: str, recipe: Path, into: Path, log: Path) -> dict[str, str]:
    """Make ``layer.tar``.

    Args:
        name: Table of ``root.toml``.
        recipe: Folder that holds ``root.toml``.
        into: Where to put the layer; also takes mmdebstrap's working files.
        log: Log file.

    Returns:
        Package to the version that Debian gave.

    Raises:
        SupplyError: mmdebstrap failed.
    """
    root = RootRecipe.model_validate(tomllib.loads((recipe / "root.toml").read_text(encoding="utf-8"))[name])
    workspace = into / "tmp"
    workspace.mkdir()
    hooks = [f'ln -sf {root.shell} "$1/bin/sh"', 'rm -rf "$1"/var/cache/* "$1"/var/log/*']
    hooks += [_add_user(user, uid) for user, uid in root.users.items()]
    run_logged(
        [
            "mmdebstrap", "--variant=minbase", f"--include={','.join(root.packages)}", "--skip=check/empty",
            '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"',
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in (*_LEFT_OUT, *root.without)),
            *(f"--customize-hook={hook}" for hook in hooks),
            pins().debian.suite, str(into / "layer.tar"),
        ],
        log,
        # A fixed date makes the layer a function of the packages.
        env=internet_environment() | {"TMPDIR": str(workspace), "SOURCE_DATE_EPOCH": "1000000000"},
    )  # fmt: skip
    workspace.rmdir()
    return {package: version for package, version in _installed(into / "layer.tar") if package in root.packages}


def _add_user(name: str, uid: int) -> str:
    user, group = f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh", f"{name}:x:{uid}:"
    return f'echo "{user}" >> "$1/etc/passwd"; echo "{group}" >> "$1/etc/group"'


def _installed(layer: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(layer) as tar:
        status = tar.extractfile("./var/lib/dpkg/status")
        text = status.read().decode() if status else ""
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if "Package" in fields:
            yield fields["Package"], fields.get("Version", "unknown")
