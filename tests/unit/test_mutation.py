"""A whole session with mutants: each scenario after its control, and every way in which a mutant can end."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import warm

from neuroscale.errors import ExitCode
from neuroscale.gate.production import rules
from neuroscale.polling import longest_wait
from neuroscale.results import RunFolder
from neuroscale.settings import ROOT
from suite import mutation
from suite.mutants import production
from suite.session import PLATFORM

#: A toy in place of the platform. Its mutants have words in place of faults: what becomes of the toy.
CONFTEST = """
import os
from types import SimpleNamespace
import pytest
from pytest_bdd import given, parsers, then
import suite.commits
import suite.ending
import suite.mutation
from neuroscale.errors import RevertFailed
from neuroscale.polling import eventually, pending, unrecoverable
from suite import mutants
from suite.mutants import Mutant
from suite.session import PLATFORM

pytest_plugins = ["suite.ending", "suite.session", "suite.mutation", "suite.recording"]
TOY = {"is": "whole"}

class Breakage:
    def __init__(self, platform, journal):
        pass
    def inject(self, fault):
        TOY["is"] = fault
    def remedy(self):
        pass
    def __exit__(self, kind, error, trace):
        was, TOY["is"] = TOY["is"], "whole"
        if was == "stuck":
            raise RevertFailed("it should be whole again, but is stuck")

class Asked:
    area, description = "gitops", "the toy is whole"
    def check(self, cluster):
        return pending(f"it is {TOY['is']}") if TOY["is"] != "whole" else SimpleNamespace(state="met")

class InVain(Asked):
    def check(self, cluster):
        return unrecoverable("it is still whole")

def mutant(slug, becomes, example="new", reason="it is broken", **more):
    scenario = "A toy is whole"
    return Mutant(slug, "", scenario, "it is asked", (becomes,), "the toy is whole", reason, example, **more)

suite.commits.whole_commit = lambda: os.environ.get("TOY_COMMIT", "")
suite.mutation.load_state = lambda: SimpleNamespace(nonce="nonce")
suite.mutation.Breakage, suite.mutation._LONGER_THAN_CONTROL = Breakage, 0.3
suite.mutation.Journal = SimpleNamespace(of=lambda nonce: None)
mutants.MUTANTS["a"] = (
    mutant("breaks-it", "broken"),
    mutant("leaves-it-whole", "whole"),
    mutant("loses-it", "lost"),
    mutant("never-there", "broken", in_place=lambda platform: InVain()),
    mutant("gets-stuck", "stuck", reason="it is stuck"),
    mutant("without-control", "broken", example="old"),
)
mutants.MODULES.update(dict.fromkeys((one.slug for one in mutants.MUTANTS["a"]), "neuroscale.errors"))

@pytest.fixture(scope="session")
def platform(pytestconfig):
    pytestconfig.stash[suite.ending.RUN].cluster = "nonce"
    return SimpleNamespace(cluster=None)

@given(parsers.parse("a {age} toy"))
def a_toy(age):
    assert age == "new", "it was broken before"

@given("it is asked")
def it_is_asked():
    pass

@then("the toy is whole")
def the_toy_is_whole():
    eventually(Asked(), None, within=600, every=0.05)
"""
FEATURE = """
Feature: Toys
  @drift
  Scenario Outline: A toy is whole
    Given a <age> toy
    And it is asked
    Then the toy is whole

    Examples:
      | age |
      | old |
      | new |

  @drift
  Scenario: Another toy
    Given a new toy
"""


def run(folder: Path, *slugs: str, **environment: str) -> tuple[int, str]:
    """The session; its run is below ``folder / "reports"``."""
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "toys.feature").write_text(FEATURE, encoding="utf-8")
    (folder / "test_toys.py").write_text("from pytest_bdd import scenarios\n\nscenarios('.')\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    drift: d\n", encoding="utf-8")
    arguments = ["-v", "-p", "no:cacheprovider", "test_toys.py", *(f"--mutant={slug}" for slug in slugs)]
    environment = {**os.environ, **environment, "NEUROSCALE_REPORTS": str(folder / "reports"), "PYTHONPATH": str(ROOT)}
    return warm.run("pytest", *arguments, folder=folder, environment=environment)


def test_every_ending_of_a_mutant(tmp_path: Path) -> None:
    code, said = run(tmp_path, "breaks-it", "leaves-it-whole", "loses-it", "never-there", "without-control")
    assert code == ExitCode.FAILED, said
    (file,) = tmp_path.glob("reports/*/killmatrix.json")
    folder = RunFolder(file.parent)
    assert all("neuroscale/errors.py" in kill.inputs for kill in folder.kills)
    assert ["neuroscale/polling.py" in kill.inputs for kill in folder.kills if kill.mutant == "breaks-it"] == [True]
    assert {kill.mutant: kill.verdict for kill in folder.kills} == {
        "breaks-it": "killed",
        "leaves-it-whole": "survived",
        "loses-it": "wrong reason",
        "never-there": "void",
        "without-control": "void",
    }
    # The scenarios of the record are the controls alone, each before its mutants; the other scenario was not asked for.
    assert [(one.scenario, one.verdict) for one in folder.run.results] == [
        ("A toy is whole [old]", "failed"),
        ("A toy is whole [new]", "passed"),
    ]
    assert folder.run.kind == "kill matrix"
    # A wait that must not come true does not use up its ten minutes, and its error tells how long it was.
    killed = next(kill for kill in folder.kills if kill.mutant == "breaks-it")
    assert re.match(r"Timed out after [23]\d{2} ms ", killed.reason), killed.reason
    # Evidence is collected where somebody has to look, and the session's own lines say what came of each.
    assert "breaks-it-new] KILLED" in said
    assert "leaves-it-whole-new] SURVIVED" in said


@pytest.mark.parametrize(("later", "again"), [("c0ffee", False), ("another", True), ("", True)])
def test_a_green_run_of_the_same_commit_is_the_control(later: str, again: bool, tmp_path: Path) -> None:
    assert run(tmp_path, "breaks-it", TOY_COMMIT="c0ffee")[0] == ExitCode.PASSED
    assert run(tmp_path, "breaks-it", TOY_COMMIT=later)[0] == ExitCode.PASSED
    first, second = (RunFolder(file.parent) for file in sorted(tmp_path.glob("reports/*/run.json")))
    assert [len(one.run.results) for one in (first, second)] == [1, int(again)]
    assert [one.kills[0].verdict for one in (first, second)] == ["killed", "killed"]
    assert second.kills[0].control == (second if again else first).run.name


def test_a_kill_whose_rollback_fails_stays_a_kill_and_leaves_the_platform_in_doubt(tmp_path: Path) -> None:
    code, said = run(tmp_path, "gets-stuck")
    assert code == ExitCode.NOT_RUN, said
    (file,) = tmp_path.glob("reports/*/killmatrix.json")
    folder = RunFolder(file.parent)
    assert [kill.verdict for kill in folder.kills] == ["killed"]
    assert [(one.scenario, one.verdict, one.step, one.why) for one in folder.run.results] == [
        ("A toy is whole [new]", "passed", "", ""),
        ("A toy is whole [new, mutant gets-stuck]", "not run", "", "it should be whole again, but is stuck"),
    ]


@pytest.mark.parametrize(
    ("slugs", "expected"),
    [
        (["breaks-it"], ExitCode.PASSED),
        (["breaks-it", "never-there"], ExitCode.NOT_RUN),
        (["nobody"], ExitCode.USAGE),
    ],
)
def test_the_matrix_decides_on_the_exit_code(slugs: list[str], expected: ExitCode, tmp_path: Path) -> None:
    code, said = run(tmp_path, *slugs)
    assert code == expected, said


def test_an_interrupted_step_leaves_the_rollback_its_ordinary_limit() -> None:
    call = mutation.pytest_runtest_call()
    next(call)
    longest_wait.set(0.1)
    with pytest.raises(KeyboardInterrupt):
        call.throw(KeyboardInterrupt())
    assert longest_wait.get() == inf


def test_the_next_scenario_begins_in_the_steady_state_of_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(mutation, "assert_steady_state", lambda milestone, platform: asked.append(milestone))
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[mutation._RECOVERING] = {"a", "b"}
    config.stash[PLATFORM] = cast("Any", None)
    for needs in (["gitops"], ["gitops", "serving"], ["serving"], ["guardrails"]):
        markers = [SimpleNamespace(name=name) for name in needs]
        mutation.pytest_runtest_setup(cast("Any", SimpleNamespace(config=config, iter_markers=markers.__iter__)))
    assert asked == ["a", "b"]


@pytest.mark.parametrize("marker", ["portal", "death", "bootstrap", "gate"])
def test_what_runs_in_this_process_is_broken_without_a_platform(marker: str) -> None:
    undo: list[Callable[[], None]] = []
    node = SimpleNamespace(get_closest_marker=lambda name: name == marker, addfinalizer=undo.append, stash={})
    chosen = next(one for one in production.MUTANTS if one.slug == "production-rules-blind")
    # Whoever asks for a fixture, such as the platform, finds none.
    mutation._put_in_place(cast("Any", SimpleNamespace(node=node)), chosen)
    assert rules.judge is production.let_everything_pass
    for one in undo:
        one()
    assert rules.judge is production.judge
    assert list(node.stash.values()) == [True]
