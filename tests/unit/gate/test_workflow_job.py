"""A check on paper and a check in a job: each as GitHub runs it, and what is found when they differ."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate import workflow_job
from neuroscale.gate.legacy_checks import Added
from neuroscale.guardrails.corpus import named
from neuroscale.settings import ROOT
from suite.mutants import prices

BAD = named("cost-center-missing")
FOUND = f"policy: apps/second-is-bad: Deployment default/{BAD.name}: no cost-center [{BAD.rule}]"
OTHER = f"policy: apps/other: Deployment default/other: no cost-center [{BAD.rule}]"


def test_what_a_workflow_types_is_found_by_its_job_and_its_name() -> None:
    assert 'make gate BASE="$BASE"' in workflow_job.own_script(ROOT)
    assert "--resource" in workflow_job.script_of(workflow_job.DRIFTED)


@pytest.mark.parametrize(
    "workflow",
    [
        "",
        "jobs: {other: {steps: [{name: Gate, run: make gate}]}}",
        "jobs: {manifests: {steps: [{name: Other, run: make gate}, {name: Gate, uses: a/b}]}}",
        "jobs: {manifests: {steps: [{name: Gate, run: a}, {name: Gate, run: b}]}}",
    ],
)
def test_a_workflow_without_that_step_is_no_verdict(workflow: str) -> None:
    with pytest.raises(Inconclusive, match=r"one step Gate in its job manifests, but has [02]"):
        workflow_job.script_of(workflow)


@pytest.mark.parametrize("page", ["nothing", f"{workflow_job.PAGE}\n{workflow_job.PAGE}"])
def test_a_page_says_one_check(page: str) -> None:
    with pytest.raises(Inconclusive, match=r"should say one check, but says [02]"):
        workflow_job.documented(page)


@pytest.mark.parametrize(
    ("script", "code"), [("false | true", 0), ("false\ntrue", 1), ("true | false", 1), ('exit "$2"', 7)]
)
def test_a_step_runs_as_github_runs_it(script: str, code: int, tmp_path: Path) -> None:
    assert workflow_job.as_a_job(script, tmp_path, dict(os.environ), ("0", "7")).returncode == code


def checkout(folder: Path, lines: list[str], code: int) -> tuple[Path, Added]:
    """This repository's workflow, with a gate that says these lines; and a bad folder."""
    workflow = folder / "checkout" / ".github" / "workflows" / "pull-request.yaml"
    workflow.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / ".github/workflows/pull-request.yaml", workflow)
    # It finds the folder where a change has put it, and what was installed.
    recipe = ["@test -f apps/second-is-bad/second.yaml && test -x .venv/bin/neuroscale"]
    recipe += [f"@echo '{line}'" for line in lines] + [f"@exit {code}"]
    (folder / "checkout" / "Makefile").write_text("gate:\n\t" + "\n\t".join(recipe) + "\n", encoding="utf-8")
    added = folder / "second-is-bad"
    added.mkdir()
    shutil.copyfile(BAD.path, added / "second.yaml")
    return folder / "checkout", Added(added, BAD)


@pytest.mark.parametrize("variable", ["UNRELATED", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"])
def test_a_job_that_is_red_for_the_bad_manifest_is_right(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a terminal is told of colours, which would stand behind the rule."""
    monkeypatch.setenv(variable, "1")
    repository, added = checkout(tmp_path, ["12 objects"], 1)
    recipe = repository / "Makefile"
    coloured = f'\t@echo "{FOUND}$$FORCE_COLOR$$CLICOLOR_FORCE$$TTY_COMPATIBLE"\n\t@exit'
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("\t@exit", coloured), encoding="utf-8")
    workflow_job.rejects_as_the_workflow_runs_it(repository, added)


def test_a_job_may_say_more_than_that(tmp_path: Path) -> None:
    workflow_job.rejects_as_the_workflow_runs_it(*checkout(tmp_path, ["12 objects", FOUND], 1))


@pytest.mark.parametrize(
    ("lines", "code"),
    [([FOUND], 0), ([], 1), ([OTHER], 1), ([FOUND, OTHER], 1), ([FOUND.replace(BAD.rule, "another")], 1)],
    ids=["green", "nothing found", "another's", "more", "another rule"],
)
def test_any_other_job_is_not(lines: list[str], code: int, tmp_path: Path) -> None:
    with pytest.raises(ConditionTimeout, match=f"should reject {BAD.name} by {BAD.rule} and nothing else"):
        workflow_job.rejects_as_the_workflow_runs_it(*checkout(tmp_path, lines, code))


def test_a_pipe_that_takes_the_exit_code_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow_job, "own_script", prices.piped_script)
    with pytest.raises(ConditionTimeout, match="but ended with exit code 0 and"):
        workflow_job.rejects_as_the_workflow_runs_it(*checkout(tmp_path, [FOUND], 1))
