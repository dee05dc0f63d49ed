"""The suite's own numbers, measured several times on this machine, and the distribution of self-heal and merge times.

``neuroscale bench`` runs this module with the options it was given.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

import typer

from neuroscale.bootstrap.up import up
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.chaos.push_hook_fault import PushHookSwitchedOff
from neuroscale.cli import main
from neuroscale.cli.runs import conclude, pytest
from neuroscale.cluster import k3d
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import exclusive, load_state
from neuroscale.components import demands
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, PreconditionFailed
from neuroscale.gitops import drift_scenarios
from neuroscale.golden_path import journey
from neuroscale.kubernetes.refs import Object
from neuroscale.milestones import assert_steady_state
from neuroscale.platform import Platform
from neuroscale.polling import pause
from neuroscale.report import Benchmark, benchmarks
from neuroscale.results import Measurement, Recorder, RunFolder
from neuroscale.screen import say, say_verbatim
from neuroscale.supply import choose
from suite.kill_matrix import Runner

#: Further drifts at one commit, beyond the first; each waits longer than the one before.
_REPEATS = 4
#: Forms from the portal to a right answer. The SLOs are meant for nine in ten of so many.
_FORMS = 20
#: Some more while Argo CD is told of no push, and polls.
_POLLED_FORMS = 5
_FRESH_STARTS = 3
#: Seconds without anybody asking for anything, before memory is measured.
_REST = 30.0
_SECOND_UPS = 5


@dataclass(frozen=True)
class _Platform:
    """A platform that is brought up from nothing, and what is measured on it.

    Attributes:
        milestones: Their letters.
        seconds: Allowed until it is healthy.
        memory: Allowed at rest, in GB.
        suites: Marker expression -> seconds allowed.
    """

    milestones: tuple[str, ...]
    seconds: float
    memory: float
    suites: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"platform {'+'.join(self.milestones).upper()}"


#: A last: it stays, and everything after it is measured on it.
_PLATFORMS = (
    _Platform(("a", "b", "c", "d", "f"), 300, 6, {"milestone_f": 1080}),
    _Platform(("a", "b", "d"), 180, 4, {"milestone_b": 300, "milestone_d": 180}),
    _Platform(("a", "b", "c", "d"), 240, 6, {"milestone_c": 300}),
    _Platform(("a", "b"), 150, 3, {}),
    _Platform(("a",), 75, 3, {"milestone_a": 240}),
)


def run(rounds: int, runner: Runner, say: Callable[[str], None]) -> tuple[RunFolder, list[Benchmark]]:
    """Measure.

    Args:
        rounds: How many first drifts to sample; each is preceded by a new commit.
        runner: Runs pytest.
        say: Receives a line for each thing begun.
    """
    folder, record = RunFolder.begin("bench", "neuroscale bench")
    numbers = list[Benchmark]()
    with folder.concluding(record):
        for platform in _PLATFORMS:
            numbers += [*_fresh_starts(platform, say), *_suites(platform, runner, say)]
            if "c" in platform.milestones:
                _sample_forms(_FORMS, _POLLED_FORMS, folder, say)
        numbers += [_second_ups(say), _fast_tier(runner, say), _disk()]
        say(f"sampling {rounds} first drifts and {_REPEATS} repeated ones")
        with exclusive():
            _sample_drifts(up(("a",), say=say).platform, rounds, folder, say)
        state = load_state()
        record.versions = state.versions if state else {}
        folder.save_measurements([Measurement(**asdict(number)) for number in numbers])
    return folder, numbers


def _fresh_starts(platform: _Platform, say: Callable[[str], None]) -> list[Benchmark]:
    samples, memory = list[float](), list[Object]()
    for _ in range(_FRESH_STARTS):
        say(f"deleting the cluster and bringing {platform.name} up from warm caches")
        with exclusive():
            k3d.delete()
            with _timed(samples):
                cluster = up(platform.milestones, say=say).platform.cluster
            pause(_REST)
            memory.append(_memory(cluster))
    return [
        Benchmark(f"warm caches, no cluster: {platform.name} healthy", platform.seconds, samples),
        *(
            Benchmark(
                f"memory of {platform.name} at rest, {what}", platform.memory, [one[key] / 1e9 for one in memory], "GB"
            )
            for key, what in {"rssBytes": "what programs hold", "workingSetBytes": "with files in use"}.items()
        ),
    ]


def _suites(platform: _Platform, runner: Runner, say: Callable[[str], None]) -> Iterator[Benchmark]:
    for marker, limit in platform.suites.items():
        name = f"{platform.name} up: pytest -m '{marker}'"
        yield Benchmark(name, limit, _passing(name, runner, say, "-m", marker))


def _passing(name: str, runner: Runner, say: Callable[[str], None], *arguments: str) -> list[float]:
    """Seconds of a run; none if it was not green, for then it did something else."""
    say(name)
    samples: list[float] = []
    with _timed(samples):
        code = runner(*arguments, "-q", "--no-header")
    if code:
        say(f"  ended with exit code {code}, so its time says nothing")
    return [] if code else samples


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


def _fast_tier(runner: Runner, say: Callable[[str], None]) -> Benchmark:
    name = "fast tier (tests)"
    return Benchmark(name, 60, _passing(name, runner, say, "-n", str((os.cpu_count() or 1) + 1)))


def _disk() -> Benchmark:
    sizes = [part.size for part in choose("auto", demands("a")).plan(demands("a")).parts if part.condition == "present"]
    return Benchmark("disk left behind by a build of milestone A", 3, [sum(sizes) / 1e9], "GB")


def _sample_forms(forms: int, polled: int, folder: RunFolder, say: Callable[[str], None]) -> None:
    """Forms from the portal to a right answer, one after the other, each removed before the next; see the samples.

    Args:
        forms: How many while the Git server tells Argo CD of each push.
        polled: How many more while it does not.
        folder: Gets the samples.
        say: Receives a line for each that did not get there.
    """
    say(f"sampling {forms} forms, and {polled} while Argo CD polls")
    with exclusive(), ExitStack() as switched_off:
        platform = up(("a", "b", "c"), say=say).platform
        for number in range(forms + polled):
            if number == forms:
                switched_off.enter_context(_breakage(platform)).inject(PushHookSwitchedOff())
            claim = "merge-to-prediction" if number < forms else "merge-to-prediction-polled"
            try:
                _sample_form(platform, Recorder("bench", folder.add_sample), claim)
            except (ConditionTimeout, FaultHadNoEffect) as error:
                say(f"  {error}")


def _sample_form(platform: Platform, recorder: Recorder, claim: str) -> None:
    for milestone in ("b", "c"):
        assert_steady_state(milestone, platform)
    with _breakage(platform) as breakage:
        submitted = journey.ask_for_model(breakage, recorder)
        journey.wait_for_verdict(submitted, platform, recorder)
        journey.wait_for_prediction(journey.merge(submitted, breakage), platform, recorder, claim=claim)


def _breakage(platform: Platform) -> Breakage:
    state = load_state()
    if state is None:
        raise PreconditionFailed("A cluster should be there, but its state file is gone. Next: neuroscale up")
    return Breakage(platform, Journal.of(state.nonce))


def _sample_drifts(platform: Platform, rounds: int, folder: RunFolder, say: Callable[[str], None]) -> None:
    """First drifts, each at a commit of its own; then several at one commit, to see the backoff."""
    for number in range(rounds + _REPEATS):
        if number <= rounds:
            drift_scenarios.force_new_revision(platform)
        assert_steady_state("a", platform)
        with _breakage(platform) as breakage:
            try:
                drifted = drift_scenarios.make("deletes the Deployment", breakage)
                drift_scenarios.wait_for_heal(drifted, platform, Recorder("bench", folder.add_sample), within=180)
            except ConditionTimeout as error:
                say(f"  censored: {error}")


@contextmanager
def _timed(samples: list[float]) -> Iterator[None]:
    start = time.monotonic()
    yield
    samples.append(time.monotonic() - start)


def command(rounds: int = 10) -> None:
    """Measure; print min, median and max beside the limits."""
    folder, numbers = run(rounds, pytest, say_verbatim)
    say(benchmarks(numbers))
    conclude(folder)


if __name__ == "__main__":
    main(lambda: typer.run(command))
