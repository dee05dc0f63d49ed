"""``neuroscale up``: idempotent, also after a crash half-way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from neuroscale import host
from neuroscale.atomic_write import discard_drafts
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.bootstrap.stages import stages
from neuroscale.chaos.journal import Journal
from neuroscale.cluster import k3d
from neuroscale.cluster.state import ClusterState, load_state, present_milestones
from neuroscale.components import GROUND, PORTS, Stage, demands, endpoints, install_tools, selected
from neuroscale.errors import ClusterUnreachable, ConditionTimeout, NeuroscaleError, PreconditionFailed, RevertFailed
from neuroscale.milestones import MILESTONES
from neuroscale.platform import Platform, connect
from neuroscale.polling import Verdict, duration, eventually, met, pending
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.probes.progress_reporter import ProgressReporter
from neuroscale.settings import BUDGETS, CLUSTER_NAME, ONE_NODE, ShapeName, state_dir
from neuroscale.supply import Provisions, assert_usable, choose

_LOG = logging.getLogger(__name__)

Say = Callable[[str], None]
#: What is said before the error, of a run that needed the platform.
NOTHING_WAS_RUN = "The platform could not be brought up, so nothing was run. "


@dataclass
class UpReport:
    """What ``up`` did.

    Attributes:
        how: ``reused``, ``resumed``, ``created``, ``recreated`` or ``adopted``.
        seconds: Part of the way -> seconds; the stages' figures all count from the moment the cluster was there.
    """

    platform: Platform
    how: str
    seconds: dict[str, float] = field(default_factory=dict)


def up(
    milestones: Collection[str] = MILESTONES,
    *,
    supply: Literal["auto", "registry", "source"] = "auto",
    shape: ShapeName | None = None,
    install: bool = False,
    say: Say = print,
) -> UpReport:
    """Bring the platform up and wait until it is healthy. The caller holds the cluster (``exclusive``).

    A cluster that was stopped and does not get healthy again is recreated: all there is to it is in Git.

    Args:
        milestones: Which milestones' components are needed; those that the cluster has already stay.
        supply: Where images come from; ``auto`` is decided once for a cluster and kept in its state.
        shape: Of the cluster's nodes and networks, by its name; if none, that of the cluster that is there. One of
            another shape is recreated.
        install: Whether missing system packages may be installed on this machine.
        say: Receives one line per thing done.

    Raises:
        PreconditionFailed: A stage's probes were not met.
        NeuroscaleError: See its subclasses.
    """
    seconds: dict[str, float] = {}
    assert_usable()
    discard_drafts(state_dir())
    begun, wanted = datetime.now(UTC), _with_present(milestones)
    with _timed("host", seconds):
        for line in host.prepare(allow_install=install).lines:
            say(line)
        for line in install_tools(wanted) if install else ():
            say(line)
    # Before builds that may take half an hour.
    k3d.assert_ours()
    with _timed("supply", seconds):
        recorded = load_state()
        was = recorded.supply if recorded is not None else ""
        chosen = choose(supply, demands(wanted), recorded=was, may_install=install)
        say(f"supply: {chosen.name} ({chosen.reason})")
        shape = shape or (recorded.shape if recorded is not None else ONE_NODE)
        provisions = replace(chosen.provide(demands(wanted)), shape=shape)
    with _timed("cluster", seconds):
        ensured = _cluster(provisions, wanted, begun)
    try:
        platform = _platform_on(ensured, provisions, wanted, seconds, say)
    except (PreconditionFailed, ClusterUnreachable, RevertFailed) as error:
        if ensured.how != "resumed":
            raise
        say(f"the cluster that had been stopped did not get healthy, and everything is recreated: {error}")
        with _timed("cluster", seconds):
            why = "it did not get healthy after it had been stopped"
            ensured = k3d.recreate(provisions, CLUSTER_NAME, why, ports=PORTS)
        platform = _platform_on(ensured, provisions, wanted, seconds, say)
    return UpReport(platform, ensured.how, seconds)


def _platform_on(
    ensured: k3d.ClusterHandle, provisions: Provisions, milestones: list[str], seconds: dict[str, float], say: Say
) -> Platform:
    provided = {
        "supply": provisions.supply,
        "milestones": milestones,
        "images": dict(provisions.images),
        "versions": dict(provisions.versions),
    }
    # What was well before is well or sick, and not on its way.
    there = ensured.how == "reused" and set(milestones) <= set(ensured.state.healthy)
    state = ensured.state.model_copy(update=provided)
    state.save()
    why = f" ({ensured.why})" if ensured.why else ""
    say(f"cluster {state.name}: {ensured.how}{why} at {state.server}, {_where(state)}")
    platform = connect(state.name)
    roll_back(platform, state.nonce, say, state.name, within=BUDGETS.recover)
    with gitops_tree(provisions.manifests, milestones) as tree:
        within = BUDGETS.recover if there else BUDGETS.settle
        seconds.update(_bring_up(platform, tree, milestones, say, within=within))
    state.model_copy(update={"healthy": milestones}).save()
    return platform


def _with_present(milestones: Collection[str]) -> list[str]:
    """Those asked for and those that the cluster has: a run of one milestone takes nothing of another away."""
    return [letter for letter in MILESTONES if letter in {GROUND, *milestones, *present_milestones()}]


def _where(state: ClusterState) -> str:
    """Where people find the user interfaces."""
    found = {"Git server": state.forge_url} | endpoints(state.ports or {})
    return ", ".join(f"{title} {url}" for title, url in found.items())


def _cluster(provisions: Provisions, milestones: list[str], begun: datetime) -> k3d.ClusterHandle:
    """An adopted cluster is taken as it is, images and all; any other is made and kept by k3d."""
    state = load_state()
    if state is not None and state.adopted:
        return k3d.ClusterHandle(state, "adopted")
    needed = [port.name for component in selected(milestones) for port in component.ports]
    ensured = k3d.ensure(provisions, begun, ports=PORTS, needed=needed)
    return replace(ensured, state=k3d.import_images(ensured.state, provisions.image_tarballs))


def _bring_up(
    platform: Platform, tree: Path, milestones: Collection[str], say: Say, *, within: float
) -> dict[str, float]:
    """Apply every stage as early as it may be, and wait for all of them, ``within`` seconds for each of their probes.

    Returns:
        Stage -> seconds until it was ready.
    """
    some = stages(milestones)
    progress = _Bootstrap(platform, say, within)
    for stage in some:
        for earlier in some:
            if earlier.name in stage.after:
                progress.finish(earlier)
        _apply(stage, platform, tree)
        progress.applied.append(stage)
    for number, stage in enumerate(some):
        try:
            progress.finish(stage)
        except PreconditionFailed:
            _say_what_else_is_wrong(some[number + 1 :], platform, say)
            raise
    return progress.seconds


def _apply(stage: Stage, platform: Platform, tree: Path) -> None:
    """Apply a stage, again where the API server did not say in time that it was: all of them may be applied twice.

    Raises:
        PreconditionFailed: It never did.
    """

    def evaluate() -> Verdict:
        stage.apply(platform, tree)
        return met("it is")

    applied = ProbeFunction(f"stage {stage.name} is applied", evaluate, "gitops")
    try:
        eventually(applied, platform.cluster, within=BUDGETS.recover)
    except ConditionTimeout as error:
        raise PreconditionFailed(str(error)) from error


@dataclass
class _Bootstrap:
    """Which stages are ready, and since when, counted from the moment the cluster was there."""

    platform: Platform
    say: Say
    within: float
    start: float = field(default_factory=time.monotonic)
    seconds: dict[str, float] = field(default_factory=dict)
    applied: list[Stage] = field(default_factory=list)

    def finish(self, stage: Stage) -> None:
        """Wait for a stage, unless it is ready already."""
        if stage.name in self.seconds:
            return
        for probe in stage.ready(self.platform):
            try:
                eventually(ProgressReporter(probe, self.say, self._refresh), self.platform.cluster, within=self.within)
            except ConditionTimeout as error:
                raise PreconditionFailed(f"Stage {stage.name} did not become ready. {error}") from error
        took = self.seconds[stage.name] = time.monotonic() - self.start
        _LOG.info("%s is ready after %.1f s", stage.name, took)
        self.say(f"{stage.name}: ready {duration(took)} after the cluster")

    def _refresh(self) -> Iterator[str]:
        """Ask what sleeps after an error to look again, of each stage: one may wait for what another applied."""
        for stage in self.applied:
            yield from stage.refresh(self.platform)


def _say_what_else_is_wrong(later: Iterable[Stage], platform: Platform, say: Say) -> None:
    """One look at what later stages wait for: the cause is often there, and may be over when somebody asks."""
    for stage in later:
        try:
            wrong = [
                (probe.description, seen)
                for probe in stage.ready(platform)
                if not (seen := probe.check(platform.cluster))
            ]
        except NeuroscaleError as error:
            say(f"  nor is {stage.name} ready: {error}")
        else:
            for description, seen in wrong:
                say(f"  nor is it so that {description}: {seen.observed}")


def roll_back(
    platform: Platform, nonce: str, say: Say, name: str = CLUSTER_NAME, *, within: float | None = None
) -> int:
    """Undo whatever the journal left open; returns how many faults that were.

    Args:
        platform: Where they are.
        nonce: Of the cluster they belong to.
        say: Receives a line for each of them.
        name: Of the cluster.
        within: For how many seconds it is tried again: what an undo needs may still be starting. Else it is tried once.

    Raises:
        RevertFailed: At least one could not be undone.
    """
    journal = Journal.of(nonce, name)
    entries = journal.unfinished()
    for entry in entries:
        say(f"undoing what a killed run left behind: {entry.fault.description} (since {entry.at})")

    def evaluate() -> Verdict:
        try:
            journal.roll_back_all(platform, journal.unfinished())
        except RevertFailed as error:
            return pending(str(error))
        return met("nothing is open")

    if within is not None:
        undone = ProbeFunction("what a killed run left behind is undone", evaluate, "all")
        with suppress(ConditionTimeout):
            eventually(ProgressReporter(undone, say, list), platform.cluster, within=within)
    # What is open after that wait is tried once more, for the error that keeps it so.
    journal.roll_back_all(platform, journal.unfinished())
    journal.forget()
    return len(entries)


@contextmanager
def _timed(name: str, into: dict[str, float]) -> Iterator[None]:
    start = time.monotonic()
    yield
    into[name] = time.monotonic() - start
