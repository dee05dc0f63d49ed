"""A check that a page documents, and the job of a workflow that runs another one: incident E1, and our own workflow."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate.legacy_checks import Added, ready_for_the_cli
from neuroscale.gate.tools import Tools
from neuroscale.host.programs import Ended, run

_WORKFLOW, _JOB, _STEP = Path(".github/workflows/pull-request.yaml"), "manifests", "Gate"
#: What a checkout has beside what is checked in, and what no job has.
_LEFT_OUT = (".git", ".venv", "reports", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache")
_WITHIN = 300
_SHOWN = 300
#: Variables that colour what no terminal shows.
_COLOURS = {"FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"}
#: What the page of E1 says: a flag for each manifest, and the exit code of who judges.
PAGE = """\
# The policy check

```bash
flags=()
for file in "$FOLDER"/*.yaml; do flags+=(--resource "$file"); done
"$CLI" apply "$POLICIES" "${flags[@]}" "$@" | tee /dev/null
exit "${PIPESTATUS[0]}"
```
"""
#: What its workflow runs: a flag for all of them, and the exit code of the pipe.
DRIFTED = f"""\
jobs:
  {_JOB}:
    steps:
      - name: {_STEP}
        run: |
          "$CLI" apply "$POLICIES" --resource "$FOLDER"/*.yaml "$@" | tee /dev/null
"""


def script_of(workflow: str) -> str:
    """What the job that judges manifests types, of a workflow's text.

    Raises:
        Inconclusive: There is no such step.
    """
    steps = ((yaml.safe_load(workflow) or {}).get("jobs") or {}).get(_JOB, {}).get("steps") or []
    scripts = [str(step["run"]) for step in steps if step.get("name") == _STEP and "run" in step]
    if len(scripts) != 1:
        raise Inconclusive(
            f"A workflow should have one step {_STEP} in its job {_JOB}, but has {len(scripts)}. Next: git status"
        )
    return scripts[0]


def documented(page: str) -> str:
    """What a page says is typed.

    Raises:
        Inconclusive: It says nothing, or several things.
    """
    blocks = re.findall(r"^```bash\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    if len(blocks) != 1:
        raise Inconclusive(f"A page should say one check, but says {len(blocks)}. Next: git status")
    return str(blocks[0])


def is_fixed_on_paper_only(tools: Tools, copy: Path, added: Added) -> None:
    """E1's symptom: what the page says rejects a bad folder, and the job, which runs something else, passes it.

    Raises:
        ConditionTimeout: It is not so.
        Inconclusive: The checkout does not render.
    """
    with ready_for_the_cli(tools, copy) as prepared:
        given = {"CLI": str(tools.kyverno()), "POLICIES": str(prepared.policies), "FOLDER": str(added.path)}
        environment = {**prepared.environment, "PATH": os.environ["PATH"], **given}
        page, job = (
            as_a_job(script, added.path, environment, prepared.options)
            for script in (documented(PAGE), script_of(drifted_workflow()))
        )
    if job.returncode or not page.returncode or added.bad.name not in page.stdout:
        raise ConditionTimeout(
            f"The check of E1 should be red as documented, for {added.bad.name}, and green as the job runs it, but "
            f"ended with exit code {page.returncode} as documented and {job.returncode} in the job: "
            f"{' '.join((page.stdout + page.stderr + job.stdout).split()):.{_SHOWN}}. Next: pytest -m incident_e1"
        )


def rejects_as_the_workflow_runs_it(checkout: Path, added: Added) -> None:
    """E1's remedy: what this repository's own workflow types is run on the bad folder, and is red for it.

    Args:
        checkout: Of this repository; a copy is judged.
        added: What a change adds.

    Raises:
        ConditionTimeout: It is green, or red for something else.
        Inconclusive: There is no such step.
    """
    with TemporaryDirectory(prefix="neuroscale-workflow-") as name:
        whole = Path(name) / "checkout"
        shutil.copytree(checkout, whole, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        shutil.copytree(added.path, whole / "apps" / added.path.name)
        _install(whole)
        here = {"PYTHONPATH": str(whole), "BASE": "", "COLUMNS": "1000"}
        # What it prints is read: without colours, whatever somebody's terminal is told.
        around = {key: value for key, value in os.environ.items() if key not in _COLOURS}
        done = as_a_job(own_script(checkout), whole, {**around, **here})
    lines = [line for line in done.stdout.splitlines() if line.rstrip().endswith(f"[{added.bad.rule}]")]
    if not done.returncode or len(lines) != 1 or added.bad.name not in lines[0]:
        raise ConditionTimeout(
            f"The workflow's step {_STEP} should reject {added.bad.name} by {added.bad.rule} and nothing else, but "
            f"ended with exit code {done.returncode} and {' '.join((done.stdout + done.stderr).split())[-_SHOWN:]}. "
            "Next: neuroscale gate"
        )


def drifted_workflow() -> str:
    """The workflow to which the fix was never applied."""
    return DRIFTED


def own_script(checkout: Path) -> str:
    """What the workflow of this repository types.

    Raises:
        Inconclusive: It has no such step.
    """
    return script_of((checkout / _WORKFLOW).read_text(encoding="utf-8"))


def as_a_job(script: str, folder: Path, environment: dict[str, str], arguments: Sequence[str] = ()) -> Ended:
    """Run a step as GitHub does where no shell is named: ``bash -e``, and a pipe's last program decides."""
    return run(["bash", "-e", "-c", script, "step", *arguments], within=_WITHIN, env=environment, folder=folder)


def _install(whole: Path) -> None:
    """What ``make install`` would take minutes for: the Python environment that this process has."""
    programs = whole / ".venv" / "bin"
    programs.mkdir(parents=True)
    command = programs / "neuroscale"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m neuroscale "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (whole / ".venv" / ".installed").touch()
