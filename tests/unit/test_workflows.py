"""What the workflows do where it can be tried without a CI system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import git

from neuroscale.settings import ROOT

WORKFLOWS = {
    file.stem: yaml.safe_load(file.read_text(encoding="utf-8"))
    for file in sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
}


def steps() -> list[dict[str, Any]]:
    return [step for flow in WORKFLOWS.values() for job in flow["jobs"].values() for step in job["steps"]]


def test_a_cache_of_another_version_is_better_than_none() -> None:
    caches = [step for step in steps() if step.get("uses", "").startswith("actions/cache@")]
    assert caches
    assert [step for step in caches if not step["with"]["key"].startswith(step["with"].get("restore-keys", "-"))] == []


@pytest.mark.parametrize(
    ("base", "compared"),
    [("HEAD", True), ("0" * 40, False), ("f" * 40, False), ("", False)],
    ids=["a commit", "a first push", "a forced push", "nothing"],
)
def test_the_gate_says_what_it_compares_with(base: str, compared: bool, tmp_path: Path) -> None:
    (script,) = (step["run"] for step in steps() if step.get("name") == "Gate")
    git("init", "--quiet", str(tmp_path))
    git("-C", str(tmp_path), "commit", "--quiet", "--allow-empty", "--message", "First")
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text('#!/bin/sh\necho "made: $*"\n', encoding="utf-8")
    make.chmod(0o755)
    ended = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "BASE": base, "PATH": f"{make.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == f"made: gate BASE={base if compared else ''}"
    assert ("nothing to compare" in ended.stdout) is not compared


def test_the_fast_tier_runs_where_people_are() -> None:
    """The oldest Python there is, and an environment with everything in it that had made tests red."""
    jobs = WORKFLOWS["pull-request"]["jobs"]
    assert jobs["debian"]["container"] == "debian:12"
    (tested,) = (step for step in jobs["elsewhere"]["steps"] if "env" in step)
    assert {"NEUROSCALE_CLUSTER", "FORCE_COLOR", "COLUMNS", "LC_ALL", "http_proxy", "ALL_PROXY"} <= set(tested["env"])


#: Says what the real one would at the moment that ``NOW`` names.
DATE = """from datetime import UTC, datetime
from os import environ
from sys import argv
print(datetime.fromisoformat(environ["NOW"]).strftime(argv[1].removeprefix("+")))
"""


def turns(folder: Path, now: datetime) -> set[str]:
    """Parts that ``.ci/run`` leaves to another day, when all others pass at once."""
    script = folder / ".ci" / "run"
    script.parent.mkdir(exist_ok=True)
    shutil.copy(ROOT / ".ci" / "run", script)
    for name, text in {
        "bin/date": f"#!{sys.executable}\n{DATE}",
        **dict.fromkeys(("bin/make", ".venv/bin/neuroscale", ".venv/bin/python"), "#!/bin/sh\n"),
    }.items():
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [str(script)], env={"NOW": now.isoformat(), "PATH": path}, capture_output=True, text=True, check=True
    )
    left = (line.partition(" (its turn is another day)") for line in ended.stdout.splitlines())
    return {part.removeprefix("NOT RUN: ") for part, another_day, _ in left if another_day}


@pytest.mark.parametrize("first", [datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2028, 2, 28, 12, tzinfo=UTC)])
def test_what_there_was_no_time_for_today_has_its_turn_tomorrow(first: datetime, tmp_path: Path) -> None:
    days = [turns(tmp_path, first + timedelta(days=number)) for number in range(3)]
    assert "table of outages" in days[0] | days[1]
    assert days[0] == days[2]
    assert days[0].isdisjoint(days[1])
