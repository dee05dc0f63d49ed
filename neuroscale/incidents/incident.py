"""What an incident is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Fault
from neuroscale.chaos.objects import begin_sync, end_operation, evaluate_ended
from neuroscale.cluster.client import Cluster
from neuroscale.errors import UsageError
from neuroscale.kubernetes.refs import Ref
from neuroscale.milestones import SteadyState, probes_of
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, consistently, duration, eventually, met, pending
from neuroscale.probes import argo
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.results import Recorder
from neuroscale.settings import BUDGETS
from neuroscale.slos import SLOS


@dataclass(frozen=True)
class Incident:
    """A past or feared outage.

    Attributes:
        number: In the reference catalogue.
        slug: Also the name of its write-up, ``docs/incidents/<number>_<slug>.md``.
        milestone: Whose steady state must hold before and after.
        faults: What breaks, in order. The remedy undoes them, but for deletions: the platform has to make up for those.
        sees: What an operator sees, in words; the incident's row in its feature says the same.
        symptom: The same as probes; each must be met.
        shows_within: Seconds from the last fault to the whole symptom.
        remedy: In words, what undoing the faults stands for.
        recovers_within: Seconds from the remedy to the steady state.
        slo: Slug of the SLO that the recovery time is held to.
        retrying: Application whose operation under way the remedy ends, besides undoing the faults, and then begins
            anew. *Measured* with Argo CD 3.2.1: an operation that is retried keeps the sync options it began with, so
            correcting those does not help it; and where a sync has failed none is begun until something changes in the
            folder that the Application is made from.
    """

    number: str
    slug: str
    title: str
    milestone: str
    faults: tuple[Fault, ...]
    sees: str
    symptom: tuple[Probe, ...]
    shows_within: float
    remedy: str
    recovers_within: float
    slo: str
    retrying: str = ""

    def __post_init__(self) -> None:
        if self.slo not in SLOS:
            raise UsageError(f"Incident {self.number} should name an SLO that exists, but names {self.slo!r}")


#: Seconds for which symptoms must show together.
_LASTING = 1.0


def inject_faults(incident: Incident, breakage: Breakage) -> None:
    """Inject its faults."""
    for fault in incident.faults:
        breakage.inject(fault)


def wait_for_symptom(incident: Incident, platform: Platform) -> None:
    """Every symptom shows, and they show together for a while, at each look.

    The while may begin late. *Measured* with Knative 1.21, once: a revision that was given up said so, and 0.7 s later
    said ``Unschedulable`` once more; its pod was still there.

    Raises:
        ConditionTimeout: One does not.
    """
    for symptom in incident.symptom:
        eventually(symptom, platform.cluster, within=incident.shows_within)
    eventually(_Together(incident.symptom), platform.cluster, within=incident.shows_within + _LASTING)


@dataclass
class _Together:
    """All of these have been met at each look for a second."""

    symptoms: Sequence[Probe]
    since: float | None = None
    area: str = "all"

    @property
    def description(self) -> str:
        return " and ".join(symptom.description for symptom in self.symptoms) + f", for {duration(_LASTING)}"

    def check(self, cluster: Cluster) -> Verdict:
        for symptom in self.symptoms:
            if not (verdict := symptom.check(cluster)):
                self.since = None
                return verdict
        now = time.monotonic()
        self.since = now if self.since is None else self.since
        lasted = now - self.since
        return met("they last") if lasted >= _LASTING else pending(f"for less than {duration(_LASTING)} so far")


@dataclass(frozen=True)
class Remedy:
    """A remedy that was applied; the recovery is timed from its beginning.

    Attributes:
        incident: That it resolves.
        at: When it began.
        start: The same in monotonic seconds.
        applied: Seconds that it took.
    """

    incident: Incident
    at: datetime
    start: float
    applied: float


def assert_described(what: str, row: object, data: object) -> None:
    """A row of a feature says the same as the incident's data.

    Raises:
        UsageError: It says something else.
    """
    if row != data:
        raise UsageError(f"The {what} in the feature should be {data!r}, as in the incident, but is {row!r}.")


def apply_remedy(incident: Incident, breakage: Breakage) -> Remedy:
    """Undo the faults, and begin anew what is retried."""
    at, start = datetime.now(UTC), time.monotonic()
    breakage.remedy()
    if incident.retrying:
        _sync_anew(breakage.platform, argo.application(incident.retrying))
    return Remedy(incident, at, start, round(time.monotonic() - start, 3))


def wait_for_recovery(remedy: Remedy, platform: Platform, recorder: Recorder) -> None:
    """Wait for the steady state; keep how long that took since the remedy began, also when it took too long.

    Raises:
        ConditionTimeout: It is not back within the incident's recovery SLO.
    """
    incident, at, start = remedy.incident, remedy.at, remedy.start
    phases: dict[str, float | None] = {"remedy applied": remedy.applied, "steady state": None}
    probes = probes_of(incident.milestone, platform)
    steady = SteadyState(incident.milestone, lambda: probes, first_only=True)
    try:
        eventually(steady, platform.cluster, within=incident.recovers_within - (time.monotonic() - start))
        phases["steady state"] = round(time.monotonic() - start, 3)
    finally:
        recorder.recovery(
            claim=incident.slo,
            fault=incident.title,
            subject="the platform's steady state",
            series="remedy to steady state",
            at=at,
            phases=phases,
            seconds=phases["steady state"],
            within=incident.recovers_within,
        )
    consistently(steady, platform.cluster, lasting=BUDGETS.stable)


def _sync_anew(platform: Platform, application: Ref) -> None:
    cluster, now = platform.cluster, platform.cluster.get(application)
    if now is None or not end_operation(cluster, application):
        return
    ended = ProbeFunction(f"the operation of {application} ends", lambda: evaluate_ended(cluster, application))
    eventually(ended, cluster, within=BUDGETS.pick_up)
    above, _, folder = now["spec"]["source"]["path"].rpartition("/")
    # One whose folder is gone is about to go, and an operation would hold it.
    if folder in platform.git_server.folders(above):
        begin_sync(cluster, application)
