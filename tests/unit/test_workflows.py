"""What the workflows do where it can be tried without a CI system."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import git

from neuroscale.results import Run, RunFolder, RunKind, ScenarioResult, ScenarioVerdict
from neuroscale.settings import ROOT

WORKFLOWS = {
    file.stem: yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
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


def ci(
    folder: Path, now: datetime, python: str = "exit 0", budget: str = "80 * 60"
) -> subprocess.CompletedProcess[str]:
    """``.ci/run`` where every program says yes at once, but for Python, which does what it is told."""
    script = folder / ".ci" / "run"
    script.parent.mkdir(exist_ok=True)
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    script.write_text(text.replace("BUDGET=$((80 * 60))", f"BUDGET=$(({budget}))"), encoding="utf-8")
    script.chmod(0o755)
    for name, text in {
        # A shebang takes no path with a space.
        "bin/date": f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(DATE)} "$@"\n',
        **dict.fromkeys(("bin/make", ".venv/bin/neuroscale"), "#!/bin/sh\n"),
        ".venv/bin/python": f"#!/bin/sh\n{python}\n",
    }.items():
        program = folder / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(script)], env={"NOW": now.isoformat(), "PATH": path}, capture_output=True, text=True, check=False
    )


def turns(folder: Path, now: datetime) -> set[str]:
    """Parts that ``.ci/run`` leaves to another day, when all others pass at once."""
    ended = ci(folder, now)
    assert ended.returncode == 0, ended.stdout
    left = (line.partition(" (its turn is another day)") for line in ended.stdout.splitlines())
    return {part.removeprefix("NOT RUN: ") for part, another_day, _ in left if another_day}


@pytest.mark.parametrize("first", [datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2028, 2, 28, 12, tzinfo=UTC)])
def test_what_there_was_no_time_for_today_has_its_turn_tomorrow(first: datetime, tmp_path: Path) -> None:
    days = [turns(tmp_path, first + timedelta(days=number)) for number in range(10)]
    every = set.union(*days)
    assert {"table of outages", "incidents of milestone A"} <= every
    assert days[0] == days[9]
    # Each has its day, and that is one of nine.
    assert {part: sum(part not in day for day in days[:9]) for part in every} == dict.fromkeys(every, 1)


MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
#: A machine on which nothing that is timed would pass.
SLOW = 'case "$*" in *suite.pace*) exit 3 ;; *"timed and"*) exit 1 ;; esac'
#: A session of milestone C that leaves a record, and is stopped with all that is left of the time.
STOPPED = """case "$*" in *milestone_c*) ;; *) exit 0 ;; esac
mkdir -p reports
mv record reports/1
exit 124"""


@pytest.mark.parametrize(
    ("kind", "verdict", "code"),
    [("conformance", "failed", 1), ("conformance", "passed", 0), ("kill matrix", "failed", 0)],
)
def test_a_part_that_was_red_when_its_time_was_up_fails(
    kind: RunKind, verdict: ScenarioVerdict, code: int, tmp_path: Path
) -> None:
    result = ScenarioResult(nodeid="", feature="", scenario="", tags=[], verdict=verdict, seconds=1)
    record = tmp_path / "record"
    record.mkdir()
    RunFolder(record).save_run(Run(name="1", kind=kind, started_at=MIDNIGHT, results=[result]))
    ended = ci(tmp_path, MIDNIGHT, STOPPED, budget="1000")
    assert ended.returncode == code, ended.stdout


def test_nobody_knows_how_fast_a_machine_is_that_cannot_say(tmp_path: Path) -> None:
    ended = ci(tmp_path, MIDNIGHT, SLOW.replace("exit 3", "exit 6"))
    assert ended.returncode == 1, ended.stdout
    assert "this machine is slower" not in ended.stdout


def test_what_is_timed_is_not_run_on_a_slow_machine(tmp_path: Path) -> None:
    ended = ci(tmp_path, MIDNIGHT, SLOW)
    assert ended.returncode == 0, ended.stdout
    assert "NOT RUN: what is timed, on the cluster (this machine is slower" in ended.stdout


# --- the delta, and the comment on a pull request


def named(step: str) -> str:
    """The script of a step."""
    (script,) = (one["run"] for one in steps() if one.get("name") == step)
    return str(script)


def shell(script: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """As a runner starts it, where a stand-in takes the place of our program."""
    program = folder / ".venv" / "bin" / "neuroscale"
    program.parent.mkdir(parents=True)
    program.write_text(
        '#!/bin/sh\necho "$@" >>said\n[ "$1" = delta ] && cat text\n[ "$1" = comment ] && cat "$2" >read\n'
        "exit ${CODE:-0}\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    files = {"GITHUB_STEP_SUMMARY": "summary", "GITHUB_OUTPUT": "output"}
    given = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), **files, **env}
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 1])
def test_the_delta_is_the_summary_and_what_the_comment_gets(code: int, tmp_path: Path) -> None:
    text = "<!-- marker -->\n| a |\n\nEOF\ntext=forged\n"
    (tmp_path / "text").write_text(text, encoding="utf-8")
    ended = shell(named("Delta"), tmp_path, BASE="aaa", HEAD="bbb", CODE=str(code))
    assert ended.returncode == code, ended.stderr
    assert (tmp_path / "said").read_text(encoding="utf-8") == "delta --base aaa --head bbb --format markdown\n"
    assert (tmp_path / "summary").read_text(encoding="utf-8") == text
    first, _, rest = (tmp_path / "output").read_text(encoding="utf-8").partition("\n")
    end = first.removeprefix("text<<")
    assert len(end) == 32
    assert rest == f"{text}{end}\n"


def test_a_delta_that_failed_is_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("half", encoding="utf-8")
    assert shell(named("Delta"), tmp_path, BASE="aaa", HEAD="bbb", CODE="3").returncode == 3
    assert not (tmp_path / "output").exists()


def test_the_comment_gets_the_delta_whatever_is_in_it(tmp_path: Path) -> None:
    text = "$(touch injected) `touch injected`\n| \\n | %s"
    ended = shell(named("Comment"), tmp_path, DELTA=text, NUMBER="7", HEAD="bbb")
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "read").read_text(encoding="utf-8") == f"{text}\n"
    assert (tmp_path / "said").read_text(encoding="utf-8").endswith("delta.md --pull-request 7 --head bbb\n")
    assert not (tmp_path / "injected").exists()


@pytest.mark.parametrize(("delta", "code"), [("", 1), ("text", 3)], ids=["no delta", "the forge will not"])
def test_a_comment_that_fails_is_not_green(delta: str, code: int, tmp_path: Path) -> None:
    assert shell(named("Comment"), tmp_path, DELTA=delta, NUMBER="7", HEAD="bbb", CODE="3").returncode == code


def test_only_the_job_that_comments_may_write_and_only_to_pull_requests() -> None:
    for flow in WORKFLOWS.values():
        assert flow["permissions"] == {"contents": "read"}
    rights = {name: job["permissions"] for flow in WORKFLOWS.values() for name, job in flow["jobs"].items()
              if "permissions" in job}  # fmt: skip
    assert rights == {"comment": {"contents": "read", "pull-requests": "write"}}


def test_no_code_of_a_pull_request_has_a_token_that_writes() -> None:
    for flow in WORKFLOWS.values():
        # YAML 1.1 takes the key `on` for a truth value.
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(flow.get("on", flow.get(True)))
    checkout, *others = WORKFLOWS["pull-request"]["jobs"]["comment"]["steps"]
    assert checkout["with"] == {"ref": "${{ github.event.pull_request.base.sha }}", "persist-credentials": False}
    assert [step for step in others if step.get("uses", "").startswith("actions/checkout@")] == []
    with_token = [step["name"] for step in steps() if "github.token" in str(step.get("env", {}))]
    assert with_token == ["Comment"]


def test_no_script_has_an_expression_in_it() -> None:
    """A branch's name would be a command."""
    assert [step["run"] for step in steps() if "${{" in step.get("run", "").replace("${{ matrix.", "")] == []


def test_the_comment_of_an_older_run_is_given_up() -> None:
    flow = WORKFLOWS["pull-request"]
    assert flow["concurrency"]["cancel-in-progress"] is True
    assert "!cancelled()" in flow["jobs"]["comment"]["if"]
    assert "head.repo.full_name == github.repository" in flow["jobs"]["comment"]["if"]
