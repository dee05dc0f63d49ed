"""What the workflows do where it can be tried without a CI system."""

from __future__ import annotations

import json
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


#: A forge in a file, asked as the workflow asks GitHub; what ``FAILS`` names is answered by an error.
GH = """import json, os, pathlib, sys
state = pathlib.Path(os.environ["STATE"])
found = json.loads(state.read_text())
given = sys.argv[2:]
path = next(one for one in given if one.startswith("repos/"))
body = next((one.partition("=")[2] for one in given if one.startswith("body=")), None)
method = given[given.index("--method") + 1] if "--method" in given else "POST" if body is not None else "GET"
jq = given[given.index("--jq") + 1] if "--jq" in given else ""
last = path.rsplit("/", 1)[1]
found["asked"].append(f"{method} {last}")
if os.environ.get("FAILS") in {f"{method} {last}", method}:
    sys.exit("HTTP 500")
if jq == ".head.sha":
    print(found["head"])
elif jq == ".body":
    print(next(one["body"] for one in found["comments"] if str(one["id"]) == last))
elif jq:
    assert '"github-actions[bot]"' in jq and 'startswith("<!-- neuroscale-cost-proxy -->")' in jq
    mine = [one for one in found["comments"] if one["user"] == "github-actions[bot]"]
    print(*(one["id"] for one in mine if one["body"].startswith("<!-- neuroscale-cost-proxy -->")), sep="\\n")
elif method == "POST":
    found["comments"].append({"id": 99, "user": "github-actions[bot]", "body": body})
elif method == "DELETE":
    found["comments"] = [one for one in found["comments"] if str(one["id"]) != last]
else:
    next(one for one in found["comments"] if str(one["id"]) == last)["body"] = body
state.write_text(json.dumps(found))
"""
WORDS = "<!-- neuroscale-cost-proxy -->\nIt costs something."


def commented(folder: Path, comments: list[dict[str, Any]], head: str = "abc", fails: str = "") -> tuple[int, Any]:
    """How the step that comments ends, and what is at the forge then."""
    (script,) = (step["run"] for step in steps() if step.get("name") == "Comment")
    state, program = folder / "state.json", folder / "bin" / "gh"
    state.write_text(json.dumps({"head": head, "comments": comments, "asked": []}), encoding="utf-8")
    program.parent.mkdir()
    (folder / "gh.py").write_text(GH, encoding="utf-8")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder / "gh.py"}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    own = {"BODY": WORDS, "HEAD": "abc", "REPOSITORY": "o/r", "NUMBER": "7", "RUNNER_TEMP": str(folder)}
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **own, "STATE": str(state), "FAILS": fails, "PATH": path}
    ended = subprocess.run(["bash", "-e", "-c", script], env=environment, capture_output=True, check=False)
    return ended.returncode, json.loads(state.read_text(encoding="utf-8"))


def written(number: int, body: str, user: str = "github-actions[bot]") -> dict[str, Any]:
    return {"id": number, "user": user, "body": body}


OLD = "<!-- neuroscale-cost-proxy -->\nIt cost less."


@pytest.mark.parametrize(
    ("comments", "left"),
    [
        ([], [written(99, WORDS)]),
        ([written(3, OLD)], [written(3, WORDS)]),
        ([written(3, WORDS)], [written(3, WORDS)]),
        ([written(3, OLD), written(4, OLD)], [written(3, WORDS)]),
        ([written(3, OLD, "mallory")], [written(3, OLD, "mallory"), written(99, WORDS)]),
        ([written(3, "Nice.")], [written(3, "Nice."), written(99, WORDS)]),
    ],
    ids=["none", "older", "the same", "several", "a stranger's", "without the marker"],
)
def test_what_a_change_costs_is_one_comment(comments: list[Any], left: list[Any], tmp_path: Path) -> None:
    code, forge = commented(tmp_path, comments)
    assert (code, forge["comments"]) == (0, left)
    assert ("PATCH" in str(forge["asked"])) == (comments[:1] == [written(3, OLD)])


def test_a_run_for_an_older_commit_leaves_the_comment_alone(tmp_path: Path) -> None:
    assert commented(tmp_path, [written(3, OLD)], head="def")[1]["comments"] == [written(3, OLD)]


@pytest.mark.parametrize("fails", ["GET 7", "GET comments", "GET 3", "PATCH 3", "DELETE 4"])
def test_a_forge_that_fails_is_no_pass(fails: str, tmp_path: Path) -> None:
    code, _ = commented(tmp_path, [written(3, OLD), written(4, OLD)], fails=fails)
    assert code != 0


def test_who_may_comment_runs_no_code_of_the_change() -> None:
    """Neither a checkout nor somebody else's action; and nobody else may write."""
    flow = WORKFLOWS["pull-request"]
    assert flow["permissions"] == {"contents": "read"}
    writing = {name: job for name, job in flow["jobs"].items() if "permissions" in job}
    assert {name: job["permissions"] for name, job in writing.items()} == {"comment": {"pull-requests": "write"}}
    assert all("uses" not in step for step in writing["comment"]["steps"])
    assert "head.repo.full_name == github.repository" in writing["comment"]["if"]


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
