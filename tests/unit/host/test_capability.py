"""The runc wrapper: what it takes out of a container's files, and what it leaves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from neuroscale.host import capability

_WITHOUT = ["setpriv", "--bounding-set=-sys_resource"]


def _can_drop() -> bool:
    if not (shutil.which("gcc") and shutil.which("setpriv")):
        return False
    return not capability.has_sys_resource() or subprocess.run([*_WITHOUT, "true"], check=False).returncode == 0


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if not _can_drop():
        pytest.skip("needs gcc, and the right to drop a capability")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSCALE_CACHE", str(tmp_path_factory.mktemp("cache")))
        program = str(capability.wrapper())
    return [*(_WITHOUT if capability.has_sys_resource() else []), program]


def config(**process: object) -> dict[str, object]:
    lists = {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE", "CAP_KILL"]}
    return {"process": {"capabilities": {**lists, "permitted": ["CAP_SYS_RESOURCE"]}, **process}}


def own_score() -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("named", ["--bundle", "-b", "--bundle=", "working directory"])
def test_a_containers_config_loses_the_capability(
    wrapper: list[str], tmp_path: Path, indent: int | None, named: str
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config(oomScoreAdj=-998), indent=indent))
    where = {"working directory": [], "--bundle=": [f"--bundle={tmp_path}"]}.get(named, [named, str(tmp_path)])
    subprocess.run([*wrapper, "create", *where, "--help"], capture_output=True, check=False, cwd=tmp_path)
    process = json.loads(file.read_text())["process"]
    assert process["capabilities"] == {"bounding": ["CAP_CHOWN"], "effective": ["CAP_KILL"], "permitted": []}
    assert process["oomScoreAdj"] == max(own_score(), -998)


def test_what_only_looks_like_it_stays(wrapper: list[str], tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    args = ["echo", 'say "CAP_SYS_RESOURCE"', '"oomScoreAdj":-5', "CAP_SYS_RESOURCE_NOT"]
    file.write_text(json.dumps(config(args=args, oomScoreAdj=1000)))
    subprocess.run([*wrapper, "create", "--bundle", str(tmp_path), "--help"], capture_output=True, check=False)
    process = json.loads(file.read_text())["process"]
    assert process["args"] == args
    assert process["oomScoreAdj"] == 1000


def test_exec_changes_the_process_file_and_not_the_bundle(wrapper: list[str], tmp_path: Path) -> None:
    process, bundle = tmp_path / "process.json", tmp_path / "config.json"
    process.write_text(json.dumps(config()["process"]))
    bundle.write_text(json.dumps(config()))
    command = [*wrapper, "--log", "/dev/null", "exec", "--process", str(process), "--help"]
    subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert "CAP_SYS_RESOURCE" not in process.read_text()
    assert json.loads(bundle.read_text()) == config()


def test_other_commands_change_nothing(wrapper: list[str], tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config()))
    subprocess.run([*wrapper, "--version"], capture_output=True, check=False, cwd=tmp_path)
    assert json.loads(file.read_text()) == config()


def test_the_bounding_set_is_read_from_proc() -> None:
    bounding = int(
        next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line), 16
    )
    assert capability.has_sys_resource() is bool(bounding & 1 << 24)
    assert capability.has_sys_resource(os.getpid()) is capability.has_sys_resource()
    assert capability.has_sys_resource(2**22 + 1)
