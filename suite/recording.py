"""Verdicts, evidence and figures of a session."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import allure
import pytest
from pytest_bdd.parser import Feature, Scenario, Step

from neuroscale import polling
from neuroscale.cluster.state import present_milestones
from neuroscale.errors import ExitCode, ending_of
from neuroscale.evidence import collect
from neuroscale.incident_match import matching
from neuroscale.incidents import INCIDENTS
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Timeline
from neuroscale.results import Recorder, Sample, ScenarioResult, ScenarioVerdict
from neuroscale.serving import request_stream
from neuroscale.serving.request_stream import Stream, listed
from neuroscale.settings import reports_dir
from suite import allure_results
from suite.ending import CODES, FOLDER, RUN, concerns_all, end_session
from suite.mutants import Mutant
from suite.mutation import STEPS_TOOK, as_intended, result_name
from suite.redaction import redact
from suite.scenarios import scenario_of
from suite.session import BREAKAGE, PLATFORM, needed

FAILED_STEP = pytest.StashKey[tuple[str, BaseException]]()
_CONCERNS_ALL = pytest.StashKey[BaseException]()
_TIMELINES = pytest.StashKey[list[Timeline]]()
_STARTED = pytest.StashKey[float]()


def verdict_of(error: BaseException) -> ScenarioVerdict:
    """What an error says about the platform: only a broken promise is a failure."""
    return "failed" if ending_of(error).code in {ExitCode.FAILED, ExitCode.INTERNAL} else "not run"


@pytest.fixture
def recorder(request: pytest.FixtureRequest, mutant: Mutant | None) -> Recorder:
    """Puts the scenario's figures on record, in the run's folder and in the Allure report, but not of mutants."""
    folder = request.config.stash[FOLDER]

    def keep(measured: Sample) -> None:
        if mutant is not None:
            return
        folder.add_sample(measured)
        allure.attach(measured.model_dump_json(indent=1), "recovery", allure.attachment_type.JSON)

    return Recorder(request.node.name, keep)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[_TIMELINES] = []
    item.stash[_STARTED] = time.monotonic()
    polling.listeners.append(item.stash[_TIMELINES].append)
    request_stream.listeners.append(partial(_keep_requests, item.config, item.name))
    try:
        result = yield
    finally:
        polling.listeners.pop()
        request_stream.listeners.pop()
    if _CONCERNS_ALL in item.stash:
        end_session(item.config, item.stash[_CONCERNS_ALL])
    return result


def _keep_requests(config: pytest.Config, test: str, stream: Stream) -> None:
    """Put the requests of a stream on record, in the run's folder and in the Allure report."""
    if FOLDER not in config.stash or not stream.records:
        return
    words = partial(redact, config)
    config.stash[FOLDER].add_stream(slug(test), stream.name, listed(stream.records, words))
    beginning = listed(stream.records, words, allure_results.MOST_BYTES)
    allure.attach(beginning, f"requests to {stream.name}", allure.attachment_type.CSV)


def pytest_bdd_step_error(
    request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: Step, exception: Exception
) -> None:
    """The first step that fails: keep its name, and collect evidence before anything is undone."""
    item = request.node
    if FAILED_STEP in item.stash:
        return
    failed = f"{step.keyword} {step.name}"
    item.stash[FAILED_STEP] = (failed, exception)
    if PLATFORM not in item.config.stash or as_intended(item, failed, str(exception).split("\n")[0]):
        return
    breakage = item.stash.get(BREAKAGE, None)
    effects = breakage.effects if breakage else []
    snapshots: dict[Ref, Object] = {
        effect.fault.target: effect.snapshot["before"]
        for effect in effects
        if effect.fault.target is not None and effect.snapshot.get("before")
    }
    seconds = time.monotonic() - item.stash[_STARTED]
    since = min((effect.clock for effect in effects), default=datetime.now(UTC) - timedelta(seconds=seconds))
    folder = collect(
        item.config.stash[PLATFORM],
        item.config.stash[FOLDER].path / "evidence" / slug(item.name),
        since=since,
        refs=[effect.fault.target for effect in effects if effect.fault.target is not None],
        timelines=item.stash[_TIMELINES],
        error=str(exception),
        command=_again(item),
        versions=item.config.stash[RUN].versions,
        snapshots=snapshots,
        components=needed([item]),
    )
    # As the report sees it: where on this machine that is, nobody else needs to know.
    exception.add_note(f"Evidence: {folder.relative_to(reports_dir().parent)}")
    known = matching(INCIDENTS.values(), item.config.stash[PLATFORM], present_milestones())
    exception.add_note(f"Looks like incident {known[0]}" if known else "Looks like no incident of the catalogue")
    _attach(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is not None and (call.when == "call" or call.excinfo is not None):
        _record(item, call)
        run.seconds = (datetime.now(UTC) - run.started_at).total_seconds()
        item.config.stash[FOLDER].save_run(run)
        if call.excinfo is not None and concerns_all(call.excinfo.value):
            item.stash[_CONCERNS_ALL] = call.excinfo.value
    return report


def _record(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """The verdict of a scenario; an undo that fails afterwards makes a passed one "not run", never better."""
    run = item.config.stash[RUN]
    earlier = run.results.pop() if run.results and run.results[-1].nodeid == item.nodeid else None
    step, error = "", call.excinfo.value if call.excinfo else None
    if call.when == "call":
        step, error = item.stash.get(FAILED_STEP, (step, error))
    verdict: ScenarioVerdict = "passed" if error is None else verdict_of(error)
    if error is not None:
        item.config.stash.setdefault(CODES, {})[item.nodeid, call.when] = ending_of(error).code
    if earlier is not None and earlier.verdict != "passed":
        # What went wrong first is what went wrong; an undo that fails as well makes it neither better nor another.
        run.results.append(earlier)
        return
    run.results.append(
        ScenarioResult(
            nodeid=item.nodeid,
            feature=_feature(item),
            scenario=result_name(item),
            tags=sorted({marker.name for marker in item.iter_markers()} & set(run_tags(item.config))),
            verdict=verdict,
            seconds=time.monotonic() - item.stash[_STARTED],
            why=redact(item.config, str(error)).split("\n")[0] if error is not None else "",
            step=step,
            steps=item.stash.get(STEPS_TOOK, {}),
        )
    )


def run_tags(config: pytest.Config) -> list[str]:
    """Markers of this suite, as opposed to pytest's own."""
    return [line.split(":")[0] for line in config.getini("markers")]


def _feature(item: pytest.Item) -> str:
    scenario = scenario_of(item)
    return item.path.stem if scenario is None else scenario.feature.name or ""


def _again(item: pytest.Item) -> str:
    """The command that repeats one scenario."""
    option = item.config.option
    selected = [f"--mutant={slug}" for slug in option.mutant] or ["-m", option.markexpr, item.nodeid]
    return shlex.join(["pytest", *selected])


def _attach(folder: Path) -> None:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            allure_results.attach(file)


def slug(name: str) -> str:
    """The name of a test as the name of a folder."""
    return re.sub(r"\W+", "_", name.lower()).strip("_")[:80]
