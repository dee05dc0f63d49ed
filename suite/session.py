"""One session: which tier it is, the cluster it needs, exit codes, signals, and where its results go."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from types import FrameType

import pytest

from neuroscale.bootstrap.up import up
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.components import COMPONENTS, Component
from neuroscale.errors import ExitCode, NeuroscaleError, SteadyStateLost
from neuroscale.platform import Platform
from neuroscale.results import Run, RunFolder
from suite.markers import markers

#: Everything under this folder needs the real cluster, and a marker on the command line.
REAL = "tests/e2e"
FOLDER = pytest.StashKey[RunFolder]()
RUN = pytest.StashKey[Run]()
PLATFORM = pytest.StashKey[Platform]()
BREAKAGE = pytest.StashKey[Breakage]()
#: Scenarios that were not run since no marker asked for them.
LEFT_OUT = pytest.StashKey[list[pytest.Item]]()
UNREADABLE = pytest.StashKey[bool]()
#: Why nothing could be run; our own exit codes mean something else to pytest.
NOT_BROUGHT_UP = pytest.StashKey[ExitCode]()
#: Options with which pytest shows something, and runs nothing.
_LOOKING = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setupplan")
_NOT_A_NAME = frozenset({"and", "or", "not", "True", "False"})


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("neuroscale")
    group.addoption("--supply", choices=("auto", "registry", "source"), default="auto", help="where images come from")
    group.addoption(
        "--keep-going", action="store_true", help="try the other scenarios also after the steady state was lost"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in markers().items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    _reject_unknown_markers(config)
    if needs_cluster(config):
        # SIGTERM undoes as Ctrl-C does; pytest alone would end without running any fixture's teardown.
        signal.signal(signal.SIGTERM, _interrupt)
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            config.args = [str(config.rootpath / REAL)]
        folder = RunFolder.new()
        config.stash[FOLDER] = folder
        config.stash[RUN] = Run(
            name=folder.path.name,
            kind="incidents" if "incident" in (config.option.markexpr or "") else "conformance",
            started_at=datetime.now(UTC),
            command=shlex.join(["pytest", *sys.argv[1:]]),
        )
        # Whose plugin may be switched off.
        config.option.xmlpath = getattr(config.option, "xmlpath", None) or str(folder.path / "junit.xml")


def needs_cluster(config: pytest.Config) -> bool:
    """Whether this session drives the real cluster: it was given a marker expression, or a mutant, and runs tests."""
    option = config.option
    return bool(option.markexpr or option.mutant) and not any(getattr(option, name, False) for name in _LOOKING)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A bare ``pytest`` is the fast tier: scenarios run only when a marker asks for them."""
    if config.option.markexpr or config.option.mutant:
        return
    real = [item for item in items if item.path.is_relative_to(config.rootpath / REAL)]
    items[:] = [item for item in items if item not in real]
    config.stash[LEFT_OUT] = real
    config.hook.pytest_deselected(items=real)


@pytest.fixture(scope="session")
def platform(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The platform, brought up if need be and healed of what a killed run left; held by this run alone."""
    run, tell = pytestconfig.stash[RUN], pytestconfig.get_terminal_writer()
    with exclusive():
        try:
            # Builds tell their progress on standard error, which pytest would keep for later.
            with uncaptured(pytestconfig):
                report = up(
                    milestones_of(request.session.items),
                    supply=pytestconfig.option.supply,
                    say=lambda line: tell.line(f"  {line}"),
                )
        except NeuroscaleError as error:
            pytestconfig.stash[NOT_BROUGHT_UP] = error.exit_code
            # One sentence, once, instead of the same failure for every scenario.
            pytest.exit(
                f"The platform could not be brought up, so nothing was run. {error}", returncode=error.exit_code
            )
        state = load_state()
        assert state is not None, "the platform was just brought up"
        run.versions = {"platform": "+".join(state.milestones).upper(), **state.versions}
        pytestconfig.stash[PLATFORM] = report.platform
        yield report.platform


def uncaptured(config: pytest.Config) -> AbstractContextManager[None]:
    """Let what is printed be seen at once."""
    capture = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else nullcontext()


def milestones_of(items: Iterable[pytest.Item]) -> set[str]:
    """Letters of the milestones whose components the tests need."""
    return {component.milestone for component in needed(items)}


def needed(items: Iterable[pytest.Item]) -> tuple[Component, ...]:
    """The components that the tests need: their tags say so. Scenarios of the CI gate have none of these tags."""
    names = {marker.name for item in items for marker in item.iter_markers()}
    return tuple(component for component in COMPONENTS if component.name in names)


@pytest.fixture
def breakage(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Breakage]:
    """What a scenario breaks; undone when it ends, whatever happened."""
    state = load_state()
    assert state is not None, "the platform fixture made it"
    with Breakage(platform, Journal.of(state.nonce)) as broken:
        request.node.stash[BREAKAGE] = broken
        yield broken


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What is tried on a sick platform says nothing of it, and each scenario would wait as long to find that out."""
    report = yield
    lost = call.excinfo.value if call.excinfo else None
    if isinstance(lost, SteadyStateLost) and not item.config.option.keep_going:
        left = len(item.session.items) - item.session.items.index(item) - 1
        item.session.shouldfail = f"{lost} {left} more were not tried; --keep-going tries them"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Before any test ran, only collecting can have failed; pytest will call that an interruption."""
    session.config.stash[UNREADABLE] = bool(session.testsfailed)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Translate pytest's exit code into ours, and give "nothing collected" a reason."""
    translation = {
        pytest.ExitCode.INTERRUPTED: ExitCode.INTERNAL
        if session.config.stash.get(UNREADABLE, False)
        else ExitCode.INTERRUPTED,
        pytest.ExitCode.INTERNAL_ERROR: ExitCode.INTERNAL,
        pytest.ExitCode.USAGE_ERROR: ExitCode.USAGE,
    }
    status = session.config.stash.get(NOT_BROUGHT_UP, None) or translation.get(exitstatus, exitstatus)  # type: ignore[call-overload]
    if status == ExitCode.FAILED and (run := session.config.stash.get(RUN, None)):
        verdicts = {result.verdict for result in run.results}
        if run.results and "failed" not in verdicts:
            status = ExitCode.NOT_RUN
    session.exitstatus = int(status)


def _reject_unknown_markers(config: pytest.Config) -> None:
    known = {line.split(":")[0].split("(")[0].strip() for line in config.getini("markers")}
    named = set(re.findall(r"[A-Za-z_]\w*", config.option.markexpr or "")) - _NOT_A_NAME
    if unknown := sorted(named - known):
        ours = ", ".join(sorted(markers()))
        pytest.exit(f"No such marker: {', '.join(unknown)}. There are: {ours}", returncode=ExitCode.USAGE)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(f"signal {signum}")
