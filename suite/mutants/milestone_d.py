"""Mutants of milestone D: policies that look enforced and are not, and quotas and limits that do not bind."""

from __future__ import annotations

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, ObjectCreated, ObjectDeleted, ScaledTo
from neuroscale.guardrails.admission_load import NO_ENDPOINT
from neuroscale.guardrails.enforcement import AUDIT_ONLY, AUTOMATED_SYNC_OFF, KYVERNO_AUDIT_ONLY, NO_KYVERNO
from neuroscale.guardrails.oracle import ISVC_LABELS, POLICIES, RESOURCES, ROOT_USER, TAG
from neuroscale.guardrails.quotas import LIMITS, QUOTA
from neuroscale.kubernetes.refs import Ref
from neuroscale.probes import argo, guardrails
from neuroscale.settings import APPS_NAMESPACE
from suite.mutants.bypasses import DEPLOYMENTS_ONLY, edited
from suite.mutants.mutant import Mutant
from suite.mutants.webhooks import SLOW, TRUSTS_SOMEBODY_ELSE

_QUOTA_SYNC_OFF = disable_automated_sync("neuroscale-default-namespace-resources")
_PROJECT = Ref("AppProject", "neuroscale-models", "argocd")

_IN_FORCE = "Every policy is enforced twice"
_EACH_DENIES = "each denies, in the API server and through Kyverno's webhook"
_COMPARED = "the policies that Git describes"
_RULE = "A rule rejects a violation and admits its compliant control"
_CORPUS = "Admission gives every manifest of the corpus the expected verdict"
_EACH_REFUSED = "each bad manifest is rejected by its policy and rule"
_SUBMITTED = "the corpus of manifests"
_AWAY = "Kyverno is unavailable"


def _minimum(cpu: str) -> FieldsEdited:
    limits = {
        "type": "Container",
        "default": {"cpu": "500m", "memory": "512Mi"},
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "max": {"cpu": "2", "memory": "4Gi"},
        "min": {"cpu": cpu, "memory": "32Mi"},
    }
    return FieldsEdited(target=LIMITS, patch={"spec": {"limits": [limits]}})


MILESTONE = "d"
MUTANTS = (
    Mutant(
        "guardrails-workload-scaled-away",
        "Kyverno's reports controller is scaled to 0: no pod is there to be not ready",
        scenario="Every component of the guardrails is ready",
        before="the workloads of the guardrails",
        faults=(*AUTOMATED_SYNC_OFF, ScaledTo(target=guardrails.REPORTS_CONTROLLER, replicas=0)),
        red_step="each of them has all its containers ready",
        reason=r"kyverno-reports-controller.*scaled to 0",
    ),
    # --- in force
    *(
        Mutant(
            f"audit-{name}",
            f"Kyverno only audits by {name}",
            scenario=_IN_FORCE,
            before=_COMPARED,
            faults=(
                *AUTOMATED_SYNC_OFF,
                FieldsEdited(target=guardrails.policy(name), patch={"spec": {"validationActions": ["Audit"]}}),
            ),
            red_step=_EACH_DENIES,
            reason=rf"{name}: it should deny, but its actions are \['Audit'\]",
        )
        for name in POLICIES
    ),
    Mutant(
        "binding-audits",
        "The API server only audits by one policy",
        scenario=_IN_FORCE,
        before=_COMPARED,
        faults=(*AUTOMATED_SYNC_OFF, AUDIT_ONLY[0]),
        red_step=_EACH_DENIES,
        reason=r"the API server should deny by it, but its actions are \['Audit'\]",
    ),
    Mutant(
        "binding-deleted",
        "The API server has a policy that nothing binds",
        scenario=_IN_FORCE,
        before=_COMPARED,
        faults=(*AUTOMATED_SYNC_OFF, ObjectDeleted(target=guardrails.binding(TAG))),
        red_step=_EACH_DENIES,
        reason=r"the API server does not have its binding",
    ),
    Mutant(
        "fails-open",
        "One of Kyverno's policies fails open: failurePolicy Ignore",
        scenario=_IN_FORCE,
        before=_COMPARED,
        faults=(
            *AUTOMATED_SYNC_OFF,
            FieldsEdited(target=guardrails.policy(ROOT_USER), patch={"spec": {"failurePolicy": "Ignore"}}),
        ),
        red_step=_EACH_DENIES,
        reason=rf"{ROOT_USER}: (its webhook fails open|no webhook calls it)",
        hold=5,
    ),
    Mutant(
        "admission-scaled-away",
        "Kyverno's admission controller is scaled to 0 and takes its webhooks along",
        scenario=_IN_FORCE,
        before=_COMPARED,
        faults=(*AUTOMATED_SYNC_OFF, *NO_KYVERNO),
        red_step=_EACH_DENIES,
        reason=r"no webhook calls it",
        in_place=lambda _: argo.Gone(guardrails.WEBHOOKS),
    ),
    # --- rules
    Mutant(
        "rule-removed",
        "A rule is missing from a policy, in both places",
        scenario=_RULE,
        example="no-tag",
        before="the manifest no-tag is submitted",
        faults=edited(TAG, {"validations": [{"expression": "true", "message": "nothing: is asked"}]}),
        red_step="it is rejected by policy disallow-latest-image-tag for validate-deployment-container-tags",
        reason=r"no-tag: admitted",
        hold=5,
    ),
    Mutant(
        "compliant-control-rejected",
        "A policy rejects whatever comes",
        scenario=_RULE,
        example="model-owner-missing",
        before="its compliant control, one field apart, is admitted",
        faults=edited(ISVC_LABELS, {"validations": [{"expression": "false", "message": "no-rule: rejected"}]}),
        red_step="its compliant control, one field apart, is admitted",
        reason=r"no-rule",
        hold=5,
    ),
    Mutant(
        "policy-limited-to-deployments",
        "The policies see Deployments only, as those of the reference platform",
        scenario=_CORPUS,
        before=_SUBMITTED,
        faults=edited(ROOT_USER, DEPLOYMENTS_ONLY),
        red_step=_EACH_REFUSED,
        reason=r"job-root: admitted",
        hold=5,
    ),
    Mutant(
        "compliant-manifest-rejected",
        "A policy asks for more than it promises",
        scenario=_CORPUS,
        before="each compliant manifest is admitted",
        faults=edited(RESOURCES, {"validations": [{"expression": "false", "message": "no-rule: rejected"}]}),
        red_step="each compliant manifest is admitted",
        reason=r"no-rule",
        hold=5,
    ),
    Mutant(
        "policy-limited-to-one-namespace",
        "The match is narrowed to one namespace",
        scenario="The guardrails hold in a new namespace",
        before="each bad manifest is rejected there, by its policy and rule",
        faults=edited(
            ROOT_USER,
            {
                "matchConstraints": {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": APPS_NAMESPACE}}
                }
            },
        ),
        red_step="each bad manifest is rejected there, by its policy and rule",
        reason=r"may-be-root: admitted|job-root: admitted",
        hold=5,
    ),
    # --- enforcers
    Mutant(
        "kyverno-audits-only",
        "With the API server's own enforcement gone, Kyverno only audits as well",
        scenario="Kyverno enforces without the API server's own policies",
        before="Kyverno alone rejects each bad manifest, by its policy and rule",
        faults=KYVERNO_AUDIT_ONLY,
        red_step="Kyverno alone rejects each bad manifest, by its policy and rule",
        reason=r"admitted",
        hold=5,
    ),
    Mutant(
        "reports-controller-down",
        "The reports controller is scaled away: no scan reports anything",
        scenario="A workload that is older than the policies is reported",
        before="a background scan reports every policy that it violates",
        faults=(*AUTOMATED_SYNC_OFF, ScaledTo(target=guardrails.REPORTS_CONTROLLER, replicas=0)),
        red_step="a background scan reports every policy that it violates",
        reason=r"0 reports about it",
    ),
    # --- by way of Git
    Mutant(
        "project-permits-everything",
        "The project of workloads permits everything everywhere",
        scenario="The AppProject rejects what no policy covers",
        before="a commit adds workloads that exceed their AppProject",
        faults=(
            *disable_automated_sync("neuroscale-infrastructure")[:1],
            FieldsEdited(
                target=_PROJECT,
                patch={
                    "spec": {
                        "namespaceResourceWhitelist": [{"group": "*", "kind": "*"}],
                    }
                },
            ),
        ),
        red_step="each Application for it shows within the pick-up SLO what is rejected",
        reason=r"role: ",
    ),
    Mutant(
        "violating-workload-runs",
        "No policy is enforced: the workload that breaks a promise runs",
        scenario="A violating workload does not run",
        before="a commit adds the manifest may-be-root as a workload",
        faults=(*AUTOMATED_SYNC_OFF, *AUDIT_ONLY, *NO_KYVERNO),
        red_step="each Application for it shows within the pick-up SLO what is rejected",
        reason=r"may-be-root: ",
        hold=5,
    ),
    Mutant(
        "last-version-deleted",
        "The last good version is deleted while Argo CD's controller is dead",
        scenario="A violating change leaves the last good version running",
        before="the last good state keeps running",
        faults=(
            ScaledTo(target=argo.CONTROLLER, replicas=0),
            ObjectDeleted(target=Ref("Deployment", "nginx-test", APPS_NAMESPACE)),
        ),
        red_step="the last good state keeps running",
        reason=r"does not exist",
    ),
    # --- quota and limits
    Mutant(
        "quota-raised",
        "The quota of models is raised by hand",
        scenario="The quota limits the number of objects",
        example="models",
        before="an operator creates as many models as the quota allows",
        faults=(
            *_QUOTA_SYNC_OFF,
            FieldsEdited(target=QUOTA, patch={"spec": {"hard": {"count/inferenceservices.serving.kserve.io": "50"}}}),
        ),
        red_step="the next one is rejected for exceeding the quota",
        reason=r"right beyond 5 models: admitted",
        hold=2,
    ),
    Mutant(
        "quota-removed",
        "The quota is gone",
        scenario="The quota limits what pods may request",
        example="memory limits",
        before="an operator requests all that is left of the memory limits",
        faults=(*_QUOTA_SYNC_OFF, ObjectDeleted(target=QUOTA)),
        red_step="a request above the quota is rejected for exceeding it",
        reason=r"right beyond all that is left of limits.memory: admitted",
        hold=2,
    ),
    Mutant(
        "limitrange-minimum-above-sidecar",
        "The minimum of a container is 50m: Knative's queue does not fit (incident F2)",
        scenario="The sidecars that the platform injects fit the limits",
        before="the limits of a container",
        faults=(*_QUOTA_SYNC_OFF, _minimum("50m")),
        red_step="the smallest sidecar that the platform injects fits them",
        reason=r"asks for 25m of CPU, the minimum is 50m",
    ),
    Mutant(
        "limitrange-minimum-changed",
        "The minimum of a container is another one than Git says",
        scenario="A container has minimum and maximum resources",
        example="minimum cpu",
        before="an operator requests a container at the minimum cpu",
        faults=(*_QUOTA_SYNC_OFF, _minimum("50m")),
        red_step="a request beyond the limit is rejected for exceeding it",
        reason=r"right within the minimum cpu of 10m: ",
        hold=2,
    ),
    # --- Kyverno is away
    Mutant(
        "admitted-without-kyverno",
        "The API server only audits once Kyverno is gone",
        scenario=_AWAY,
        example="is scaled to 0",
        before="no violating object is admitted",
        faults=AUDIT_ONLY,
        red_step="no violating object is admitted",
        reason=r"violating objects were admitted",
        hold=5,
    ),
    Mutant(
        "rejected-by-another-rule",
        "Once Kyverno is gone, the API server rejects by another rule than Git says",
        scenario=_AWAY,
        example="is scaled to 0",
        before="no violating object is admitted",
        faults=(
            FieldsEdited(
                target=guardrails.admission_policy(ROOT_USER),
                patch={"spec": {"validations": [{"expression": "false", "message": "no-rule: rejected"}]}},
            ),
        ),
        red_step="no violating object is admitted",
        reason=r"policy disallow-root-containers, rule no-rule",
        hold=5,
    ),
    Mutant(
        "kyverno-webhook-without-endpoint",
        "Kyverno's webhook has no endpoint",
        scenario="Every fail-closed webhook can be answered",
        before="the webhooks that fail closed",
        faults=(*AUTOMATED_SYNC_OFF, NO_ENDPOINT),
        red_step="each has an endpoint, a certificate signed by its CA, and a timeout",
        reason=r"kyverno/kyverno-svc has no ready endpoint",
    ),
    Mutant(
        "webhook-ca-mismatch",
        "A webhook's certificate is not signed by the CA that its configuration names",
        scenario="Every fail-closed webhook can be answered",
        before="the webhooks that fail closed",
        faults=(ObjectCreated(manifest=TRUSTS_SOMEBODY_ELSE),),
        red_step="each has an endpoint, a certificate signed by its CA, and a timeout",
        reason=r"none is signed by its authority",
    ),
    Mutant(
        "slow-admission-webhook",
        "A webhook that is answered late makes each request wait for a second",
        scenario="Admission adds only milliseconds",
        before="100 objects are submitted with and without Kyverno, alternately",
        faults=(ObjectCreated(manifest=SLOW),),
        red_step="the median with Kyverno is at most 100 ms",
        reason=r"with Kyverno 1\.\d\d s",
    ),
)
