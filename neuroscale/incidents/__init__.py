"""The catalogue of past and feared outages: one module each, a literal ``INCIDENT`` and no logic; found, not listed."""

from __future__ import annotations

import importlib
import pkgutil
import re

from neuroscale.chaos.breakage import Breakage
from neuroscale.errors import UsageError
from neuroscale.incidents.gate_incident import GateIncident
from neuroscale.incidents.incident import (
    Incident,
    Remedy,
    apply_remedy,
    assert_described,
    inject_faults,
    wait_for_recovery,
    wait_for_symptom,
)


def _discovered() -> list[Incident | GateIncident]:
    """What modules of this package declare as ``INCIDENT``, in the order of their numbers."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    declared = [one for module in modules if (one := getattr(module, "INCIDENT", None)) is not None]
    return sorted(declared, key=_place)


def _place(incident: Incident | GateIncident) -> tuple[str, int, str]:
    """A3 before B1, B9 before B10, D3 before D3b."""
    letter, number, rest = re.split(r"(\d+)", incident.number)
    return letter, int(number), rest


#: Slug -> incident, also those of the checks before a merge.
EVERY_INCIDENT = {incident.slug: incident for incident in _discovered()}
#: Slug -> what happens to a cluster.
INCIDENTS = {slug: incident for slug, incident in EVERY_INCIDENT.items() if isinstance(incident, Incident)}

__all__ = [
    "EVERY_INCIDENT",
    "INCIDENTS",
    "GateIncident",
    "Incident",
    "Remedy",
    "apply_remedy",
    "assert_described",
    "begin",
    "by_slug",
    "number_of",
    "wait_for_recovery",
    "wait_for_symptom",
]


def number_of(slug: str) -> str:
    """The number of an incident by its slug, or by its number in the reference catalogue ("a1", "D4").

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    for incident in EVERY_INCIDENT.values():
        if slug.lower() in (incident.slug, incident.number):
            return incident.number
    known = ", ".join(f"{incident.slug} ({incident.number})" for incident in EVERY_INCIDENT.values())
    raise UsageError(f"The incident {slug!r} should be in the catalogue, but is not. There are: {known}")


def by_slug(slug: str) -> Incident:
    """An incident that happens to a cluster, by its slug or its number.

    Raises:
        UsageError: There is none, or it is one of the checks before a merge.
    """
    for incident in INCIDENTS.values():
        if slug.lower() in (incident.slug, incident.number):
            return incident
    number = number_of(slug)
    raise UsageError(
        f"The incident {slug!r} should happen to a cluster, but is the gate's. Next: pytest -m incident_{number}"
    )


def begin(slug: str, breakage: Breakage) -> Incident:
    """Inject the faults of an incident, each proven.

    Raises:
        UsageError: No such incident.
        FaultHadNoEffect: It did not happen.
    """
    incident = by_slug(slug)
    inject_faults(incident, breakage)
    return incident
