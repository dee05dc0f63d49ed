"""Mutants of the incidents of milestone D: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import ApplicationEdited, FieldsEdited, ObjectDeleted
from neuroscale.incidents import by_slug
from neuroscale.incidents.minimum_above_sidecar import LIMIT, LIMIT_RANGE
from neuroscale.incidents.new_model import NEW_MODEL
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo, guardrails
from neuroscale.probes.reference_app import CHILD
from neuroscale.settings import APPS_NAMESPACE
from suite.mutants.mutant import Mutant, injection_step, symptom_step

_RESOLVED = "An incident of the guardrails is seen and resolved"
_RUNNING = "An incident of the guardrails leaves running models answering"
_REMOVED = "A model that the guardrails reject is seen and removed"


def _refused_by_kyverno_alone(policy: str) -> tuple[ApplicationEdited | ObjectDeleted, ...]:
    """The API server's policy is not bound: Kyverno's webhook still rejects, and the denial is another one."""
    return (*disable_automated_sync(guardrails.APPLICATION), ObjectDeleted(target=guardrails.binding(policy)))


MILESTONE = "d"
MUTANTS = (
    Mutant(
        "no-symptom-d1",
        "The engine's Service leads to pods that are not Ready as well: it is reached and answers",
        scenario=_RUNNING,
        example=by_slug("d1").slug,
        before=symptom_step(by_slug("d1")),
        faults=(FieldsEdited(target=guardrails.SERVICE, patch={"spec": {"publishNotReadyAddresses": True}}),),
        red_step=symptom_step(by_slug("d1")),
        reason=r"kyverno-svc\" has no ready endpoint.*[1-9] ready endpoints",
        hold=20,
    ),
    Mutant(
        "no-symptom-d2",
        "The API server's own policy about models is not in force: Kyverno alone rejects",
        scenario=_REMOVED,
        example=by_slug("d2").slug,
        before=injection_step(by_slug("d2")),
        faults=_refused_by_kyverno_alone("require-standard-labels-inferenceservice"),
        red_step=symptom_step(by_slug("d2")),
        reason=r'admission webhook "vpol[^"]*-require-standard-labels-inferenceservice" denied the request',
    ),
    Mutant(
        "no-symptom-d5",
        "Argo CD is told to ignore what a policy of that kind says",
        scenario=_RESOLVED,
        example=by_slug("d5").slug,
        before=symptom_step(by_slug("d5")),
        faults=(
            disable_automated_sync(guardrails.APPLICATION)[0],
            FieldsEdited(
                target=argo.application(guardrails.APPLICATION),
                patch={
                    "spec": {
                        "ignoreDifferences": [{"group": "kyverno.io", "kind": "Policy", "jsonPointers": ["/spec"]}]
                    }
                },
            ),
        ),
        red_step=symptom_step(by_slug("d5")),
        reason=r"is healed 3 times at one commit.*: [0-2] attempts, [^;]*; Synced/",
    ),
    Mutant(
        "no-symptom-f2",
        "The LimitRange minimum is lowered again: the model gets its pod",
        scenario=_RUNNING,
        example=by_slug("f2").slug,
        before=symptom_step(by_slug("f2")),
        faults=(
            FieldsEdited(
                target=LIMIT_RANGE, patch={"spec": {"limits": [{**LIMIT, "min": {"cpu": "10m", "memory": "32Mi"}}]}}
            ),
        ),
        red_step=symptom_step(by_slug("f2")),
        reason=r"shows ReplicaFailure True for FailedCreate.*ReplicaFailure=nothing",
        hold=20,
    ),
    Mutant(
        "no-symptom-f5",
        "The API server's own policy about root is not in force: Kyverno alone rejects",
        scenario=_RESOLVED,
        example=by_slug("f5").slug,
        before=injection_step(by_slug("f5")),
        faults=_refused_by_kyverno_alone("disallow-root-containers"),
        red_step=symptom_step(by_slug("f5")),
        reason=r'admission webhook "vpol[^"]*-disallow-root-containers" denied the request',
    ),
    Mutant(
        "no-symptom-f6",
        "The new model is gone before anybody looks at it",
        scenario=_RUNNING,
        example=by_slug("f6").slug,
        before=symptom_step(by_slug("f6")),
        faults=(ObjectDeleted(target=NEW_MODEL),),
        red_step=symptom_step(by_slug("f6")),
        reason=r"an event InternalError .*require-resource-requests-limits.*events: none",
        hold=15,
    ),
    Mutant(
        "no-symptom-f7",
        "The quota is raised by one: the sixth model fits",
        scenario=_RUNNING,
        example=by_slug("f7").slug,
        before=symptom_step(by_slug("f7")),
        faults=(
            *disable_automated_sync(CHILD),
            FieldsEdited(
                target=Ref("ResourceQuota", "default-namespace-quota", APPS_NAMESPACE, "v1"),
                patch={"spec": {"hard": {"count/inferenceservices.serving.kserve.io": "6"}}},
            ),
        ),
        red_step=symptom_step(by_slug("f7")),
        reason=r"is rejected with .exceeded quota.*it would be taken",
        hold=5,
    ),
)
