"""The browser of a session: looked for before the first scenario, and what it saw put into the run and its report."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import allure
import pytest

from neuroscale.browser import chromium, visit
from neuroscale.browser.visit import Visit, evaluate_quiet
from neuroscale.errors import NeuroscaleError
from suite import allure_results
from suite.ending import FOLDER, RUN, end_session
from suite.mutation import mutant_of
from suite.recording import slug
from suite.redaction import redact
from suite.session import needs_cluster


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Half an hour into a session is late to learn that there is none."""
    config = session.config
    wanted = any(item.get_closest_marker("browser") for item in session.items)
    if session.testsfailed or not wanted or not needs_cluster(config):
        return
    try:
        config.stash[RUN].versions["chromium"] = chromium.version()
    except (NeuroscaleError, OSError) as error:
        end_session(config, error, 'Nothing was run; -m "… and not browser" needs none. ')


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    visit.listeners.append(partial(_keep, item))
    try:
        return (yield)
    finally:
        visit.listeners.pop()


def _keep(item: pytest.Item, seen: Visit) -> None:
    """Put requests and pictures on record, in the run's folder and, but for those of mutants, in the Allure report."""
    if FOLDER not in item.config.stash:
        return
    said = [evaluate_quiet(seen).observed, *seen.errors, *seen.requests]
    requests = redact(item.config, "\n".join(said) + "\n")
    item.config.stash[FOLDER].add_visit(slug(item.name), requests, seen.pictures)
    if mutant_of(item) is not None:
        return
    allure.attach(requests[: allure_results.MOST_BYTES], "requests of the browser", allure.attachment_type.TEXT)
    for name, jpeg in seen.pictures.items():
        allure.attach(jpeg, name, allure.attachment_type.JPG)
