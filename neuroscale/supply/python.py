"""Python packages for images: wheels as ``requirements.txt`` pins them, compiled by the Python that will run them."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import SupplyError
from neuroscale.host.direct import internet_environment
from neuroscale.supply.commands import run_logged
from neuroscale.supply.store import discard

#: The Python and the C library of Debian bookworm, which the wheels must fit.
VERSION = "3.11"
_GLIBC_MINOR = 36
#: Where each part keeps its packages, and where Debian's Python looks for them.
FOLDER = "packages"


def install(recipe: Path, root: Path, into: Path, log: Path) -> str:
    """Install the pinned wheels into ``packages`` and compile them.

    Args:
        recipe: Folder that holds ``requirements.txt``: the whole closure, what is wanted first.
        root: Layer of the Debian root that the images stand on.
        into: Where to put the folder.
        log: Log file.

    Returns:
        Version of the first package.

    Raises:
        SupplyError: pip or the compiler failed, or the root holds no Python.
    """
    requirements = recipe / "requirements.txt"
    target = into / FOLDER
    machine = platform.machine()
    run_logged(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
            "--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={VERSION}",
            *(f"--platform=manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 16, -1)),
            f"--platform=manylinux2014_{machine}", "--target", str(target), "--requirement", str(requirements),
        ],
        log,
        env=internet_environment(),
    )  # fmt: skip
    for tests in sorted(target.glob("**/tests"), reverse=True):
        discard(tests)
    _compile(target, root, into, log)
    return next(line for line in requirements.read_text(encoding="utf-8").splitlines() if "==" in line).split("==")[1]


def take(package: Path, root: Path, into: Path, log: Path) -> None:
    """Copy a package of this repository, and compile it.

    Args:
        package: Its folder.
        root: Layer of the Debian root that has the Python.
        into: What the copy shall be.
        log: Log file.

    Raises:
        SupplyError: The compiler failed, or the root holds no Python.
    """
    shutil.copytree(package, into, ignore=shutil.ignore_patterns("__pycache__"))
    _compile(into, root, into.parent, log)


def _compile(packages: Path, root: Path, into: Path, log: Path) -> None:
    """Byte-compile with the root's own Python, run by the root's own loader: this machine's may be another version."""
    with TemporaryDirectory(dir=into) as name:
        wanted = ("./usr/lib", f"./usr/bin/python{VERSION}")
        run_logged(["tar", "-xf", str(root), "-C", name, *wanted], log, env=os.environ)
        loaders = sorted(Path(name).glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
        if not loaders:
            raise SupplyError(f"{root} should hold Python {VERSION} and a loader, but has no ld-linux. See {log}")
        run_logged(
            [
                str(loaders[0]), "--library-path", str(loaders[0].parent), f"{name}/usr/bin/python{VERSION}", "-m",
                # Layers bear a fixed date, by which Python would take every compiled file for outdated.
                "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(into), str(packages),
            ],
            log,
            env=os.environ | {"PYTHONHOME": f"{name}/usr"},
        )  # fmt: skip
