"""What an incident of the checks before a merge is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateIncident:
    """An outage that began with a check in CI: replayed with the gate's tools, and without a cluster.

    Attributes:
        number: In the reference catalogue.
        slug: Also the name of its write-up, ``docs/incidents/<number>_<slug>.md``.
        remedy: In words.
    """

    number: str
    slug: str
    title: str
    remedy: str
