"""Python packages for images: which wheels pip is asked for, and what compiles them."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import Any

import pytest

from neuroscale.errors import SupplyError
from neuroscale.settings import ROOT
from neuroscale.supply import python as module
from neuroscale.supply.artifacts import PARTS, RECIPES, PythonPackages
from neuroscale.supply.python import install

_PARTS = sorted(name for name, kind in PARTS.items() if isinstance(kind, PythonPackages))


class Runs:
    """Stands in for running commands: pip leaves a package, tar unpacks for real."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: list[list[str]] = []
        self.env: list[dict[str, str]] = []
        self.real = module.run_logged
        monkeypatch.setattr(module, "run_logged", self)

    def __call__(self, command: list[str], log: Path, *, env: Any) -> None:
        self.commands.append(command)
        self.env.append(dict(env))
        if command[0] == "tar":
            self.real(command, log, env=env)
        elif "pip" in command:
            package = Path(command[command.index("--target") + 1]) / "example"
            (package / "linear" / "tests").mkdir(parents=True)
            (package / "linear" / "tests" / "test_it.py").touch()
            (package / "__init__.py").touch()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "requirements.txt").write_text("example==1.2.0\n# What it needs.\nother==3.0\n")
    return folder


def root(tmp_path: Path, *files: str) -> Path:
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        for name in files:
            tar.addfile(tarfile.TarInfo(name))
    return layer


def test_wheels_fit_the_image_and_not_this_machine(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.platform, "machine", lambda: "aarch64")
    runs = Runs(monkeypatch)
    layer = root(tmp_path, "./usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", "./usr/bin/python3.11")
    assert install(recipe, layer, tmp_path, tmp_path / "log") == "1.2.0"
    pip = runs.commands[0]
    assert {"--no-deps", "--only-binary=:all:", "--python-version=3.11"} <= set(pip)
    assert {"--platform=manylinux_2_28_aarch64", "--platform=manylinux2014_aarch64"} <= set(pip)
    assert "--platform=manylinux_2_37_aarch64" not in pip


def test_the_roots_own_python_compiles_and_tests_are_left_out(
    tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(monkeypatch)
    layer = root(tmp_path, "./usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "./usr/bin/python3.11")
    install(recipe, layer, tmp_path, tmp_path / "log")
    compiling = runs.commands[-1]
    assert compiling[0].endswith("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")
    assert compiling[3].endswith("/usr/bin/python3.11")
    assert "unchecked-hash" in compiling
    assert runs.env[-1]["PYTHONHOME"] == compiling[3].removesuffix("/bin/python3.11")
    assert [str(file.relative_to(tmp_path)) for file in (tmp_path / "packages").rglob("*") if file.is_file()] == [
        "packages/example/__init__.py"
    ]


def test_a_root_without_a_loader_is_an_error(tmp_path: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Runs(monkeypatch)
    layer = root(tmp_path, "./usr/lib/os-release", "./usr/bin/python3.11")
    with pytest.raises(SupplyError, match=r"should hold Python 3\.11 and a loader, but has no ld-linux"):
        install(recipe, layer, tmp_path, tmp_path / "log")


@pytest.mark.parametrize("name", _PARTS)
def test_every_package_is_pinned_exactly(name: str) -> None:
    lines = (RECIPES / name / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    assert packages
    assert [line for line in packages if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9a-z.]+", line)] == []


def test_models_are_trained_by_the_release_that_serves_them() -> None:
    serving = pinned(RECIPES / "sklearnserver" / "requirements.txt")
    training = pinned(ROOT / "constraints.txt")
    for package in ("cloudpickle", "joblib", "numpy", "scikit-learn", "scipy"):
        assert serving[package] == training[package]


def pinned(file: Path) -> dict[str, str]:
    """Package to version."""
    return dict(line.split("==") for line in file.read_text().splitlines() if "==" in line)
