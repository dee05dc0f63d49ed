"""One session: which tier it is, the cluster it needs, signals, and where its results go."""

from __future__ import annotations

import random
import re
import shlex
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from neuroscale.bootstrap.up import NOTHING_WAS_RUN, up
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.components import COMPONENTS, Component
from neuroscale.errors import NeuroscaleError, SteadyStateLost, UsageError
from neuroscale.interruption import finishing, listen
from neuroscale.platform import Platform
from neuroscale.results import RunFolder, RunKind
from neuroscale.settings import ShapeName
from suite import commits
from suite.ending import FOLDER, RUN, end_session
from suite.markers import THREE_NODES, THREE_NODES_SHAPE, markers

#: Everything under this folder needs the real cluster, and a marker on the command line.
REAL = "tests/e2e"
#: Tags of scenarios that have the portal as processes, and are broken from this one.
PORTAL_AS_PROCESSES = ("portal", "death")
#: Tags of scenarios that have no platform of the session, and are broken from this process.
WITHOUT_PLATFORM = (*PORTAL_AS_PROCESSES, "bootstrap")
PLATFORM = pytest.StashKey[Platform]()
BREAKAGE = pytest.StashKey[Breakage]()
#: Scenarios that were not run since no marker asked for them.
LEFT_OUT = pytest.StashKey[list[pytest.Item]]()
#: Options with which pytest shows something, and runs nothing.
_LOOKING = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setupplan")
_NOT_A_NAME = frozenset({"and", "or", "not", "True", "False"})


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("neuroscale")
    group.addoption("--supply", choices=("auto", "registry", "source"), default="auto", help="where images come from")
    group.addoption(
        "--keep-going", action="store_true", help="try the other scenarios also after the steady state was lost"
    )
    group.addoption("--shuffle", type=int, metavar="SEED", help="run in another order, the same one for the same seed")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name, meaning in markers().items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if needs_cluster(config):
        # First of all: whatever comes of this session, the latest run is this one.
        folder, config.stash[RUN] = RunFolder.begin(_kind(config), shlex.join(["pytest", *sys.argv[1:]]))
        config.stash[FOLDER], config.stash[RUN].commit = folder, commits.whole_commit()
        listen()
        if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            config.args = [str(config.rootpath / REAL)]
        # Whose plugin may be switched off.
        config.option.xmlpath = getattr(config.option, "xmlpath", None) or str(folder.path / "junit.xml")
    _reject_unknown_markers(config)


def needs_cluster(config: pytest.Config) -> bool:
    """Whether this session drives the real cluster: it was given a marker expression, or a mutant, and runs tests."""
    option = config.option
    return bool(option.markexpr or option.mutant) and not any(getattr(option, name, False) for name in _LOOKING)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A bare ``pytest`` is the fast tier: scenarios run only when a marker asks for them."""
    if config.option.shuffle is not None:
        random.Random(config.option.shuffle).shuffle(items)  # noqa: S311 - an order, and no secret
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
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive())
            # Builds tell their progress on standard error, which pytest would keep for later.
            with uncaptured(pytestconfig):
                report = up(
                    milestones_of(request.session.items),
                    supply=pytestconfig.option.supply,
                    shape=_shape_for(request.session.items),
                    say=lambda line: tell.line(f"  {line}"),
                )
        except (NeuroscaleError, OSError) as error:
            # One sentence, once, instead of the same failure for every scenario.
            end_session(pytestconfig, error, NOTHING_WAS_RUN)
        state = load_state()
        assert state is not None, "the platform was just brought up"
        run.cluster = state.nonce
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


def _shape_for(items: Iterable[pytest.Item]) -> ShapeName | None:
    """The shape of the cluster that the tests need; a cluster that is there is never made anew for it.

    Raises:
        UsageError: It is another one's.
    """
    if not any(item.get_closest_marker(THREE_NODES) for item in items):
        return None
    state = load_state()
    if state is not None and state.shape != THREE_NODES_SHAPE:
        raise UsageError(
            f"Scenarios tagged {THREE_NODES} should find a cluster of that shape, but {state.name} is {state.shape}. "
            f"Next: NEUROSCALE_CLUSTER=neuroscale-three pytest -m {THREE_NODES}"
        )
    return THREE_NODES_SHAPE


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Interrupted in one fixture, pytest forgets the fixtures that are left."""
    with finishing():
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """What an interrupted scenario broke is undone in here."""
    with finishing():
        return (yield)


def _kind(config: pytest.Config) -> RunKind:
    if config.option.mutant:
        return "kill matrix"
    return "incidents" if "incident" in config.option.markexpr else "conformance"


def _reject_unknown_markers(config: pytest.Config) -> None:
    known = {line.split(":")[0].split("(")[0].strip() for line in config.getini("markers")}
    named = set(re.findall(r"[A-Za-z_]\w*", config.option.markexpr or "")) - _NOT_A_NAME
    if unknown := sorted(named - known):
        ours = ", ".join(sorted(markers()))
        raise UsageError(f"No such marker: {', '.join(unknown)}. There are: {ours}")
