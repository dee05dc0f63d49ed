"""Which known incident a sick platform looks like: the symptoms of the catalogue, each asked once."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from neuroscale.errors import NeuroscaleError
from neuroscale.platform import Platform
from neuroscale.results import Recorder

if TYPE_CHECKING:
    from neuroscale.incidents import Incident

#: Name of the figure that tells how often an incident that is replayed is recognised.
CLAIM = "incident-match"
#: Seconds after which no further incident is asked for: on a cluster that hardly answers each would wait for a timeout,
#: and this is asked whenever a scenario fails.
_ASK_FOR = 20.0


@dataclass(frozen=True)
class Match:
    """An incident whose symptoms all show.

    Attributes:
        seen: What each of its probes saw.
    """

    incident: Incident
    seen: tuple[str, ...]

    def __str__(self) -> str:
        known = self.incident
        return f"{known.number.upper()}, {known.title} ({'; '.join(self.seen)}). Remedy: {known.remedy}"


def matching(known: Iterable[Incident], platform: Platform, milestones: Collection[str]) -> list[Match]:
    """The incidents whose whole symptom shows now, the one with most symptoms first: it is the hardest to look like.

    Args:
        known: The catalogue.
        platform: Only read.
        milestones: That it has; an incident of another one cannot happen to it.
    """
    start = time.monotonic()
    in_time = takewhile(lambda _: time.monotonic() - start < _ASK_FOR, known)
    possible = (incident for incident in in_time if incident.milestone in milestones)
    found = [Match(incident, seen) for incident in possible if (seen := _symptom(incident, platform))]
    return sorted(found, key=lambda match: -len(match.seen))


def _symptom(incident: Incident, platform: Platform) -> tuple[str, ...]:
    """What its probes saw; nothing where one of them is not met, or cannot be asked."""
    seen = []
    for probe in incident.symptom:
        try:
            verdict = probe.check(platform.cluster)
        except NeuroscaleError:
            return ()
        if not verdict:
            return ()
        seen.append(verdict.observed)
    return tuple(seen)


def keep_match(
    incident: Incident, known: Iterable[Incident], platform: Platform, milestones: Collection[str], recorder: Recorder
) -> None:
    """Put on record whether an incident that is replayed, and shows, is recognised: by the top match alone."""
    at, start = datetime.now(UTC), time.monotonic()
    named = [match.incident.number for match in matching(known, platform, milestones)]
    recorder.figure(
        claim=CLAIM,
        fault=incident.title,
        subject="the catalogue of incidents",
        series="recognised" if named[:1] == [incident.number] else "taken for another" if named else "unknown",
        at=at,
        seconds=round(time.monotonic() - start, 3),
        facts={"happened": incident.number, "named": ", ".join(named)},
    )
