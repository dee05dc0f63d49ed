"""A session knows before its first scenario whether there is a browser, and its report has what the browser saw."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import warm

from neuroscale.errors import ExitCode
from neuroscale.results import RunFolder
from neuroscale.settings import ROOT

CONFTEST = """
import pytest
from neuroscale.browser import chromium
from neuroscale.errors import HostError

pytest_plugins = [
    "suite.ending", "suite.session", "suite.redaction", "suite.allure_results", "suite.recording", "suite.browser",
]

def version():
    {failing}
    return "156.0"

chromium.version = version

def pytest_addoption(parser):
    parser.addoption("--mutant")
"""
FEATURE = """
Feature: Pages
  @browser
  Scenario: A guest looks
    When a guest looks at the portal
"""
TESTS = """
import pytest
from neuroscale.browser import visit
from neuroscale.browser.visit import Visit
from pytest_bdd import scenarios, when

scenarios(".")

@pytest.mark.drift
def test_first():
    pass

@when("a guest looks at the portal")
def a_guest_looks():
    seen = Visit({})
    seen.note_request("GET", "http://127.0.0.1:7007/")
    seen.note_request("GET", "https://fonts.example.org/")
    seen.errors.append("console: it did not come")
    seen.pictures["sign-in"] = bytes(40_000)
    for listener in visit.listeners:
        listener(seen)
"""


def run(folder: Path, marker: str, failing: str = "pass") -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST.format(failing=failing), encoding="utf-8")
    (folder / "pages.feature").write_text(FEATURE, encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(folder / "reports"), "PYTHONPATH": str(ROOT)}
    arguments = ["-v", "-p", "no:cacheprovider", "-m", marker, "test_some.py"]
    return warm.run("pytest", *arguments, folder=folder, environment=environment)


def test_a_report_has_pages_and_requests_of_the_browser(tmp_path: Path) -> None:
    code, said = run(tmp_path, "drift or browser")
    assert code == ExitCode.PASSED, said
    (folder,) = (RunFolder(file.parent) for file in tmp_path.glob("reports/*/run.json"))
    assert folder.run.versions == {"chromium": "156.0"}
    requests = (folder.path / "pages" / "test_a_guest_looks" / "1" / "requests.txt").read_text(encoding="utf-8")
    assert requests.startswith("1 of 2 requests were for another machine: GET https://fonts.example.org/\nconsole: ")
    results = [
        json.loads(file.read_text(encoding="utf-8")) for file in folder.path.glob("allure-results/*-result.json")
    ]
    (step,) = next(result["steps"] for result in results if result["name"] == "A guest looks")
    attached = {one["name"]: one["type"] for one in step["attachments"]}
    assert attached == {"requests of the browser": "text/plain", "sign-in": "image/jpg"}


@pytest.mark.parametrize("marker", ["drift or browser", "drift"])
def test_without_a_browser_a_session_that_needs_one_ends_in_a_sentence(marker: str, tmp_path: Path) -> None:
    code, said = run(tmp_path, marker, "raise HostError('it is not installed. Type: apt-get install chromium')")
    if "browser" in marker:
        assert code == ExitCode.NOT_RUN, said
        assert 'Nothing was run; -m "… and not browser" needs none. HostError: it is not installed. Type: apt' in said
        assert "test_first" not in said
    else:
        assert code == ExitCode.PASSED, said
