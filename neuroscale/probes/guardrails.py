"""Guardrails: Kyverno's controllers, and the policies that Git describes, in both places that enforce them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.workloads import AllAvailable

APPLICATION = "neuroscale-policy-guardrails"

ADMISSION_CONTROLLER = Ref("Deployment", "kyverno-admission-controller", "kyverno")
REPORTS_CONTROLLER = Ref("Deployment", "kyverno-reports-controller", "kyverno")
WORKLOADS = (ADMISSION_CONTROLLER, REPORTS_CONTROLLER)
#: What the API server asks, when it asks Kyverno.
SERVICE = Ref("Service", "kyverno-svc", "kyverno")
#: Kyverno writes it, with one webhook for each policy.
WEBHOOKS = Ref("ValidatingWebhookConfiguration", "kyverno-resource-validating-webhook-cfg")

_ADMISSION = "admissionregistration.k8s.io/v1"
#: What the reports controller counts.
REPORTS_METRICS = "/api/v1/namespaces/kyverno/services/kyverno-reports-controller-metrics:8000/proxy/metrics"


def policy(name: str) -> Ref:
    """A policy as Kyverno has it: its webhook enforces it, its scans report."""
    return Ref("ValidatingPolicy", name, api_version="policies.kyverno.io/v1beta1")


def admission_policy(name: str) -> Ref:
    """The same policy as the API server has it, which enforces it by itself."""
    return Ref("ValidatingAdmissionPolicy", name, api_version=_ADMISSION)


def binding(name: str) -> Ref:
    """What puts the API server's policy in force."""
    return Ref("ValidatingAdmissionPolicyBinding", name, api_version=_ADMISSION)


def denial(name: str, rule: str) -> str:
    """How the API server rejects by a policy of its own; Kyverno's webhook would reject in other words."""
    return f"ValidatingAdmissionPolicy '{name}' with binding '{name}' denied request: {rule}"


def workloads_ready() -> AllAvailable:
    """The components run."""
    return AllAvailable("guardrails", WORKLOADS, area="guardrails")


# --- judgements


def evaluate_policy(policy: Object | None, webhooks: Object | None) -> Verdict:
    """Kyverno calls the policy ready, it denies, and its webhook is there and fails closed."""
    if policy is None:
        return pending("Kyverno does not have it")
    trouble = _lenient(policy) or _not_ready(policy) or _not_called(policy, webhooks)
    return pending(trouble) if trouble else met("ready, and its webhook fails closed")


def _lenient(policy: Object) -> str:
    """What it does but deny; empty: nothing."""
    actions = policy["spec"].get("validationActions")
    return "" if actions == ["Deny"] else f"it should deny, but its actions are {actions}"


def _not_ready(policy: Object) -> str:
    """Why Kyverno does not call it ready; empty: it does, and has put it into its webhook."""
    status = (policy.get("status") or {}).get("conditionStatus") or {}
    conditions = status.get("conditions") or []
    bad = [
        f"{condition['type']} is {condition['status']}: {condition.get('message', '')}"
        for condition in conditions
        if condition["status"] != "True"
    ]
    if bad or not status.get("ready"):
        return "; ".join(bad) or "Kyverno does not call it ready"
    # Kyverno says "ready" as soon as any one condition is good, while no webhook is there.
    if not any(condition["type"] == "WebhookConfigured" for condition in conditions):
        return "Kyverno calls it ready, and has not yet put it into its webhook"
    return ""


def _not_called(policy: Object, webhooks: Object | None) -> str:
    """What is wrong with the webhook that calls it; empty: nothing, and it fails closed."""
    suffix = f"-{policy['metadata']['name']}"
    called = [hook for hook in (webhooks or {}).get("webhooks") or [] if hook["name"].endswith(suffix)]
    if not called:
        return "no webhook calls it"
    return "" if all(hook["failurePolicy"] == "Fail" for hook in called) else "its webhook fails open"


def evaluate_admission(policy: Object | None, binding: Object | None) -> Verdict:
    """The API server has checked the policy, found nothing to complain of, and denies by it."""
    if policy is None or binding is None:
        return pending(f"the API server does not have {'the policy' if policy is None else 'its binding'}")
    if policy["spec"].get("failurePolicy") != "Fail":
        return pending("in the API server it fails open")
    actions = binding["spec"].get("validationActions")
    if "Deny" not in (actions or []):
        return pending(f"the API server should deny by it, but its actions are {actions}")
    status = policy.get("status") or {}
    if status.get("observedGeneration", 0) < policy["metadata"].get("generation", 0):
        return pending("the API server has not checked it yet")
    if warnings := (status.get("typeChecking") or {}).get("expressionWarnings"):
        return unrecoverable(f"the API server complains of it: {warnings[0].get('warning', '')}")
    return met("enforced by the API server")


def dropped(metrics: str) -> int:
    """How many reports Kyverno has dropped since its reports controller started. Only its metrics say so."""
    counted = [line.split()[-1] for line in metrics.splitlines() if line.startswith("kyverno_breaker_drops_total")]
    return int(sum(map(float, counted)))


def evaluate_silence(metrics: str, before: int) -> Verdict:
    """Whether reports may still come. A counter cut off makes Kyverno drop each from then on (decision 0017).

    Args:
        metrics: What its reports controller publishes, in Prometheus' text format.
        before: How many it had dropped when what is waited for began: its watch may have been cut off and be back.
    """
    if (lost := dropped(metrics) - before) > 0:
        return unrecoverable(
            f"Kyverno dropped {lost} reports meanwhile, and may drop each until its reports controller restarts. "
            f"Next: kubectl -n kyverno rollout restart deployment {REPORTS_CONTROLLER.name}"
        )
    return pending("none was dropped")


# --- probes


@dataclass(frozen=True)
class AllEnforced:
    """Each of these policies is enforced, by Kyverno's webhook and by the API server itself."""

    names: frozenset[str]
    area: str = "guardrails"

    @property
    def description(self) -> str:
        """The expectation."""
        return (
            f"each of the {len(self.names)} policies that Git describes is enforced, by Kyverno and by the API server"
        )

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge each."""
        webhooks = cluster.get(WEBHOOKS)
        return evaluate_enforced(
            {
                name: (
                    evaluate_policy(cluster.get(policy(name)), webhooks),
                    evaluate_admission(cluster.get(admission_policy(name)), cluster.get(binding(name))),
                )
                for name in sorted(self.names)
            }
        )


def evaluate_enforced(verdicts: Mapping[str, tuple[Verdict, Verdict]]) -> Verdict:
    """All of them in both places, or those that are not; hopeless when there is nothing to judge."""
    if not verdicts:
        return unrecoverable("Git describes no policy, so nothing can be said")
    bad = [f"{name}: {verdict.observed}" for name, both in verdicts.items() for verdict in both if not verdict]
    worst = (
        unrecoverable
        if any(verdict.state == "unrecoverable" for both in verdicts.values() for verdict in both)
        else pending
    )
    return worst("; ".join(bad)) if bad else met(f"{', '.join(verdicts)}: each in force twice")
