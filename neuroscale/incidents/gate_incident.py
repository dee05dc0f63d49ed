"""What an incident of the checks before a merge is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class GateIncident:
    """An outage that began with a check before a merge: replayed with the gate alone.

    Attributes:
        number: In the reference catalogue.
        slug: Also the name of its write-up, ``docs/incidents/<number>_<slug>.md``.
        remedy: In words.
        needs: What a replay takes: the gate's tools, or the gate over pull requests on a cluster.
    """

    number: str
    slug: str
    title: str
    remedy: str
    needs: str = "no cluster"
