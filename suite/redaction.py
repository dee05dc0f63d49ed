"""No secret in what a session leaves behind: pytest's own reports (terminal, JUnit), ``run.json``, and Allure's.

Evidence redacts itself before it is written. Here are the words of errors, whoever raised them, and captured output.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import allure_commons
import attrs
import pytest

from neuroscale.errors import NeuroscaleError, SecretWrittenDown
from neuroscale.evidence.leaks import leaks
from neuroscale.evidence.redaction import Redactor
from suite.ending import FOLDER, end_session
from suite.session import PLATFORM, needs_cluster

_REDACT = pytest.StashKey[Redactor]()
_PATTERNS_ONLY = Redactor(())


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if needs_cluster(config):
        allure_commons.plugin_manager.register(allure := AllureRedaction(config))
        config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(allure))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """When everybody has written down what they had to tell, no secret of the platform may be in it."""
    result = yield
    platform, folder = session.config.stash.get(PLATFORM, None), session.config.stash.get(FOLDER, None)
    if platform is None or folder is None:
        return result
    try:
        found = leaks(folder.path, platform.cluster.list("Secret"))
    except NeuroscaleError as error:
        # A run that is not green needs no further reason.
        if session.exitstatus == pytest.ExitCode.OK:
            end_session(session.config, error, "No secret was looked for in what the run wrote. ")
        return result
    if found:
        end_session(session.config, SecretWrittenDown(folder.path.name, found))
    return result


def redact(config: pytest.Config, text: str) -> str:
    """A text without what the latest look at the cluster's Secrets found, nor what looks like one."""
    return config.stash.get(_REDACT, _PATTERNS_ONLY)(text)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Innermost, so that everybody else who reports finds the report redacted."""
    report = yield
    if not needs_cluster(item.config):
        return report
    # What a scenario printed is reported also when it passed.
    if call.excinfo is not None or report.sections:
        _learn_secrets(item.config)
    if call.excinfo is not None:
        told = redact(item.config, report.longreprtext)
        # As long as nothing was in it, it keeps its colours and its short form.
        if told != report.longreprtext:
            report.longrepr = told
    report.sections = [(name, redact(item.config, text)) for name, text in report.sections]
    return report


def _learn_secrets(config: pytest.Config) -> None:
    """Those of this moment: scenarios make some, and a cluster that does not answer now may have answered before."""
    platform = config.stash.get(PLATFORM, None)
    if platform is not None:
        try:
            config.stash[_REDACT] = Redactor(platform.cluster.list("Secret"))
        except NeuroscaleError:
            return


class AllureRedaction:
    """Sees Allure's results right before they are written."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: Any) -> None:
        """A test with its steps."""
        self._redacted(result)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """Fixtures around tests."""
        self._redacted(container)

    def _redacted(self, value: Any) -> Any:
        if isinstance(value, str):
            return redact(self._config, value)
        if isinstance(value, list):
            return [self._redacted(one) for one in value]
        if attrs.has(type(value)):
            for field in attrs.fields(type(value)):
                setattr(value, field.name, self._redacted(getattr(value, field.name)))
        return value
