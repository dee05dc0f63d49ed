"""A whole session that fails in every way, with a secret in each error: no report of it has the secret."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import warm

from neuroscale.errors import ExitCode
from neuroscale.evidence.redaction import REDACTED
from neuroscale.settings import ROOT

CANARY = "C4n4ry/with+odd=chars"
#: A session of its own: it fails with the canary in an error, in its cause, in an argument, and prints it besides.
CONFTEST = """
import base64, os
from types import SimpleNamespace
import pytest
from pytest_bdd import given, then, parsers
from neuroscale.errors import NeuroscaleError, ConditionTimeout, RevertFailed
from neuroscale.inference_client import InferenceResponse
from neuroscale.serving.request_stream import Stream
from neuroscale.polling import pause
from suite.ending import FOLDER
from suite.session import PLATFORM

pytest_plugins = [
    "suite.ending", "suite.session", "suite.mutation", "suite.redaction", "suite.allure_results", "suite.recording",
]
CANARY = base64.b64decode(os.environ["CANARY"]).decode()
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": os.environ["CANARY"]}}

class Cluster:
    def list(self, kind, namespace=None):
        return [SECRET] if kind == "Secret" else []

@pytest.fixture
def platform(pytestconfig):
    pytestconfig.stash[PLATFORM] = SimpleNamespace(cluster=Cluster())
    return CANARY

@pytest.fixture
def broken(platform, request):
    raise NeuroscaleError(f"it was set up with {platform}")

@pytest.fixture
def not_undone(platform):
    yield
    raise RevertFailed(f"it was undone with {platform}")

@given(parsers.parse("a word of {words}"), target_fixture="word")
def word(platform, words):
    print(f"here is {platform}")
    return platform

@given("something that cannot be set up")
def not_set_up(broken):
    pass

@given("something that cannot be undone")
def cannot_be_undone(not_undone):
    pass

@pytest.fixture
def stream(platform):
    with Stream(lambda: InferenceResponse(503, 0.01, None, f"no service for {platform}"), rate=100) as stream:
        yield stream

@given("requests flow")
def requests_flow(stream):
    while len(stream.records) < 2:
        pause(0.01)

@then("it is refused")
def refused(word):
    try:
        raise KeyError(word)
    except KeyError as error:
        raise ConditionTimeout(f"it should not have said {word}") from error

@then("it is well")
def well(word):
    pass

@then("somebody writes it down")
def written_down(word, pytestconfig):
    (pytestconfig.stash[FOLDER].path / "note.txt").write_text(f"not for you: {word}", encoding="utf-8")
"""
FEATURE = """
Feature: Secrets
  @drift
  Scenario: A step fails
    Given a word of warning
    Then it is refused

  @drift
  Scenario: A fixture fails
    Given something that cannot be set up

  @drift
  Scenario: An undo fails
    Given a word of warning
    And something that cannot be undone
    Then it is well

  @drift
  Scenario: Requests flow until the end
    Given requests flow

  @prune
  Scenario: A step writes it down
    Given a word of warning
    Then somebody writes it down

  @scale
  Scenario: A step writes nothing down
    Given a word of warning
    Then it is well
"""

MARKERS = "[pytest]\nmarkers =\n    drift: d\n    prune: p\n    scale: s\n"


def run(folder: Path, tag: str = "drift") -> tuple[int, str]:
    """The session; its reports are in ``folder / "reports"``."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "secrets.feature").write_text(FEATURE, encoding="utf-8")
    (folder / "test_secrets.py").write_text("from pytest_bdd import scenarios\n\nscenarios('.')\n", encoding="utf-8")
    (folder / "pytest.ini").write_text(MARKERS, encoding="utf-8")
    environment = {
        **os.environ,
        "CANARY": base64.b64encode(CANARY.encode()).decode(),
        "NEUROSCALE_REPORTS": str(folder / "reports"),
        "PYTHONPATH": str(ROOT),
    }
    arguments = ["-m", tag, "-p", "no:cacheprovider", "test_secrets.py"]
    return warm.run("pytest", *arguments, folder=folder, environment=environment)


def test_no_report_of_a_session_has_a_secret(tmp_path: Path) -> None:
    code, said = run(tmp_path)
    assert code == ExitCode.FAILED, said
    written = {file: file.read_text(encoding="utf-8") for file in tmp_path.glob("reports/*/**/*") if file.is_file()}
    texts = {**{str(file.relative_to(tmp_path)): text for file, text in written.items()}, "terminal": said}
    assert [name for name, text in texts.items() if "C4n4ry" in text] == []
    # Each of the reports had it to tell, and told everything else.
    for part in ("allure-results/", "junit.xml", "run.json", "evidence/", "terminal"):
        told = "".join(text for name, text in texts.items() if part in name)
        assert REDACTED in told, part
    allure = "".join(text for name, text in texts.items() if name.endswith("-result.json"))
    for sentence in ("it should not have said", "it was set up with", "it was undone with"):
        assert f"{sentence} {REDACTED}" in allure
        assert f"{sentence} {REDACTED}" in said
    assert f"KeyError: '{REDACTED}'" in allure
    # What a stream was answered is kept of a scenario that passed, too, although the stream ended after its last step.
    (requests,) = tmp_path.glob("reports/*/streams/test_requests_flow_until_the_end/1-*.csv")
    lines = requests.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 2
    assert lines[1].startswith("0.000,10.0,")
    assert lines[1].endswith(f"503: no service for {REDACTED}")
    flowed = [text for name, text in texts.items() if "Requests flow" in text and name.endswith("-result.json")]
    assert [f'"requests to {requests.stem[2:]}"' in text for text in flowed] == [True]
    # Nor does a report name a folder of this machine where it leads to the evidence.
    assert "Evidence: reports/" in allure
    assert f"Evidence: {tmp_path}" not in allure


def test_a_run_that_leaves_a_secret_behind_is_no_pass(tmp_path: Path) -> None:
    code, said = run(tmp_path, "scale")
    assert code == ExitCode.PASSED, said
    code, said = run(tmp_path, "prune")
    assert code == ExitCode.INTERNAL, said
    (note,) = tmp_path.glob("reports/*/note.txt")
    assert f"No secret should stand in reports/{note.parent.name}, but note.txt has password of Secret" in said
    assert "C4n4ry" not in said
