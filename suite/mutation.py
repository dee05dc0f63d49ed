"""``pytest --mutant SLUG``: run the check that must catch a mutant, first without it (the control), then with it.

Mutants of one scenario share a session and a control; where a run of the same commit on the same cluster has shown the
scenario green, that is the control. Without a green control nothing is learned, so none is tried. A test with a mutant
passes when the check turned red in the intended step for the intended reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.parser import Feature, Scenario, Step
from pytest_bdd.scenario import scenario_wrapper_template_registry

from neuroscale.chaos import monkeypatching
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.chaos.monkeypatching import FunctionPatched
from neuroscale.cluster.state import load_state
from neuroscale.errors import PreconditionFailed, RevertFailed
from neuroscale.milestones import MILESTONES, assert_steady_state
from neuroscale.polling import eventually, longest_wait, pause
from neuroscale.results import Kill, ScenarioResult
from suite import commits, controls, freshness, mutants
from suite.controls import Control
from suite.ending import CODES, FOLDER, RUN
from suite.mutants import Mutant, evaluate_kill
from suite.mutants.mutant import exit_code
from suite.scenarios import example_of, scenario_of
from suite.session import PLATFORM, WITHOUT_PLATFORM, milestones_of

_CONTROL = "control"
#: The tag of scenarios that run in this process, and need no cluster either.
_GATE = "gate"
#: In the step that must turn red, a wait lasts at most so many seconds longer than that step took in the control:
#: recoveries are measured to differ by some seconds from one time to the next.
_LONGER_THAN_CONTROL = 10.0
_IN_PLACE_SECONDS = 90.0

#: A scenario and its example.
_Check = tuple[str, str]
_CHOSEN = pytest.StashKey[list[Mutant]]()
_CONTROLS = pytest.StashKey[dict[_Check, Control]]()
_KILLS = pytest.StashKey[list[Kill]]()
_STEP_BEGAN = pytest.StashKey[float]()
#: Step -> seconds; of several of one name, the longest.
STEPS_TOOK = pytest.StashKey[dict[str, float]]()
_IN_PLACE = pytest.StashKey[bool]()
_BENEATH = pytest.StashKey[Breakage]()
#: Functions of the steps that were begun.
_STEPS = pytest.StashKey[list[Callable[..., Any]]]()
#: Milestones whose steady state was not seen since the latest mutant.
_RECOVERING = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("neuroscale").addoption(
        "--mutant",
        metavar="SLUG",
        action="append",
        default=[],
        help="break the platform so that one check must turn red; can be given several times",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Once there is a run, which tells of a slug that does not exist.
    config.stash[_CHOSEN] = [mutants.by_slug(slug) for slug in config.option.mutant]
    config.stash[_CONTROLS], config.stash[_KILLS], config.stash[_RECOVERING] = {}, [], set()


@pytest.fixture(autouse=True)
def mutant(request: pytest.FixtureRequest) -> Mutant | None:
    """What is broken beneath the scenario; nothing in a control, and in every other session."""
    return getattr(request, "param", None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply a scenario: once without, and once with each of its mutants."""
    template = scenario_wrapper_template_registry.get(metafunc.function)
    meant = [one for one in _chosen(metafunc.config) if template is not None and one.scenario == template.name]
    if meant:
        metafunc.parametrize("mutant", [None, *meant], ids=[_CONTROL, *(one.slug for one in meant)], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the scenarios that the mutants are meant for, each after its control, if that is still to be run."""
    chosen = _chosen(config)
    if not chosen:
        return
    wanted = [item for item in items if _is_wanted(item, chosen)]
    state = load_state()
    earlier = controls.known(state.nonce if state else "")
    for item in [item for item in wanted if mutant_of(item) is None and result_name(item) in earlier]:
        config.stash[_CONTROLS][_check(item)] = earlier[result_name(item)]
        wanted.remove(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    checks = list(dict.fromkeys(_check(item) for item in wanted))
    items[:] = sorted(wanted, key=lambda item: (checks.index(_check(item)), mutant_of(item) is not None))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin where nothing is left of the mutant before: smoke scenarios do not wait for a steady state themselves.

    Raises:
        PreconditionFailed: The scenario's control was not green.
        SteadyStateLost: The platform has not recovered.
    """
    mutant = mutant_of(item)
    if mutant is not None and _check(item) not in item.config.stash[_CONTROLS]:
        raise PreconditionFailed(
            "The scenario should be green without the mutant, but is not, so nothing was tried. "
            f"Next: pytest --mutant {mutant.slug}"
        )
    recovering = item.config.stash[_RECOVERING]
    for milestone in sorted(milestones_of([item]) & recovering):
        assert_steady_state(milestone, item.config.stash[PLATFORM])
        recovering.remove(milestone)


def pytest_bdd_before_step(
    request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: Step, step_func: Callable[..., Any]
) -> None:
    """Put the mutant in place right before the step it names."""
    item = request.node
    item.stash[_STEP_BEGAN] = time.monotonic()
    mutant = mutant_of(item)
    if mutant is None:
        return
    item.stash.setdefault(_STEPS, []).append(step_func)
    if step.name == mutant.before:
        _put_in_place(request, mutant)
    if step.name == mutant.red_step:
        control = item.config.stash[_CONTROLS][_check(item)]
        longest_wait.set(control.seconds[step.name] + _LONGER_THAN_CONTROL)


def pytest_bdd_after_step(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: Step) -> None:
    """Keep how long the step took."""
    longest_wait.set(inf)
    item = request.node
    seconds = item.stash.setdefault(STEPS_TOOK, {})
    seconds[step.name] = max(seconds.get(step.name, 0.0), time.monotonic() - item.stash[_STEP_BEGAN])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """What is waited for after the steps, such as a rollback, has its ordinary limit, also after Ctrl-C within one."""
    try:
        return (yield)
    finally:
        longest_wait.set(inf)


def as_intended(item: pytest.Item, step: str, reason: str) -> bool:
    """Whether an error is the one that the mutant is there for: that needs no evidence."""
    mutant = mutant_of(item)
    return mutant is not None and item.stash.get(_IN_PLACE, False) and mutant.matches(step, reason)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """The mutant's cause goes first: what the scenario broke may never be undone on a platform that is broken."""
    if (beneath := item.stash.get(_BENEATH, None)) is not None:
        # It stays in the journal, and is tried again when the mutant itself is undone.
        with suppress(RevertFailed):
            beneath.remedy()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Take a mutant's verdict off the scenarios' record and put it into the matrix; both are written each time."""
    report = yield
    if not _chosen(item.config):
        return report
    mutant = mutant_of(item)
    if mutant is None:
        if report.failed:
            item.config.stash[_CONTROLS].pop(_check(item), None)
        elif call.when == "call":
            seconds = item.stash.get(STEPS_TOOK, {})
            item.config.stash[_CONTROLS][_check(item)] = Control(item.config.stash[RUN].name, seconds)
    elif call.when == "call" or (call.when == "setup" and report.failed):
        run, folder = item.config.stash[RUN], item.config.stash[FOLDER]
        result = run.results.pop() if run.results and run.results[-1].nodeid == item.nodeid else None
        kill = _kill(mutant, result, item)
        item.config.stash[_KILLS].append(kill)
        item.config.stash.setdefault(CODES, {})[item.nodeid, call.when] = exit_code(kill)
        folder.save_kills(item.config.stash[_KILLS])
        folder.save_run(run)
        report.kill = kill.verdict
        report.outcome = "passed" if kill.verdict == "killed" else "failed"
        report.longrepr = None if kill.verdict == "killed" else f"{kill.verdict}: {kill.step}: {kill.reason}"
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """In pytest's lines: a kill is not just a pass."""
    verdict = getattr(report, "kill", None)
    return (verdict if report.passed else "failed", verdict[0].upper(), verdict.upper()) if verdict else None


def _chosen(config: pytest.Config) -> list[Mutant]:
    return config.stash[_CHOSEN]


def mutant_of(item: pytest.Item) -> Mutant | None:
    """What is broken beneath this test; nothing in a control, and in every other session."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("mutant") if callspec is not None and scenario_of(item) is not None else None


def result_name(item: pytest.Item) -> str:
    """A scenario as results call it: with its example, and with the mutant beneath it."""
    scenario, example, mutant = scenario_of(item), example_of(item), mutant_of(item)
    if scenario is None:
        return item.name
    which = ", ".join(filter(None, [example, f"mutant {mutant.slug}" if mutant else ""]))
    return scenario.name + (f" [{which}]" if which else "")


def _check(item: pytest.Item) -> _Check:
    scenario = scenario_of(item)
    return (scenario.name if scenario is not None else item.name, example_of(item))


def _is_wanted(item: pytest.Item, chosen: Sequence[Mutant]) -> bool:
    scenario, example = _check(item)
    mutant = mutant_of(item)
    asked = chosen if mutant is None else [mutant]
    return any(one.scenario == scenario and one.example in example for one in asked)


def _put_in_place(request: pytest.FixtureRequest, mutant: Mutant) -> None:
    """Break the platform and see it broken.

    Raises:
        FaultHadNoEffect: A fault could not be seen.
        ConditionTimeout: What the mutant needs did not come about.
    """
    if any(request.node.get_closest_marker(name) for name in (*WITHOUT_PLATFORM, _GATE)):
        _exchange(request, mutant)
        return
    platform = request.getfixturevalue("platform")
    state = load_state()
    assert state is not None, "the platform fixture made it"
    request.config.stash[_RECOVERING].update(MILESTONES)
    breakage = Breakage(platform, Journal.of(state.nonce))
    request.node.stash[_BENEATH] = breakage
    request.node.addfinalizer(lambda: breakage.__exit__(None, None, None))
    for fault in mutant.faults:
        breakage.inject(fault)
    if mutant.in_place is not None:
        eventually(mutant.in_place(platform), platform.cluster, within=_IN_PLACE_SECONDS)
    pause(mutant.hold)
    request.node.stash[_IN_PLACE] = True


def _exchange(request: pytest.FixtureRequest, mutant: Mutant) -> None:
    """What needs no platform of the session, such as the gate, is broken in this process."""
    for fault in mutant.faults:
        assert isinstance(fault, FunctionPatched), "there is no cluster to break"
        request.node.addfinalizer(partial(monkeypatching.restore, fault.wire))
        monkeypatching.exchange(fault.wire, fault.replacement)
    request.node.stash[_IN_PLACE] = True


def _kill(mutant: Mutant, result: ScenarioResult | None, item: pytest.Item) -> Kill:
    template = scenario_of(item)
    assert template is not None, "only scenarios have mutants"
    steps = item.stash.get(_STEPS, list[Callable[..., Any]]())
    tags = {marker.name for marker in item.iter_markers()}
    made_of = freshness.inputs_of(mutant, Path(template.feature.filename), steps, tags)
    return Kill(
        mutant=mutant.slug,
        title=mutant.title,
        scenario=mutant.scenario + (f" [{mutant.example}]" if mutant.example else ""),
        verdict=evaluate_kill(mutant, result if item.stash.get(_IN_PLACE, False) else None),
        expected_step=mutant.red_step,
        expected_reason=mutant.reason,
        step=result.step if result else "",
        reason=result.why if result else "the scenario did not run; see the log above",
        seconds=result.seconds if result else 0.0,
        at=datetime.now(UTC),
        commit=commits.commit(),
        inputs=freshness.digests(made_of),
        control=control.run if (control := item.config.stash[_CONTROLS].get(_check(item))) else "",
    )
