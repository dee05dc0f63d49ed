"""The list of the reference's checks: what is told as passed, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ExitCode, PreconditionFailed, SteadyStateLost
from neuroscale.milestones import MILESTONES
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.results import RunFolder, ScenarioResult, ScenarioVerdict
from suite import smoke
from suite.smoke import API_REACHABLE, CHECKS, Check, Witnesses, show

PODS = Check("a", "pods run", probe="^all .* ready$")
HEALS = Check("a", "drift heals", scenario="A deleted one is restored", skipped_by="--skip-drift")
DENIED = Check("d", "denied", scenario="It is rejected [root, ")


def result(scenario: str, verdict: ScenarioVerdict) -> ScenarioResult:
    why = "" if verdict == "passed" else "why"
    return ScenarioResult(
        nodeid="", feature="", scenario=scenario, tags=[], verdict=verdict, seconds=3, why=why
    )  # fmt: skip


GOOD = Witnesses(
    ["a", "d"],
    {("a", "all 2 are ready"): met("both"), ("d", "all 3 are ready"): pending("none")},
    [result("A deleted one is restored", "passed"), result("It is rejected [root, policy]", "passed")],
    which=lambda name: f"/bin/{name}" if name == "sh" else None,
)


@pytest.mark.parametrize(
    ("check", "witnesses", "verdict", "seen"),
    [
        (PODS, GOOD, "PASS", "both"),
        (PODS, replace(GOOD, probes={("a", "all 2 are ready"): pending("one of 2")}), "FAIL", "one of 2"),
        (PODS, replace(GOOD, probes={("a", "another"): met("fine")}), "NOT RUN", "could not be asked"),
        (replace(PODS, milestone="c"), GOOD, "NOT THERE", "scripts/bootstrap.sh --milestones c"),
        (HEALS, GOOD, "PASS", "3 s"),
        (HEALS, replace(GOOD, scenarios=[result(HEALS.scenario, "failed")]), "FAIL", "why"),
        (HEALS, replace(GOOD, scenarios=[result(HEALS.scenario, "not run")]), "NOT RUN", "why"),
        (HEALS, replace(GOOD, scenarios=[]), "NOT RUN", "was not run"),
        (HEALS, replace(GOOD, scenarios=[result(f"{HEALS.scenario} twice", "passed")]), "NOT RUN", "was not run"),
        (HEALS, replace(GOOD, options=["--skip-drift"]), "SKIPPED", "--skip-drift"),
        (DENIED, GOOD, "PASS", "root"),
        (DENIED, replace(GOOD, options=["--skip-drift"]), "PASS", "root"),
        (DENIED, replace(GOOD, scenarios=[result("It is rejected [roots, x]", "passed")]), "NOT RUN", "was not run"),
        (Check("", "a shell", program="sh"), GOOD, "PASS", "/bin/sh"),
        (Check("", "another", program="csh"), GOOD, "NOT THERE", ""),
    ],
)
def test_verdicts(check: Check, witnesses: Witnesses, verdict: str, seen: str) -> None:
    said, why = witnesses.judge(check)
    assert said == verdict
    assert seen in why


def all_good() -> Witnesses:
    """Whatever the checks ask is met, by the letter of their expressions."""
    probes = {
        (check.milestone, check.probe.replace(r"\d+", "3")): met("fine") for check in CHECKS if check.probe
    }  # fmt: skip
    names = {check.scenario for check in CHECKS if check.scenario}
    run = [result(f"{name}x]" if name.endswith(", ") else name, "passed") for name in names]
    return Witnesses(list(MILESTONES), probes, run, which=lambda name: f"/bin/{name}")


def broken(number: int) -> Witnesses:
    check, good = CHECKS[number], all_good()
    if check.scenario:
        worse = [
            one if not one.scenario.startswith(check.scenario) else result(one.scenario, "failed")
            for one in good.scenarios
        ]
        return replace(good, scenarios=worse)
    key = (check.milestone, check.probe.replace(r"\d+", "3"))
    return replace(good, probes={**good.probes, key: pending("sick")})


def test_what_does_not_exist_is_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    without = replace(all_good(), milestones=[letter for letter in MILESTONES if letter != "f"])
    assert show(without) == ExitCode.PASSED
    said = capsys.readouterr().out
    assert "21 PASS, 1 NOT THERE of 22 checks" in said
    assert [line.split()[:2] for line in said.splitlines() if "OpenCost is up" in line] == [["NOT", "THERE"]]


@pytest.mark.parametrize("number", [index for index, check in enumerate(CHECKS) if check.probe or check.scenario])
def test_each_check_can_fail(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(broken(number)) == ExitCode.FAILED
    (line,) = (line for line in capsys.readouterr().out.splitlines() if CHECKS[number].name in line)
    assert line.split()[0] == "FAIL"


def test_a_check_that_could_not_be_made_is_no_pass() -> None:
    assert show(replace(all_good(), scenarios=[])) == ExitCode.NOT_RUN


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Verdict]:
    """A cluster with all milestones, whose answers a test may change."""
    probes = dict(all_good().probes)
    monkeypatch.setattr(smoke, "connect", lambda: None)
    monkeypatch.setattr(smoke, "load_state", lambda: SimpleNamespace(milestones=list(MILESTONES)))
    monkeypatch.setattr(smoke, "exclusive", nullcontext)
    monkeypatch.setattr(smoke, "ask", lambda platform, milestones: probes)
    return probes


def session(code: int, results: list[ScenarioResult]) -> Callable[..., int]:
    """A pytest that leaves a run behind."""

    def run(*arguments: str) -> int:
        folder, record = RunFolder.begin("conformance", "pytest")
        record.results = results
        folder.save_run(record)
        return code

    return run


@pytest.mark.parametrize("code", [*ExitCode])
@pytest.mark.usefixtures("world")
def test_what_ends_the_scenarios_ends_the_list(code: ExitCode) -> None:
    assert smoke.run([], session(code, list(all_good().scenarios))) == code


@pytest.mark.parametrize(("code", "ends"), [(1, 1), (3, 1), (130, 130)])
@pytest.mark.usefixtures("world")
def test_a_failed_scenario_fails(code: int, ends: int) -> None:
    failed = [result(one.scenario, "failed") for one in all_good().scenarios]
    assert smoke.run([], session(code, failed)) == ends


@pytest.mark.usefixtures("world")
def test_scenarios_of_an_earlier_run_say_nothing() -> None:
    session(0, list(all_good().scenarios))()
    assert smoke.run([], lambda *_: 0) == ExitCode.NOT_RUN


def test_nothing_is_broken_on_a_platform_that_is_not_well(
    world: dict[tuple[str, str], Verdict], capsys: pytest.CaptureFixture[str]
) -> None:
    world["a", "another probe"] = pending("sick")

    def never(*arguments: str) -> int:
        raise AssertionError(arguments)

    assert smoke.run([], never) == ExitCode.NOT_RUN
    assert "no scenario was tried" in capsys.readouterr().out


def test_a_cluster_without_milestones_says_what_to_do(
    world: dict[tuple[str, str], Verdict], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke, "load_state", lambda: SimpleNamespace(milestones=[]))
    with pytest.raises(PreconditionFailed, match=r"Next: scripts/bootstrap\.sh"):
        smoke.run([], session(0, []))


def test_the_steady_state_is_waited_for_and_then_asked(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited = list[str]()

    def wait(letter: str, platform: object) -> None:
        waited.append(letter)
        raise SteadyStateLost(f"{letter} is sick")

    sick = pending("so it is")
    monkeypatch.setattr(smoke, "assert_steady_state", wait)
    monkeypatch.setattr(smoke, "probes_of", lambda letter, platform: [ProbeFunction("well", lambda: sick, letter)])
    api.answers["GET /readyz"] = (200, b"ok", {})
    asked = smoke.ask(fake_platform(cluster), ["a", "b"])
    assert asked == {("", API_REACHABLE): met(api.url), ("a", "well"): sick, ("b", "well"): sick}
    assert waited == ["a", "b"]
    assert "a is sick" in capsys.readouterr().out
    api.answers["GET /readyz"] = (500, b"[-]etcd failed", {})
    ((name, verdict),) = smoke.ask(fake_platform(cluster), ["a"]).items()
    assert name == ("", API_REACHABLE)
    assert not verdict
    assert "etcd failed" in verdict.observed
