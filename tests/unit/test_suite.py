"""What a session makes of errors and of markers that do not exist."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import warm

from neuroscale.errors import (
    ApiError,
    ClusterUnreachable,
    ConditionTimeout,
    ExitCode,
    FaultHadNoEffect,
    HostError,
    Locked,
    NeuroscaleError,
    PreconditionFailed,
    RevertFailed,
    SupplyError,
    Unrecoverable,
    UsageError,
    WriteForbidden,
)
from neuroscale.results import Run, RunFolder, ScenarioResult, ScenarioVerdict
from neuroscale.settings import ROOT
from suite import recording, session
from suite.ending import RUN
from suite.recording import FAILED_STEP, verdict_of

# --- verdicts


@pytest.mark.parametrize(
    "error", [ConditionTimeout("it is gone"), Unrecoverable("for good"), AssertionError("no"), KeyError("a bug")]
)
def test_a_broken_promise_fails_and_so_does_what_nobody_foresaw(error: BaseException) -> None:
    assert verdict_of(error) == "failed"


@pytest.mark.parametrize(
    "kind",
    [
        UsageError, WriteForbidden, Locked, HostError, SupplyError, ClusterUnreachable, PreconditionFailed,
        FaultHadNoEffect, RevertFailed, NeuroscaleError,
    ],
)  # fmt: skip
def test_what_kept_a_scenario_from_happening_says_nothing_of_the_platform(kind: type[NeuroscaleError]) -> None:
    assert verdict_of(kind("no")) == "not run"


def test_an_api_server_that_says_no_says_nothing_either() -> None:
    assert verdict_of(ApiError("no", status=500, reason="")) == "not run"


def test_the_disk_of_this_machine_says_nothing_either() -> None:
    assert verdict_of(OSError(errno.ENOSPC, "No space left on device", "x")) == "not run"


def test_a_skip_is_no_pass() -> None:
    assert verdict_of(pytest.skip.Exception("not today")) == "failed"


# --- a scenario's record


class Item:
    """A test of a run, without pytest around it."""

    def __init__(self, name: str = "test_a_deleted_deployment_comes_back") -> None:
        run = Run(name="r", kind="conformance", started_at=datetime.now(UTC))
        self.function = lambda: None
        self.nodeid, self.name = f"tests/e2e/test_milestone_a.py::{name}", name
        self.path = SimpleNamespace(stem="test_milestone_a")
        self.config = SimpleNamespace(stash=pytest.Stash(), getini=lambda name: ["drift: d", "smoke: s"])
        self.config.stash[RUN] = run
        self.stash = pytest.Stash()
        self.stash[recording._STARTED] = 0.0
        self.run = run

    def iter_markers(self) -> list[Any]:
        return [SimpleNamespace(name=name) for name in ("drift", "parametrize")]

    def ended(self, when: str, error: BaseException | None = None) -> ScenarioResult:
        """A phase of it is over; the record after that."""
        info = SimpleNamespace(value=error) if error else None
        recording._record(
            cast("pytest.Item", self), cast("pytest.CallInfo[None]", SimpleNamespace(when=when, excinfo=info))
        )
        assert len(self.run.results) == 1
        return self.run.results[0]


def test_a_passed_scenario() -> None:
    result = Item().ended("call")
    assert (result.verdict, result.why, result.step, result.tags) == ("passed", "", "", ["drift"])


def test_a_failed_step_is_named() -> None:
    item, error = Item(), ConditionTimeout("it is gone\nEvidence: …")
    item.stash[FAILED_STEP] = ("Then it is back", error)
    result = item.ended("call", error)
    assert (result.verdict, result.why, result.step) == ("failed", "it is gone", "Then it is back")


@pytest.mark.parametrize(
    ("first", "verdict"),
    [(None, "not run"), (ConditionTimeout("it is gone"), "failed"), (PreconditionFailed("not healthy"), "not run")],
)
def test_an_undo_that_fails_never_makes_it_better(first: NeuroscaleError | None, verdict: ScenarioVerdict) -> None:
    item = Item()
    if first is not None:
        item.stash[FAILED_STEP] = ("Then it is back", first)
    item.ended("call", first)
    assert item.ended("teardown", RevertFailed("the undo failed")).verdict == verdict


def test_a_scenario_that_could_not_be_set_up_is_on_record() -> None:
    result = Item().ended("setup", PreconditionFailed("the steady state does not hold"))
    assert (result.verdict, result.step) == ("not run", "")


# --- markers


def told(markexpr: str, pytestconfig: pytest.Config) -> None:
    config = SimpleNamespace(getini=pytestconfig.getini, option=SimpleNamespace(markexpr=markexpr))
    session._reject_unknown_markers(cast("pytest.Config", config))


@pytest.mark.parametrize(
    "markexpr", ["", "milestone_a", "milestone_a and not drift", "incident_a1 or (smoke and True)", "parametrize"]
)
def test_markers_that_exist_are_taken(markexpr: str, pytestconfig: pytest.Config) -> None:
    told(markexpr, pytestconfig)


@pytest.mark.parametrize(
    ("markexpr", "unknown"),
    [
        ("milestone_z", "milestone_z"),
        ("drift or incident_a9", "incident_a9"),
        ("a and not b", "a, b"),
        ("nota", "nota"),
    ],
)
def test_a_marker_that_does_not_exist_ends_the_session(
    markexpr: str, unknown: str, pytestconfig: pytest.Config
) -> None:
    """With pytest alone, a typo selects nothing, and nothing is green."""
    with pytest.raises(UsageError) as caught:
        told(markexpr, pytestconfig)
    assert caught.value.exit_code == ExitCode.USAGE
    assert f"No such marker: {unknown}. There are: " in str(caught.value)
    assert "milestone_a" in str(caught.value)
    assert "parametrize" not in str(caught.value)


# --- which tier, and how it ends


@pytest.mark.parametrize(
    ("markexpr", "mutant", "looking", "expected"),
    [
        ("", None, "", False),
        ("drift", None, "", True),
        ("", "m", "", True),
        *(("drift", None, option, False) for option in ("collectonly", "help", "version", "markers", "setupplan")),
    ],
)
def test_only_a_marker_or_a_mutant_needs_the_cluster(
    markexpr: str, mutant: str | None, looking: str, expected: bool
) -> None:
    option = SimpleNamespace(markexpr=markexpr, mutant=mutant, **{looking or "verbose": True})
    assert session.needs_cluster(cast("pytest.Config", SimpleNamespace(option=option))) is expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([{"milestone_b", "gitops", "serving"}], {"a", "b"}),
        ([{"incident", "gitops"}, {"guardrails"}], {"a", "d"}),
        ([{"milestone_d", "gate"}], set()),
    ],
)
def test_a_scenario_needs_the_components_that_its_tags_name_and_the_gate_none(
    tags: list[set[str]], expected: set[str]
) -> None:
    items = [SimpleNamespace(iter_markers=lambda names=names: [SimpleNamespace(name=name) for name in names])
             for names in tags]  # fmt: skip
    assert session.milestones_of(cast("list[pytest.Item]", items)) == expected


@pytest.mark.parametrize(
    ("tag", "shape", "wanted"),
    [
        ("smoke", "three-nodes", None),
        ("three_nodes", None, "three-nodes"),
        ("three_nodes", "three-nodes", "three-nodes"),
    ],
)
def test_scenarios_of_another_cluster_want_its_shape(
    tag: str, shape: str | None, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SimpleNamespace(name="c", shape=shape) if shape else None
    monkeypatch.setattr(session, "load_state", lambda: state)
    item = SimpleNamespace(get_closest_marker=lambda name: name == tag)
    assert session._shape_for(cast("list[pytest.Item]", [item])) == wanted


def test_no_cluster_is_made_anew_for_scenarios_of_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "load_state", lambda: SimpleNamespace(name="neuroscale", shape="one-node"))
    item = SimpleNamespace(get_closest_marker=lambda name: name == "three_nodes")
    with pytest.raises(UsageError, match=r"neuroscale is one-node\. Next: NEUROSCALE_CLUSTER=neuroscale-three "):
        session._shape_for(cast("list[pytest.Item]", [item]))


# --- a platform that is sick

SICK = """
import pytest
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, SteadyStateLost

pytestmark = pytest.mark.gate

def test_first():
    {first}

def test_second():
    raise SteadyStateLost("Not so: all is well. Next: neuroscale check a")

def test_third(): pass

def test_fourth(): pass
"""


@pytest.mark.parametrize(
    ("first", "options", "expected", "verdicts"),
    [
        ("pass", [], ExitCode.NOT_RUN, ["passed", "not run"]),
        ("raise FaultHadNoEffect('no effect')", [], ExitCode.NOT_RUN, ["not run", "not run"]),
        ("raise ConditionTimeout('a promise')", [], ExitCode.FAILED, ["failed", "not run"]),
        ("pass", ["--keep-going"], ExitCode.NOT_RUN, ["passed", "not run", "passed", "passed"]),
    ],
)
def test_on_a_platform_whose_steady_state_is_lost_nothing_else_is_tried(
    first: str, options: list[str], expected: ExitCode, verdicts: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "test_sick.py"
    file.write_text(SICK.format(first=first), encoding="utf-8")
    plugins = [f"-psuite.{name}" for name in ("ending", "session", "redaction", "recording", "mutation")]
    environment = {**os.environ, "NEUROSCALE_REPORTS": str(tmp_path / "reports")}
    arguments = [f"--rootdir={tmp_path}", "-c", os.devnull, "-mgate", *plugins, *options, str(file)]
    code, said = warm.run("pytest", *arguments, folder=ROOT, environment=environment)
    assert code == expected, said
    (folder,) = (tmp_path / "reports").iterdir()
    results = RunFolder(folder).run.results
    assert [result.verdict for result in results] == verdicts
    assert ("Not so: all is well. Next: neuroscale check a 2 more were not tried" in said) is (not options)
