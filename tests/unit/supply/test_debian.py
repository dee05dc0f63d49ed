"""Debian roots: what mmdebstrap is asked for, and what is said about the result."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from neuroscale.supply import debian as module
from neuroscale.supply.artifacts import RECIPES
from neuroscale.supply.debian import make_root

_STATUS = """Package: runc
Status: install ok installed
Version: 1.1.5+ds1-1
Description: a runtime
 Version: not this

Package: perl-base
Version: 5.36
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    asked: dict[str, Any] = {}

    def run(command: list[str], log: Path, *, env: dict[str, str]) -> None:
        asked.update(command=command, env=env)
        with tarfile.open(command[-1], "w") as tar:
            member = tarfile.TarInfo("./var/lib/dpkg/status")
            member.size = len(_STATUS)
            tar.addfile(member, io.BytesIO(_STATUS.encode()))

    monkeypatch.setattr(module, "run_logged", run)
    return asked


def test_the_versions_of_the_packages_asked_for_are_reported(asked: dict[str, Any], tmp_path: Path) -> None:
    assert make_root("node", RECIPES / "root", tmp_path, tmp_path / "log") == {"runc": "1.1.5+ds1-1"}
    assert [path.name for path in tmp_path.iterdir()] == ["layer.tar"]
    assert asked["command"][0] == "mmdebstrap"
    assert asked["command"][-2] == "bookworm"
    assert Path(asked["env"]["TMPDIR"]).parent == tmp_path


def test_the_nodes_shell_is_one_that_k3ds_entrypoint_runs_in(asked: dict[str, Any], tmp_path: Path) -> None:
    make_root("node", RECIPES / "root", tmp_path, tmp_path / "log")
    assert '--customize-hook=ln -sf bash "$1/bin/sh"' in asked["command"]


def test_pods_have_names_for_the_ids_that_upstream_manifests_use(asked: dict[str, Any], tmp_path: Path) -> None:
    make_root("pods", RECIPES / "root", tmp_path, tmp_path / "log")
    hooks = " ".join(asked["command"])
    for user in ("argocd:x:999:999", "git:x:1000:1000", "nginx:x:101:101", "nonroot:x:65532:65532"):
        assert user in hooks
