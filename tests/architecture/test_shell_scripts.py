"""Every shell script of the repository, by ShellCheck."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import source

from neuroscale.settings import ROOT

_SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def shellcheck(*scripts: Path) -> subprocess.CompletedProcess[str]:
    """Its complaints; what a script sources is found from the root."""
    command = [str(_SHELLCHECK), "--norc", "--external-sources", "--format=gcc", *map(str, scripts)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        return path.suffix == ".sh" or bool(re.match(rb"#!.*\b(ba|da)?sh\b", file.readline(80)))


def test_every_shell_script_is_clean() -> None:
    scripts = [path for path in source.files() if is_shell(path)]
    assert {"run", "bootstrap.sh", "environment.sh", "smoke-test.sh"} <= {path.name for path in scripts}
    checked = shellcheck(*scripts)
    assert checked.stdout + checked.stderr == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("script", ["#!/bin/sh\nrm $1\n", "#!/usr/bin/env bash\ncd /nowhere\n", "#!/bin/sh\n[[ a ]]\n"])
def test_a_flaw_is_found(script: str, tmp_path: Path) -> None:
    flawed = tmp_path / "flawed"
    flawed.write_text(script, encoding="utf-8")
    assert is_shell(flawed)
    assert "warning" in shellcheck(flawed).stdout or "note" in shellcheck(flawed).stdout
    assert shellcheck(flawed).returncode == 1
