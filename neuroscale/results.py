"""What a run leaves on disk for people and for later runs, below ``reports/<run>/``.

::

    run.json              Run: when, what, versions, verdict of each scenario; from the run's first moment
    recovery.json         every Sample behind every recovery figure
    killmatrix.json       list of Kill (only ``make kill-matrix``)
    stale.json            list of StaleKill: whose last kill is out of date (likewise)
    benchmarks.json       list of Measurement (only ``make bench``)
    streams/<scenario>/   every request of each stream, as CSV
    pages/<scenario>/     what a browser asked, and its pages as pictures
    allure-results/       for Allure
    junit.xml             for CI
    evidence/<scenario>/  collected when a scenario fails
    report.html           everything above in one file (``make report``)
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, TypeAdapter, computed_field

from neuroscale.atomic_write import write_atomically
from neuroscale.errors import ExitCode, UsageError, ending_of
from neuroscale.settings import reports_dir
from neuroscale.slos import MEASURED_ONLY, SLOS

ScenarioVerdict = Literal["passed", "failed", "not run"]
RunKind = Literal["conformance", "incidents", "bench", "kill matrix"]


class ScenarioResult(BaseModel):
    """One scenario of a run.

    Attributes:
        nodeid: pytest's name of it.
        seconds: Duration of the whole scenario, with fixtures.
        why: First paragraph of the error; empty when passed.
        step: The step that failed, as written in the feature.
        steps: Step -> seconds that it took, of each that was done; of several of one name, the longest.
    """

    nodeid: str
    feature: str
    scenario: str
    tags: list[str]
    verdict: ScenarioVerdict
    seconds: float
    why: str = ""
    step: str = ""
    steps: dict[str, float] = {}


class Sample(BaseModel):
    """One measured recovery.

    Attributes:
        claim: Slug in ``neuroscale/slos.py`` that this figure is held to; the name is that of the runs on disk.
        fault: What was broken, in words.
        subject: What had to recover.
        series: Which distribution the figure belongs to: "first drift", "repeated drift", …
        at: Wall clock of the fault.
        phases: Seconds from the observed fault to each phase; ``None`` when the phase was not seen.
        seconds: Seconds from the observed fault to recovery; when ``censored``, when we stopped looking.
        censored: It had not recovered by then; never dropped from a distribution.
        facts: What else bears on the figure: attempt, seconds since the last sync, revision.
    """

    scenario: str
    claim: str
    fault: str
    subject: str
    series: str
    at: datetime
    phases: dict[str, float | None]
    seconds: float
    censored: bool = False
    facts: dict[str, str | int | float | None] = {}


@dataclass(frozen=True)
class Recorder:
    """Keeps the figures of one scenario.

    Attributes:
        keep: Puts a figure on record.
    """

    scenario: str
    keep: Callable[[Sample], None]

    def figure(  # noqa: PLR0913 - the fields of a sample
        self,
        *,
        claim: str,
        fault: str,
        subject: str,
        series: str,
        at: datetime,
        seconds: float,
        facts: Mapping[str, str | int | float | None] = MappingProxyType({}),
    ) -> None:
        """Keep how long something took; arguments as in :class:`Sample`."""
        self.recovery(
            claim=claim, fault=fault, subject=subject, series=series, at=at, phases={}, seconds=seconds,
            within=seconds, facts=facts,
        )  # fmt: skip

    def recovery(  # noqa: PLR0913 - likewise
        self,
        *,
        claim: str,
        fault: str,
        subject: str,
        series: str,
        at: datetime,
        phases: Mapping[str, float | None],
        seconds: float | None,
        within: float,
        facts: Mapping[str, str | int | float | None] = MappingProxyType({}),
    ) -> None:
        """Keep when something had recovered; ``None`` seconds: not ``within`` so many, and the sample is censored."""
        self.keep(
            Sample(
                scenario=self.scenario, claim=claim, fault=fault, subject=subject, series=series, at=at,
                phases=dict(phases), seconds=within if seconds is None else seconds, censored=seconds is None,
                facts=dict(facts),
            )
        )  # fmt: skip


class Kill(BaseModel):
    """What one mutant did to the check that must catch it.

    Attributes:
        verdict: ``killed`` (red in the intended step for the intended reason), ``wrong reason`` (red elsewhere or for
            another reason), ``survived`` (green), ``void`` (the mutant could not be set up, so nothing was learned).
        at: When; ``None`` in runs of before this was kept.
        commit: That was checked out.
        inputs: Files and folders that bear on it -> their digests at that moment.
        control: The run in which the check was green without the mutant; empty where there was none.
    """

    mutant: str
    title: str
    scenario: str
    verdict: Literal["killed", "wrong reason", "survived", "void"]
    expected_step: str
    expected_reason: str
    step: str
    reason: str
    seconds: float
    at: datetime | None = None
    commit: str = ""
    inputs: dict[str, str] = {}
    control: str = ""


class StaleKill(BaseModel):
    """A mutant whose last kill says nothing of what is there now.

    Attributes:
        changed: What bears on it and is no longer as it was.
        killed_at: When it was killed last; ``None`` when it is on no record.
    """

    mutant: str
    changed: list[str]
    killed_at: datetime | None

    @property
    def why(self) -> str:
        """In words."""
        return f"changed since: {', '.join(self.changed)}" if self.killed_at else "no kill is on record"


class Measurement(BaseModel):
    """What ``make bench`` measured of one figure.

    Attributes:
        at_most: The limit, in ``unit``.
        samples: One for each run, in ``unit``; none if no run was green.
    """

    name: str
    at_most: float
    samples: list[float]
    unit: Literal["s", "GB"] = "s"


class Run(BaseModel):
    """One run of the suite.

    Attributes:
        name: Folder name, for example ``2026-11-22T22-04-05``.
        kind: Which command made it.
        seconds: Until what is on record was done; 0 as long as nothing was.
        versions: Component -> version really running.
        restarts: Restarts of the platform's containers beside what was broken, and what may have provoked each.
        exit_code: As in ``neuroscale.errors.ExitCode``; ``None`` as long as the run has not ended.
        why: What ended it before its time, such as a platform that could not be brought up.
        commit: That was run; empty where the checkout differed from it.
        cluster: Nonce of the cluster; empty where none was needed.
        machine: What kind it ran on, in words.
    """

    name: str
    kind: RunKind
    started_at: datetime
    seconds: float = 0.0
    command: str = ""
    versions: dict[str, str] = {}
    results: list[ScenarioResult] = []
    restarts: list[str] = []
    exit_code: int | None = None
    why: str = ""
    commit: str = ""
    cluster: str = ""
    machine: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def outcome(self) -> str:
        """How it ended, in words. A run that was killed never says more than it knew."""
        if self.exit_code is None:
            return "it has not ended" if self.seconds else "nothing was run"
        known = {code.value: code.name.lower().replace("_", " ") for code in ExitCode}
        return known.get(self.exit_code, "")


_SAMPLES = TypeAdapter(list[Sample])
_KILLS = TypeAdapter(list[Kill])
_STALE = TypeAdapter(list[StaleKill])
_MEASUREMENTS = TypeAdapter(list[Measurement])


class RunFolder:
    """The folder of one run. Files are rewritten whole: they are small, and half a file helps nobody."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def begin(cls, kind: RunKind, command: str) -> tuple[RunFolder, Run]:
        """A new run: its folder, named after the present second, and its record, which is in there at once.

        Whatever comes of the run, it is the latest one from here on, and says so far that nothing was run.
        """
        started_at = datetime.now(UTC)
        folder = cls(_own_folder(f"{started_at:%Y-%m-%dT%H-%M-%S}"))
        run = Run(name=folder.path.name, kind=kind, started_at=started_at, command=command, machine=_kind_of_machine())
        folder.save_run(run)
        return folder, run

    @contextmanager
    def concluding(self, run: Run) -> Iterator[None]:
        """Put on record how the run ended when the block does, also by an error."""
        run.exit_code = ExitCode.PASSED
        try:
            yield
        except BaseException as error:  # whatever it is, it goes on
            run.exit_code = ending_of(error).code
            raise
        finally:
            run.seconds = (datetime.now(UTC) - run.started_at).total_seconds()
            self.save_run(run)

    @classmethod
    def all(cls) -> list[RunFolder]:
        """Every run on disk, oldest first."""
        return [cls(file.parent) for file in sorted(reports_dir().glob("*/run.json"))]

    @property
    def run(self) -> Run:
        """``run.json``."""
        return Run.model_validate_json((self.path / "run.json").read_bytes())

    def save_run(self, run: Run) -> None:
        """Write ``run.json``."""
        self._write("run.json", run.model_dump_json(indent=1).encode())

    @property
    def samples(self) -> list[Sample]:
        """``recovery.json``, empty when nothing was measured."""
        file = self.path / "recovery.json"
        return _SAMPLES.validate_json(file.read_bytes()) if file.exists() else []

    def add_sample(self, sample: Sample) -> None:
        """Append to ``recovery.json``.

        Raises:
            UsageError: It names an SLO that does not exist.
        """
        if sample.claim not in {*SLOS, *MEASURED_ONLY}:
            there = ", ".join((*SLOS, *MEASURED_ONLY))
            raise UsageError(f'A figure should name an SLO that exists, but names "{sample.claim}". Next: {there}')
        self._write("recovery.json", _SAMPLES.dump_json([*self.samples, sample], indent=1))

    def add_stream(self, scenario: str, model: str, requests: str) -> None:
        """Write ``streams/<scenario>/<number>-<model>.csv``.

        Args:
            scenario: Name of a folder.
            model: That was asked.
            requests: CSV.
        """
        folder = self.path / "streams" / scenario
        folder.mkdir(parents=True, exist_ok=True)
        number = sum(1 for _ in folder.iterdir()) + 1
        (folder / f"{number}-{model}.csv").write_text(requests, encoding="utf-8")

    def add_visit(self, scenario: str, requests: str, pictures: Mapping[str, bytes]) -> None:
        """Write ``pages/<scenario>/<number>/``.

        Args:
            scenario: Name of a folder.
            requests: A line for each.
            pictures: Name of a page -> JPEG, in order.
        """
        parent = self.path / "pages" / scenario
        folder = parent / str(1 + sum(1 for _ in parent.iterdir()) if parent.is_dir() else 1)
        folder.mkdir(parents=True)
        (folder / "requests.txt").write_text(requests, encoding="utf-8")
        for number, (name, jpeg) in enumerate(pictures.items(), 1):
            (folder / f"{number:02}-{re.sub(r'[^a-z]+', '-', name.lower())}.jpg").write_bytes(jpeg)

    @property
    def kills(self) -> list[Kill]:
        """``killmatrix.json``, empty when there is none."""
        file = self.path / "killmatrix.json"
        return _KILLS.validate_json(file.read_bytes()) if file.exists() else []

    def save_kills(self, kills: list[Kill]) -> None:
        """Write ``killmatrix.json``."""
        self._write("killmatrix.json", _KILLS.dump_json(kills, indent=1))

    @property
    def stale(self) -> list[StaleKill] | None:
        """``stale.json``; ``None`` when nobody looked."""
        file = self.path / "stale.json"
        return _STALE.validate_json(file.read_bytes()) if file.exists() else None

    def save_stale(self, stale: list[StaleKill]) -> None:
        """Write ``stale.json``."""
        self._write("stale.json", _STALE.dump_json(stale, indent=1))

    @property
    def measurements(self) -> list[Measurement]:
        """``benchmarks.json``, empty when there is none."""
        file = self.path / "benchmarks.json"
        return _MEASUREMENTS.validate_json(file.read_bytes()) if file.exists() else []

    def save_measurements(self, measurements: list[Measurement]) -> None:
        """Write ``benchmarks.json``."""
        self._write("benchmarks.json", _MEASUREMENTS.dump_json(measurements, indent=1))

    def _write(self, name: str, content: bytes) -> None:
        write_atomically(self.path / name, content)


def _kind_of_machine() -> str:
    """Times of one kind can be compared."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors of {platform.machine()}, {memory:.0f} GiB"


def _own_folder(name: str) -> Path:
    """A folder that was not there before: of two runs begun in one second, the second has a number behind its name."""
    path, number = reports_dir() / name, 1
    while True:
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            number += 1
            path = path.with_name(f"{name}-{number:02}")
        else:
            return path
