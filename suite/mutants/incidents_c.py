"""Mutants of the incidents of milestone C: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed
from neuroscale.incidents import by_slug
from neuroscale.incidents.portal_values import TEXT, VALUES
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
    Mutant(
        "no-symptom-c12",
        # Another commit before the new pod listens: Argo CD takes the latest.
        "The portal listens on every address again before anybody looks",
        scenario=_RESOLVED,
        example=by_slug("c12").slug,
        before=symptom_step(by_slug("c12")),
        faults=(Committed(message="Let the portal listen on every address", files={VALUES: TEXT}),),
        red_step=symptom_step(by_slug("c12")),
        reason=r"logs 'Listening on 127\.0\.0\.1:7007'.*no such line",
        in_place=lambda _: backstage.workloads_ready(),
        hold=20,
    ),
)
