"""``neuroscale up``: idempotent, also after a crash half-way."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from neuroscale import host
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.bootstrap.stages import STAGES, Stage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster import k3d
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import NotMet, NotReady
from neuroscale.milestones import MILESTONES
from neuroscale.platform import Platform, connect
from neuroscale.settings import BUDGETS, CLUSTER_NAME
from neuroscale.supply import Provisions, choose
from neuroscale.waiting import Probe, Verdict, duration, until

Say = Callable[[str], None]
_TELL_SECONDS = 5


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
    install: bool = True,
    say: Say = print,
    name: str = CLUSTER_NAME,
) -> UpReport:
    """Bring the platform up and wait until it is healthy. The caller holds the cluster (``exclusive``).

    Args:
        milestones: Which milestones' components are needed; those that the cluster has already stay.
        supply: Where images come from.
        install: Whether missing programs may be installed on this machine.
        say: Receives one line per thing done.
        name: Of the cluster.

    Raises:
        NotReady: A stage's gate was not met.
        NeuroscaleError: See its subclasses.
    """
    seconds: dict[str, float] = {}
    wanted = _with_present(milestones, name)
    with _timed("host", seconds):
        for line in host.prepare(allow_install=install).lines:
            say(line)
    with _timed("supply", seconds):
        chosen = choose(supply, wanted, may_install=install)
        say(f"supply: {chosen.name} ({chosen.reason})")
        provisions = chosen.provide(wanted)
    with _timed("cluster", seconds):
        ensured = _cluster(provisions, name)
    provided = {"milestones": wanted, "images": dict(provisions.images), "versions": dict(provisions.versions)}
    state = ensured.state.model_copy(update=provided)
    state.save()
    say(f"cluster {name}: {ensured.how}{f' ({ensured.why})' if ensured.why else ''} at {state.server}, {state.doors}")
    platform = connect(name)
    heal(platform, state.nonce, say, name)
    with gitops_tree(provisions.manifests, wanted) as tree:
        _bring_up(platform, tree, wanted, seconds, say)
    return UpReport(platform, ensured.how, seconds)


def _with_present(milestones: Collection[str], name: str) -> list[str]:
    """Those asked for and those that the cluster has: a run of one milestone takes nothing of another away."""
    state = load_state(name)
    present = state.milestones if state is not None else []
    return [letter for letter in MILESTONES if letter in {"a", *milestones, *present}]


def _cluster(provisions: Provisions, name: str) -> k3d.Ensured:
    """An adopted cluster is taken as it is, images and all; any other is made and kept by k3d."""
    state = load_state(name)
    if state is not None and state.adopted:
        return k3d.Ensured(state, "adopted")
    ensured = k3d.ensure(provisions, name)
    return replace(ensured, state=k3d.import_images(ensured.state, provisions.image_tarballs))


def _bring_up(platform: Platform, tree: Path, milestones: Collection[str], seconds: dict[str, float], say: Say) -> None:
    """Apply every stage as early as it may be, and wait for all gates."""
    start, done = time.monotonic(), set[str]()
    stages = [stage for stage in STAGES if stage.milestone in milestones]

    def finish(stage: Stage) -> None:
        if stage.name not in done:
            _gate(stage, platform, say)
            done.add(stage.name)
            seconds[stage.name] = time.monotonic() - start
            say(f"{stage.name}: ready {duration(seconds[stage.name])} after the cluster")

    for stage in stages:
        for earlier in stages:
            if earlier.name in stage.after:
                finish(earlier)
        stage.apply(platform, tree)
    for stage in stages:
        finish(stage)


def heal(platform: Platform, nonce: str, say: Say, name: str = CLUSTER_NAME) -> int:
    """Undo whatever the journal left open; returns how many faults that were.

    Raises:
        RevertFailed: At least one could not be undone.
    """
    journal = Journal.of(nonce, name)
    entries = journal.unfinished()
    for entry in entries:
        say(f"undoing what a killed run left behind: {entry.fault.says} (since {entry.at})")
    journal.undo_all(platform, entries)
    journal.forget()
    return len(entries)


def _gate(stage: Stage, platform: Platform, say: Say) -> None:
    for probe in stage.gate(platform):
        try:
            until(_Telling(probe, say), platform.cluster, within=BUDGETS.settle)
        except NotMet as error:
            raise NotReady(f"Stage {stage.name} did not become ready. {error}") from error


@dataclass
class _Telling:
    """A probe that also tells what a wait is seeing, every few seconds, so that nobody has to wonder."""

    probe: Probe
    say: Say
    spoke: float = field(default_factory=time.monotonic)
    told: str = ""

    @property
    def says(self) -> str:
        return self.probe.says

    @property
    def area(self) -> str:
        return self.probe.area

    def look(self, cluster: Cluster) -> Verdict:
        verdict = self.probe.look(cluster)
        if not verdict and verdict.observed != self.told and time.monotonic() - self.spoke > _TELL_SECONDS:
            self.spoke, self.told = time.monotonic(), verdict.observed
            self.say(f"  waiting until {self.says}: {verdict.observed}")
        return verdict


@contextmanager
def _timed(name: str, into: dict[str, float]) -> Iterator[None]:
    start = time.monotonic()
    yield
    into[name] = time.monotonic() - start
