"""Mutants of the incidents of milestone C: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed
from neuroscale.incidents import by_slug
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes import backstage
from neuroscale.settings import ROOT
from suite.mutants.mutant import Mutant, injection_step, symptom_step

_RESOLVED = "An incident of the portal is seen and resolved"
_VALUES = (ROOT / VALUES).read_text(encoding="utf-8")
_TEMPLATE = "backstage/templates/model-endpoint/template.yaml"
_TEMPLATE_TEXT = (ROOT / _TEMPLATE).read_text(encoding="utf-8")

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
        faults=(Committed(message="Let the portal listen on every address", files={VALUES: _VALUES}),),
        red_step=symptom_step(by_slug("c12")),
        reason=r"logs 'Listening on 127\.0\.0\.1:7007'.*no such line",
        hold=20,
    ),
    Mutant(
        "no-symptom-c13",
        "The portal gets its memory back before it fills what it was left",
        scenario=_RESOLVED,
        example=by_slug("c13").slug,
        before=symptom_step(by_slug("c13")),
        faults=(Committed(message="Give the portal its memory back", files={VALUES: _VALUES}),),
        red_step=symptom_step(by_slug("c13")),
        reason=r"was ended for OOMKilled.*(never ended|no container of a new pod)",
        hold=20,
    ),
    Mutant(
        "no-symptom-c5",
        "The form fails for another reason than the token: its first step does not exist",
        scenario=_RESOLVED,
        example=by_slug("c5").slug,
        before=injection_step(by_slug("c5")),
        faults=(
            Committed(
                message="Begin the template with a step that does not exist",
                files={_TEMPLATE: _TEMPLATE_TEXT.replace("action: fetch:template", "action: fetch:nothing")},
            ),
        ),
        red_step=symptom_step(by_slug("c5")),
        reason=r"says '401'.*failed: .*fetch:nothing",
        # The catalog looks every 30 s, and reads what it finds at the next look.
        hold=70,
    ),
)
