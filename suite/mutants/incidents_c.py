"""Mutants of the incidents of milestone C: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed
from neuroscale.incidents import by_slug
from neuroscale.incidents.portal_values import VALUES
from neuroscale.probes import backstage
from neuroscale.settings import ROOT, ROOT_APPLICATION
from suite.mutants.gate_job import judging_otherwise
from suite.mutants.mutant import Mutant, injection_step, symptom_step

_RESOLVED = "An incident of the portal is seen and resolved"
_VALUES = (ROOT / VALUES).read_text(encoding="utf-8")
_TEMPLATE = "backstage/templates/model-endpoint/template.yaml"
_TEMPLATE_TEXT = (ROOT / _TEMPLATE).read_text(encoding="utf-8")

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "no-symptom-c1",
        "Templates are allowed again before the catalog looks at one",
        scenario=_RESOLVED,
        example=by_slug("c1").slug,
        before=symptom_step(by_slug("c1")),
        faults=(Committed(message="Allow templates", files={VALUES: _VALUES}),),
        red_step=symptom_step(by_slug("c1")),
        reason=r"says 'NotAllowedError.*locations, none with an error",
        hold=50,  # a rollout, and a look of the catalog
    ),
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
        "no-symptom-c3",
        "The portal gets another title before anybody looks",
        scenario=_RESOLVED,
        example=by_slug("c3").slug,
        before=symptom_step(by_slug("c3")),
        faults=(
            Committed(
                message="Give the portal another title",
                files={},
                replaced={VALUES: [("app: {title: null,", "app: {title: A portal,")]},
            ),
        ),
        red_step=symptom_step(by_slug("c3")),
        reason=r"has no app\.title.*its title is '(NeuroScale|A portal)'",
        hold=20,
    ),
    Mutant(
        "no-symptom-c8",
        "The portal's Application is not synced by itself: the page stays as it was",
        scenario=_RESOLVED,
        example=by_slug("c8").slug,
        before=injection_step(by_slug("c8")),
        faults=disable_automated_sync(backstage.APPLICATION),
        red_step=symptom_step(by_slug("c8")),
        reason=r"page sends the browser to http://127\.0\.0\.1:7010.*it sends the browser to http://127\.0\.0\.1:7007",
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
    Mutant(
        "no-symptom-c10",
        "The gate's Job judges what is proposed as it is, and not what main would be with it",
        scenario="A pull request behind main says so until its branch is rebased",
        before="main and a pull request behind it change the same line",
        faults=judging_otherwise("Judge a commit as it is", "judge._merge = lambda repository, main, sha: sha"),
        red_step="the gate's status of it is failure and says: it should merge with main",
        reason=r"Last seen: success: \d+ objects rendered",
    ),
    Mutant(
        "no-symptom-f1",
        "The root Application is not synced by itself: the second Application is in Git alone",
        scenario="An incident of GitOps is seen and resolved",
        example=by_slug("f1").slug,
        before=injection_step(by_slug("f1")),
        faults=disable_automated_sync(ROOT_APPLICATION)[:1],
        red_step=symptom_step(by_slug("f1")),
        reason=r"belongs to both test-app and test-app-by-hand.*test-app-by-hand: it does not exist",
    ),
)
