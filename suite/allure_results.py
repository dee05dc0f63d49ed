"""What Allure is told of a session: what the scenario says, every test that ran, and no megabytes."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator
from pathlib import Path
from typing import Any

import allure
import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Status, StatusDetails, TestResult
from allure_commons.types import LabelType

from neuroscale.results import ScenarioResult, ScenarioVerdict
from suite.ending import FOLDER, RUN

#: Of a file that is attached; the whole of it lies in the run's folder.
MOST_BYTES = 50_000
_STATUS: dict[ScenarioVerdict, str] = {"passed": Status.PASSED, "failed": Status.FAILED, "not run": Status.BROKEN}
_WATCH = pytest.StashKey["ResultsWatch"]()


class ResultsWatch:
    """Sees each result right before it is written."""

    def __init__(self) -> None:
        self.told = False

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """Take out what is no word of the scenario: Allure keeps the ``repr`` of every fixture a step asks for.

        The values that a step does name stand in its text.
        """
        self.told = True
        steps = list(result.steps)
        while steps:
            step = steps.pop()
            step.parameters = []
            steps += step.steps


def pytest_configure(config: pytest.Config) -> None:
    """After the session has its folder, and before Allure's own plugin asks where to write."""
    if FOLDER not in config.stash:
        return
    config.stash[_WATCH] = watch = ResultsWatch()
    _register(config, watch)
    folder = str(config.stash[FOLDER].path / "allure-results")
    if wanted := getattr(config.option, "allure_report_dir", None):
        # The report is made from the run's folder; who named another has them there as well.
        logger = AllureFileLogger(wanted, config.option.clean_alluredir)  # type: ignore[no-untyped-call]
        _register(config, logger)
    config.option.allure_report_dir = folder


def _register(config: pytest.Config, plugin: object) -> None:
    allure_commons.plugin_manager.register(plugin)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(plugin))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Tell of what Allure's plugin does not: a test that is no scenario, or a scenario that did not begin."""
    watch = item.config.stash.get(_WATCH, None)
    if watch is not None:
        watch.told = False
    ended = yield
    results = item.config.stash[RUN].results if watch is not None else []
    if watch is not None and not watch.told and results and results[-1].nodeid == item.nodeid:
        allure_commons.plugin_manager.hook.report_result(result=_result(results[-1]))
    return ended


def _result(ran: ScenarioResult) -> TestResult:
    now = round(time.time() * 1000)
    return TestResult(
        uuid=str(uuid.uuid4()),
        testCaseId=ran.nodeid,
        historyId=ran.nodeid,
        fullName=ran.nodeid,
        name=ran.scenario,
        status=_STATUS[ran.verdict],
        statusDetails=StatusDetails(message=ran.why) if ran.why else None,
        labels=[Label(LabelType.FEATURE, ran.feature), *(Label(LabelType.TAG, tag) for tag in ran.tags)],
        start=now - round(ran.seconds * 1000),
        stop=now,
    )


def attach(file: Path) -> None:
    """Put a file into the report, or of a long one its end, which is what a log says last."""
    content = file.read_bytes()
    if len(content) <= MOST_BYTES:
        allure.attach.file(str(file), file.name)  # type: ignore[no-untyped-call]
    else:
        cut = f"(the last {MOST_BYTES} of {len(content)} bytes; the whole lies beside the report)\n".encode()
        allure.attach(cut + content[-MOST_BYTES:], file.name, allure.attachment_type.TEXT)
