"""The suite's own numbers, measured several times on this machine, and the distribution of heal times."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from neuroscale import drift
from neuroscale.bootstrap.up import up
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster import k3d
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.refs import Object
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.errors import NotMet, NotReady
from neuroscale.killmatrix import Runner
from neuroscale.milestones import gate
from neuroscale.platform import Platform
from neuroscale.record import Run, RunFolder
from neuroscale.report import Benchmark
from neuroscale.supply import choose
from neuroscale.waiting import pause

#: Further drifts at one commit, beyond the first; each waits longer than the one before.
_REPEATS = 4
_FRESH_STARTS = 3
#: Milestones brought up from nothing -> seconds allowed. A last: it stays, and everything after it is measured on it.
_PLATFORMS = {("a", "b", "d"): 180, ("a", "b"): 150, ("a",): 75}
_MEMORY_GB = 3
#: Seconds without anybody asking for anything, before memory is measured.
_REST = 30.0
_SECOND_UPS = 5


def run(rounds: int, pytest: Runner, say: Callable[[str], None]) -> tuple[RunFolder, list[Benchmark]]:
    """Measure.

    Args:
        rounds: How many first drifts to sample; each is preceded by a new commit.
        pytest: Runs pytest.
        say: Receives a line for each thing begun.
    """
    folder = RunFolder.new()
    record = Run(name=folder.path.name, kind="bench", started_at=datetime.now(UTC), command="neuroscale bench")
    numbers = [number for milestones, limit in _PLATFORMS.items() for number in _fresh_starts(milestones, limit, say)]
    numbers += [_second_ups(say), _fast_tier(pytest, say), _milestone(pytest, say), _disk()]
    say(f"sampling {rounds} first drifts and {_REPEATS} repeated ones")
    with exclusive():
        _sample_drifts(up(("a",), say=say).platform, rounds, folder, say)
    state = load_state()
    record.versions = state.versions if state else {}
    record.seconds = (datetime.now(UTC) - record.started_at).total_seconds()
    folder.save_run(record)
    return folder, numbers


def _fresh_starts(milestones: tuple[str, ...], limit: float, say: Callable[[str], None]) -> list[Benchmark]:
    samples, memory = list[float](), list[Object]()
    for _ in range(_FRESH_STARTS):
        say("deleting the cluster and bringing the platform up from warm caches")
        with exclusive():
            k3d.delete()
            with _timed(samples):
                platform = up(milestones, say=say).platform
            pause(_REST)
            memory.append(_memory(platform.cluster))
    name = f"platform {'+'.join(milestones).upper()}"
    return [
        Benchmark(f"warm caches, no cluster: {name} healthy", limit, samples),
        *(
            Benchmark(f"memory of {name} at rest, {what}", _MEMORY_GB, [one[key] / 1e9 for one in memory], "GB")
            for key, what in {"rssBytes": "what programs hold", "workingSetBytes": "with files in use"}.items()
        ),
    ]


def _memory(cluster: Cluster) -> Object:
    """What the kubelet says of its node's memory; the node is a container, so this is the whole platform."""
    node = cluster.list("Node")[0]["metadata"]["name"]
    memory: Object = cluster.read(f"/api/v1/nodes/{node}/proxy/stats/summary")["node"]["memory"]
    return memory


def _second_ups(say: Callable[[str], None]) -> Benchmark:
    samples: list[float] = []
    for _ in range(_SECOND_UPS):
        with exclusive(), _timed(samples):
            up(("a",), say=say)
    return Benchmark("second `neuroscale up` when all is up", 5, samples)


def _fast_tier(pytest: Runner, say: Callable[[str], None]) -> Benchmark:
    say("fast tier")
    samples: list[float] = []
    with _timed(samples):
        pytest("-q", "--no-header", "-n", str((os.cpu_count() or 1) + 1))
    return Benchmark("fast tier (tests)", 60, samples)


def _milestone(pytest: Runner, say: Callable[[str], None]) -> Benchmark:
    say("pytest -m milestone_a, without incidents")
    samples: list[float] = []
    with _timed(samples):
        pytest("-m", "milestone_a", "-q", "--no-header")
    return Benchmark("cluster up: pytest -m milestone_a", 240, samples)


def _disk() -> Benchmark:
    sizes = [part.size for part in choose("auto", ("a",)).plan(("a",)).parts if part.condition == "present"]
    return Benchmark("disk left behind by a build of milestone A", 3, [sum(sizes) / 1e9], "GB")


def _sample_drifts(platform: Platform, rounds: int, folder: RunFolder, say: Callable[[str], None]) -> None:
    """First drifts, each at a commit of its own; then several at one commit, to see the backoff."""
    for number in range(rounds + _REPEATS):
        if number <= rounds:
            drift.new_epoch(platform)
        gate("a", platform)
        state = load_state()
        if state is None:
            raise NotReady("A cluster should be there, but its state file is gone. Try: neuroscale up")
        with Breakage(platform, Journal.of(state.nonce)) as breakage:
            try:
                drifted = drift.make("deletes the Deployment", breakage)
                drift.wait_for_heal(drifted, platform, "bench", folder.add_sample, within=180)
            except NotMet as error:
                say(f"  censored: {error}")


@contextmanager
def _timed(samples: list[float]) -> Iterator[None]:
    start = time.monotonic()
    yield
    samples.append(time.monotonic() - start)
