"""The catalogue of past and feared outages: one module each, a literal ``INCIDENT`` and no logic; found, not listed."""

from __future__ import annotations

import importlib
import pkgutil
import re

from neuroscale.chaos.breakage import Breakage
from neuroscale.errors import UsageError
from neuroscale.incidents.incident import (
    Incident,
    Remedy,
    apply_remedy,
    assert_described,
    inject_faults,
    wait_for_recovery,
    wait_for_symptom,
)


def _discovered() -> dict[str, Incident]:
    """Slug -> the incident that a module of this package declares as ``INCIDENT``, in the order of their numbers."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    declared = [one for module in modules if (one := getattr(module, "INCIDENT", None)) is not None]
    return {incident.slug: incident for incident in sorted(declared, key=_place)}


def _place(incident: Incident) -> tuple[str, int, str]:
    """A3 before B1, B9 before B10, D3 before D3b."""
    letter, number, rest = re.split(r"(\d+)", incident.number)
    return letter, int(number), rest


INCIDENTS = _discovered()

__all__ = [
    "INCIDENTS",
    "Incident",
    "Remedy",
    "apply_remedy",
    "assert_described",
    "begin",
    "by_slug",
    "wait_for_recovery",
    "wait_for_symptom",
]


def by_slug(slug: str) -> Incident:
    """An incident by its slug, or by its number in the reference catalogue ("a1").

    Raises:
        UsageError: There is none; the text lists those there are.
    """
    for incident in INCIDENTS.values():
        if slug.lower() in (incident.slug, incident.number):
            return incident
    known = ", ".join(f"{incident.slug} ({incident.number})" for incident in INCIDENTS.values())
    raise UsageError(f"The incident {slug!r} should be in the catalogue, but is not. There are: {known}")


def begin(slug: str, breakage: Breakage) -> Incident:
    """Inject the faults of an incident, each proven.

    Raises:
        UsageError: No such incident.
        FaultHadNoEffect: It did not happen.
    """
    incident = by_slug(slug)
    inject_faults(incident, breakage)
    return incident
