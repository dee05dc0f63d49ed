"""Mutants of the incidents of milestone D: each takes the symptom away."""

from __future__ import annotations

from neuroscale.chaos.faults import ApplicationEdited, FieldsEdited, ObjectDeleted
from neuroscale.gitops.automated_sync import disable_automated_sync
from neuroscale.gitops.drift_scenarios import CHILD
from neuroscale.incidents.minimum_above_sidecar import LIMIT, LIMIT_RANGE
from neuroscale.incidents.new_model import NEW_MODEL
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo, guardrails
from neuroscale.settings import APPS_NAMESPACE
from suite.mutants.mutant import Mutant

_SYMPTOM = "its symptom shows"


def _refused_by_kyverno_alone(policy: str) -> tuple[ApplicationEdited | ObjectDeleted, ...]:
    """The API server's policy is not bound: Kyverno's webhook still refuses, and the denial is another one."""
    return (*disable_automated_sync(guardrails.APPLICATION), ObjectDeleted(target=guardrails.binding(policy)))


MILESTONE = "d"
MUTANTS = (
    Mutant(
        "no-symptom-d1",
        "The engine's Service leads to pods that are not Ready as well: it is reached and answers",
        scenario="The policy engine is registered and does not serve",
        before=_SYMPTOM,
        faults=(FieldsEdited(target=guardrails.SERVICE, patch={"spec": {"publishNotReadyAddresses": True}}),),
        red_step=_SYMPTOM,
        reason=r"kyverno-svc\" has no ready endpoint.*[1-9] ready endpoints",
        hold=20,
    ),
    Mutant(
        "no-symptom-d2",
        "The API server's own policy about models is not in force: Kyverno alone refuses",
        scenario="A label is spelt in camel case",
        before='the incident "camel_case_label" begins',
        faults=_refused_by_kyverno_alone("require-standard-labels-inferenceservice"),
        red_step=_SYMPTOM,
        reason=r'admission webhook "vpol[^"]*-require-standard-labels-inferenceservice" denied the request',
    ),
    Mutant(
        "no-symptom-d5",
        "Argo CD is told to ignore what a policy of that kind says",
        scenario="A policy drifts for ever",
        before=_SYMPTOM,
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
        red_step=_SYMPTOM,
        reason=r"is healed 3 times at one commit.*: [0-2] attempts, [^;]*; Synced/",
    ),
    Mutant(
        "no-symptom-f2",
        "Somebody lowers the minimum again: the model gets its pod",
        scenario="The least that a container may ask for is more than the sidecar asks for",
        before=_SYMPTOM,
        faults=(
            FieldsEdited(
                target=LIMIT_RANGE, patch={"spec": {"limits": [{**LIMIT, "min": {"cpu": "10m", "memory": "32Mi"}}]}}
            ),
        ),
        red_step=_SYMPTOM,
        reason=r"shows ReplicaFailure True for FailedCreate.*ReplicaFailure=nothing",
        hold=20,
    ),
    Mutant(
        "no-symptom-f5",
        "The API server's own policy about root is not in force: Kyverno alone refuses",
        scenario="The platform's own application is refused",
        before='the incident "own_app_refused" begins',
        faults=_refused_by_kyverno_alone("disallow-root-containers"),
        red_step=_SYMPTOM,
        reason=r'admission webhook "vpol[^"]*-disallow-root-containers" denied the request',
    ),
    Mutant(
        "no-symptom-f6",
        "The new model is gone before anybody looks at it",
        scenario="What controllers make is judged as if somebody had written it",
        before=_SYMPTOM,
        faults=(ObjectDeleted(target=NEW_MODEL),),
        red_step=_SYMPTOM,
        reason=r"an event InternalError .*require-resource-requests-limits.*events: none",
        hold=15,
    ),
    Mutant(
        "no-symptom-f7",
        "Somebody raises the quota by one: the sixth fits",
        scenario="The sixth model is refused",
        before=_SYMPTOM,
        faults=(
            *disable_automated_sync(CHILD),
            FieldsEdited(
                target=Ref("ResourceQuota", "default-namespace-quota", APPS_NAMESPACE, "v1"),
                patch={"spec": {"hard": {"count/inferenceservices.serving.kserve.io": "6"}}},
            ),
        ),
        red_step=_SYMPTOM,
        reason=r"is refused with .exceeded quota.*it would be taken",
        hold=5,
    ),
)
