"""What Allure has of a session: every test, the scenario's own words, and few bytes."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import warm

from neuroscale.errors import ExitCode
from neuroscale.report import allure as report
from neuroscale.results import RunFolder
from neuroscale.settings import ROOT

#: A platform as large as the real one when it is written out, evidence that no report has room for, and plain tests.
CONFTEST = """
import pytest
from pytest_bdd import given, then, parsers
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from suite import allure_results

pytest_plugins = ["suite.ending", "suite.session", "suite.redaction", "suite.allure_results", "suite.recording"]

def pytest_addoption(parser):
    parser.addoption("--mutant")

class Platform:
    def __repr__(self):
        return "everything " * 100_000

@pytest.fixture
def platform():
    return Platform()

@pytest.fixture
def unhealthy():
    raise PreconditionFailed("it is not healthy")

@given(parsers.parse("a model of {rows:d} rows"))
def a_model(platform, rows, tmp_path):
    log = tmp_path / "log.txt"
    lines = (f"2026-11-28T12:{number % 60:02}:07.{number:06}Z level=info request={hash((rows, number)):x} status=200"
             for number in range(1_000))
    log.write_text("\\n".join(lines))
    allure_results.attach(log)

@then("it answers")
def it_answers(platform):
    pass
"""
FEATURE = """
Feature: Models
  @drift
  Scenario Outline: A model of <rows> rows
    Given a model of <rows> rows
    Then it answers

    Examples:
      | rows |
""" + "".join(f"      | {rows} |\n" for rows in range(90))
TESTS = """
import pytest
from pytest_bdd import scenarios
from neuroscale.errors import ConditionTimeout

scenarios(".")
pytestmark = pytest.mark.drift

@pytest.mark.parametrize("number", range(6))
def test_plain(number):
    pass

def test_plain_and_failed():
    raise ConditionTimeout("it is gone")

def test_plain_and_not_run(unhealthy):
    pass
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 98 tests, which was told to leave Allure's results in a folder of the user's."""
    folder = tmp_path_factory.mktemp("session")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "models.feature").write_text(FEATURE, encoding="utf-8")
    (folder / "test_models.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    drift: d\n", encoding="utf-8")
    arguments = ["-m", "drift", "-p", "no:cacheprovider", "--alluredir", "mine", "test_models.py"]
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(folder / "reports"), "PYTHONPATH": str(ROOT)}
    code, said = warm.run("pytest", *arguments, folder=folder, environment=environment)
    assert code == ExitCode.FAILED, said
    return folder


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*-result.json")]


def test_allure_counts_what_the_overview_counts(session: Path) -> None:
    (run,) = (RunFolder(file.parent) for file in session.glob("reports/*/run.json"))
    verdicts = sorted(result.verdict for result in run.run.results)
    told = {"passed": "passed", "failed": "failed", "broken": "not run"}
    assert len(verdicts) == 98
    assert sorted(told[result["status"]] for result in results(run.path / "allure-results")) == verdicts
    reasons = {
        result["statusDetails"]["message"]
        for result in results(run.path / "allure-results")
        if result["status"] != "passed"
    }
    assert reasons == {"it is gone", "it is not healthy"}


def test_a_report_of_a_hundred_scenarios_is_small(session: Path) -> None:
    (folder,) = session.glob("reports/*/allure-results")
    attached = [file.stat().st_size for file in folder.iterdir() if "attachment" in file.name]
    assert len(attached) == 90
    assert max(attached) < 51_000
    assert sum(file.stat().st_size for file in folder.glob("*-result.json")) < 400_000
    # As Allure lays them out: its program, which packed has 1.03 MB, and each file; what results say is there thrice.
    program = base64.b64encode(os.urandom(1_030_000)).decode()
    files = [file for file in folder.iterdir() for _ in range(3 if "result" in file.name else 1)]
    data = ",".join(f'd("{file.name}","{base64.b64encode(file.read_bytes()).decode()}")' for file in files)
    scripts = f'<script src="data:text/javascript;base64,{program}"></script><script defer>[{data}]</script>'
    page = f"<html><head></head><body>{scripts}</body></html>"
    assert len(page) > 7_000_000
    assert len(report.combined(page, "<p>overview</p>" * 20_000)) < 5_000_000


def test_the_scenarios_own_values_stay(session: Path) -> None:
    (folder,) = session.glob("reports/*/allure-results")
    (one,) = (result for result in results(folder) if {"name": "rows", "value": "7"} in result.get("parameters", []))
    assert [step["name"] for step in one["steps"]] == ["Given a model of 7 rows", "Then it answers"]
    assert "everything" not in json.dumps(one)


def test_a_folder_of_the_users_has_the_results_as_well(session: Path) -> None:
    assert len(results(session / "mine")) == 98
