"""What people type out of habit, in a session of its own; none of it reaches a cluster."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import warm

from neuroscale.errors import ExitCode
from neuroscale.settings import ROOT

NODE = "tests/e2e/test_gate.py::test_this_checkout_passes_in_twenty_seconds"
FAST = "tests/unit/test_quantile.py"


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output, with an engine that does not answer; nothing may be left where reports would be."""
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(folder / "reports"), "DOCKER_HOST": "tcp://127.0.0.1:1"}
    return warm.run("pytest", *arguments, folder=ROOT, environment=environment)


@pytest.mark.parametrize("arguments", [(NODE,), ("tests/e2e", "-k", "twenty_seconds")])
def test_scenarios_by_name_alone_say_what_to_type(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, said = run(tmp_path, *arguments)
    assert code == ExitCode.NOTHING_COLLECTED, said
    assert "1 scenario on the real cluster" in said
    assert f"Next: pytest -m gate {' '.join(arguments)}" in said


def test_scenarios_beside_tests_are_left_out_and_named(tmp_path: Path) -> None:
    code, said = run(tmp_path, NODE, FAST)
    assert code == ExitCode.PASSED, said
    assert f"Next: pytest -m gate {NODE} {FAST}" in said


def test_a_bare_name_of_the_fast_tier_says_nothing_of_it(tmp_path: Path) -> None:
    code, said = run(tmp_path, FAST)
    assert code == ExitCode.PASSED, said
    assert "Next: " not in said


@pytest.mark.parametrize("workers", [("-n", "2"), ("-n2",), ("--numprocesses=2",), ("-n", "2", "--dist", "loadfile")])
def test_workers_on_the_cluster_are_refused_in_a_sentence(workers: tuple[str, ...], tmp_path: Path) -> None:
    code, said = run(tmp_path, "-m", "milestone_a", *workers, "-q")
    assert code == ExitCode.USAGE, said
    assert "Next: pytest -m milestone_a -q" in said
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("option", ["--lf", "--ff", "--nf", "--sw"])
def test_what_is_not_remembered_is_not_ignored(option: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "-m", "milestone_a", option)
    assert code == ExitCode.USAGE, said
    assert f"so {option} would select nothing. Next: " in said
    assert not (tmp_path / "reports").exists()


def test_a_seed_gives_an_order_and_each_seed_its_own(tmp_path: Path) -> None:
    def order(*more: str) -> list[str]:
        return [line for line in run(tmp_path, "--collect-only", "-q", FAST, *more)[1].splitlines() if "::" in line]

    first, again, other, without = order("--shuffle=1"), order("--shuffle=1"), order("--shuffle=2"), order()
    assert first == again
    assert first != other
    assert first != without
    assert sorted(first) == sorted(other) == sorted(without)


def test_mutants_are_not_shuffled_away_from_their_controls(tmp_path: Path) -> None:
    code, said = run(tmp_path, "--mutant", "out-of-sync", "--shuffle", "1")
    assert code == ExitCode.USAGE, said
    assert "--shuffle is for scenarios alone" in said


@pytest.mark.parametrize("option", ["-h", "--version", "--collect-only"])
def test_looking_leaves_no_run_behind(option: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, "-m", "milestone_a", option, "tests/e2e/test_milestone_a.py")
    assert code == ExitCode.PASSED, said
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("plugin", ["allure_pytest_bdd", "junitxml", "xdist"])
def test_a_plugin_may_be_switched_off(plugin: str, tmp_path: Path) -> None:
    code, said = run(
        tmp_path, "-p", f"no:{plugin}", "-m", "milestone_a and incident_a1", "tests/e2e/test_milestone_a.py"
    )
    assert code == ExitCode.NOTHING_COLLECTED, said
    assert "No scenario was run" in said


@pytest.mark.parametrize(
    ("target", "failing"), [("conformance", "python"), ("incidents", "python"), ("gate", "neuroscale")]
)
def test_make_says_the_code_of_the_command_that_failed(target: str, failing: str, tmp_path: Path) -> None:
    """Its own is 2 whatever fails; a report that could be written afterwards hides nothing."""
    ended = make(target, failing, tmp_path)
    assert (ended.returncode, "Error 3" in ended.stderr) == (2, True), ended.stderr


def test_make_conformance_leaves_a_run_where_the_platform_does_not_come_up(tmp_path: Path) -> None:
    ended = make("conformance", "neuroscale", tmp_path)
    assert f"{tmp_path}/neuroscale up --record --milestones" in ended.stdout
    assert "-m pytest" not in ended.stdout


def make(target: str, failing: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Make a target with programs that do nothing, one of which fails."""
    for program in ("python", "neuroscale"):
        code = 3 if program == failing else 0
        (folder / program).write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        (folder / program).chmod(0o755)
    return subprocess.run(
        ["make", f"BIN={folder}", f"INSTALLED={folder / 'python'}", "MILESTONES=a", "--old-file", "pyproject.toml",
         "--old-file", "constraints.txt", target],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
