"""Mutants of what the quota counts and who sees it: each takes one thing away that makes a refusal visible."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import Committed, FieldsEdited
from neuroscale.guardrails.quotas import QUOTA
from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.probes.reference_app import CHILD
from neuroscale.settings import ARGOCD
from suite.mutants.mutant import Mutant

_COUNTS = "The quota counts the sidecars of the platform"
_SHOWS = "A pod that the quota refuses shows on its Application"
_SHOWN = "its Application is Degraded within the quota SLO, and the quota is named"
_SETTINGS = Ref("ConfigMap", "argocd-cm", ARGOCD)
_HOOK = Ref(
    "ValidatingWebhookConfiguration",
    "validation.webhook.serving.knative.dev",
    api_version="admissionregistration.k8s.io/v1",
)
_KUSTOMIZATION = "infrastructure/serving-stack/kustomization.yaml"
_NOT_TRIED, _TRIED = '"!request.?dryRun.orValue(false)"', '"true"'


def _without_health_of(kind: str) -> FieldsEdited:
    """Argo CD judges the kind as upstream does."""
    return FieldsEdited(target=_SETTINGS, patch={"data": {f"resource.customizations.health.{kind}": None}})


def _asked_in_dry_runs(platform: Platform) -> ProbeFunction:
    """Knative's webhook has come to be asked in dry runs as well."""

    def evaluate() -> Verdict:
        hooks = (platform.cluster.get(_HOOK) or {}).get("webhooks") or []
        found = [one["expression"] for hook in hooks for one in hook.get("matchConditions") or []]
        return met("always asked") if found == ["true"] else pending(f"asked if {found}")

    return ProbeFunction("Knative's webhook is asked in dry runs", evaluate)


MILESTONE = "f"
MUTANTS = (
    Mutant(
        "quota-wider-by-a-sidecar",
        "The quota is wider than Git says, by what one sidecar asks for",
        scenario=_COUNTS,
        example="CPU requests",
        before="an operator requests what is left of the CPU requests for a pod with the platform's sidecar",
        faults=(
            *disable_automated_sync(CHILD),
            FieldsEdited(target=QUOTA, patch={"spec": {"hard": {"requests.cpu": "4025m"}}}),
        ),
        red_step="a request above the quota is rejected for exceeding it",
        reason=r"right beyond all that is left of requests\.cpu, a sidecar included: admitted",
        hold=2,
    ),
    Mutant(
        "refusal-hidden-by-a-dry-run",
        "Knative tries a pod in each dry run: KServe goes no further, and the model is never called Degraded",
        scenario=_SHOWS,
        example="a running model loses its pod",
        before="the quota is too small as a running model loses its pod",
        faults=(
            Committed(
                message="Try a pod in each dry run",
                files={},
                replaced={_KUSTOMIZATION: [(_NOT_TRIED, _TRIED)]},
            ),
        ),
        red_step=_SHOWN,
        # KServe has not tried to change anything yet, or is refused the change and says no more than that.
        reason=r"(Healthy; Knative says Ready=False; the quota is not named|Progressing; .*dry run failed with pods)",
        in_place=_asked_in_dry_runs,
    ),
    Mutant(
        "model-health-as-upstream",
        "Argo CD judges models as upstream does: one whose latest revision has failed is Progressing",
        scenario=_SHOWS,
        example="a commit gives a model two pods",
        before="the quota is too small as a commit gives a model two pods",
        faults=(_without_health_of("serving.kserve.io_InferenceService"),),
        red_step=_SHOWN,
        reason=r"Progressing; Knative says Ready=False; .*exceeded quota",
        hold=5,
    ),
    Mutant(
        "deployment-health-as-upstream",
        "Argo CD judges Deployments as upstream does: one that gets no pod is Progressing for ten minutes",
        scenario=_SHOWS,
        example="a commit gives the test application two pods",
        before="the quota is too small as a commit gives the test application two pods",
        faults=(_without_health_of("apps_Deployment"),),
        red_step=_SHOWN,
        reason=r"Progressing; ReplicaFailure=True: .*exceeded quota",
        hold=5,
    ),
)
