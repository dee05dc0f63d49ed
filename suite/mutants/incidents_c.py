"""Mutants of the incidents of milestone C: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.incidents import by_slug
from neuroscale.probes import backstage
from suite.mutants.mutant import Mutant, injection_step, symptom_step

_RESOLVED = "An incident of the portal is seen and resolved"

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "no-symptom-c2",
        "The portal's Application is not synced by itself: the guest stays",
        scenario=_RESOLVED,
        example=by_slug("c2").slug,
        before=injection_step(by_slug("c2")),
        faults=disable_automated_sync(backstage.APPLICATION),
        red_step=symptom_step(by_slug("c2")),
        reason=r"/guest/refresh with 404.*it answered 200",
    ),
)
