"""Mutants of many app folders."""

from __future__ import annotations

from neuroscale.chaos.faults import ObjectDeleted
from neuroscale.probes import argo
from suite.mutants.generator import without
from suite.mutants.mutant import Mutant

_ADDED = "app folders are added up to 4, 5, 6, 10, 30, 100 and 300 in all, each time once those before are deployed"
_ONE_MORE = (
    "app folders are added up to 4, 5, 6, 7, 8, 300, 301, 302, 303, 304 and 305 in all, "
    "each time once those before are deployed"
)
_SAME = "each Application is the one that it was before"

MILESTONE = "f"
MUTANTS = (
    Mutant(
        "generator-narrowed",
        "The ApplicationSet leaves out the folders 20 to 29",
        scenario="App folders are deployed in a time that grows no faster than their number",
        before=_ADDED,
        faults=without("apps/many-002*"),
        red_step=_ADDED,
        reason=r"each of the 20 Applications .* is Synced and Healthy.*many-002\d: it does not exist",
    ),
    Mutant(
        "generator-full",
        "The ApplicationSet leaves out all folders from the 301st on",
        scenario="One more folder takes as long where there are hundreds",
        before=_ONE_MORE,
        faults=without("apps/many-030[1-9]"),
        red_step=_ONE_MORE,
        reason=r"each of the 1 Applications .* is Synced and Healthy.*many-0301: it does not exist",
    ),
    Mutant(
        "application-deleted",
        "The Application of a folder is deleted, and the ApplicationSet makes another one",
        scenario="Nothing is deleted when what Argo CD relies on does not answer",
        before=_SAME,
        faults=(ObjectDeleted(target=argo.application("many-0042")),),
        red_step=_SAME,
        reason=r"1 of \d+: many-0042 is (gone|another one)",
    ),
)
