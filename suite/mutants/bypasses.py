"""Mutants of milestone D, one for each known bypass: a weakened policy reopens it, in both places that enforce it."""

from __future__ import annotations

from typing import Any

from neuroscale.chaos.faults import Fault, FieldsEdited
from neuroscale.guardrails.enforcement import AUTOMATED_SYNC_OFF
from neuroscale.guardrails.oracle import LABELS, RESOURCES, ROOT_USER, TAG
from neuroscale.probes import guardrails
from suite.mutants.mutant import Mutant


def edited(name: str, spec: dict[str, Any]) -> tuple[Fault, ...]:
    """The same change to a policy in both places that enforce it, with nobody to put it back."""
    patch = {"spec": spec}
    both = (guardrails.policy(name), guardrails.admission_policy(name))
    return (*AUTOMATED_SYNC_OFF, *(FieldsEdited(target=one, patch=patch) for one in both))


def _rules(*rules: tuple[str, str]) -> dict[str, Any]:
    """The validations of a policy: each an expression and the rule whose name the message begins with."""
    return {"validations": [{"expression": cel, "message": f"{rule}: weakened by a mutant"} for cel, rule in rules]}


DEPLOYMENTS_ONLY: dict[str, Any] = {
    "matchConstraints": {
        "resourceRules": [
            {
                "apiGroups": ["apps"],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["deployments"],
                "scope": "*",
            }
        ]
    }
}
_NOT_ROOT = "check-runAsNonRoot-on-deployment"
#: Slug, title, the bypass as its row says it, the policy that is weakened, how, and the attempt that is admitted then.
_REOPENED: tuple[tuple[str, str, str, str, dict[str, Any], str], ...] = (
    (
        "bypass-kind-not-covered",
        "The policy about root matches Deployments only",
        "a kind that no rule covered",
        ROOT_USER,
        DEPLOYMENTS_ONLY,
        "job-root",
    ),
    (
        "bypass-exemption-label",
        "The policy about root exempts objects by a label again",
        "a label that exempted its object",
        ROOT_USER,
        {
            "matchConstraints": {
                "objectSelector": {
                    "matchExpressions": [{"key": "serving.knative.dev/configuration", "operator": "DoesNotExist"}]
                }
            }
        },
        "label-of-knative-on-root",
    ),
    (
        "bypass-init-container",
        "The policy about root evaluates containers, and no init containers",
        "an init container",
        ROOT_USER,
        _rules(
            (
                (
                    "variables.pods.all(pod, pod.?containers.orValue([]).all(one, one.?securityContext.?runAsNonRoot"
                    ".or(pod.?securityContext.?runAsNonRoot).orValue(false)))"
                ),
                _NOT_ROOT,
            )
        ),
        "init-container-root",
    ),
    (
        "bypass-init-container-tag",
        "The policy about tags evaluates containers, and no init containers",
        "an init container",
        TAG,
        _rules(
            (
                "variables.pods.all(pod, pod.?containers.orValue([]).all(one, !string(one.image).endsWith(':latest')))",
                "validate-deployment-container-tags",
            )
        ),
        "init-container-latest",
    ),
    (
        "bypass-init-container-limits",
        "The policy about resources evaluates containers, and no init containers",
        "an init container",
        RESOURCES,
        _rules(
            (
                "variables.pods.all(pod, pod.?containers.orValue([]).all(one, one.?resources.?limits.hasValue()))",
                "validate-deployment-container-resources",
            )
        ),
        "init-container-without-limits",
    ),
    (
        "bypass-floating-tag",
        "The policy about tags rejects the tag latest, and no other floating tag",
        "a floating or missing image tag",
        TAG,
        _rules(
            ("variables.images.all(image, !image.endsWith(':latest'))", "validate-deployment-container-tags"),
        ),
        "moving-tag",
    ),
    (
        "bypass-user-zero",
        "The policy about root asks for runAsNonRoot, and not for another user than 0",
        "user 0 despite runAsNonRoot",
        ROOT_USER,
        _rules(("variables.maybeRoot.size() == 0", _NOT_ROOT)),
        "user-zero",
    ),
    (
        "bypass-custom-model-container",
        "The policy about root passes InferenceServices over",
        "a model in a custom container",
        ROOT_USER,
        _rules(
            ("variables.root.kind == 'InferenceService' || variables.maybeRoot.size() == 0", _NOT_ROOT),
            ("variables.userZero.size() == 0", "check-runAsUser-not-zero"),
        ),
        "model-of-own-container-root",
    ),
    (
        "bypass-pod-template-labels",
        "The policy about labels evaluates the workload's own, and not those of its pods",
        "pods without the labels of their workload",
        LABELS,
        _rules(("variables.missing.size() == 0", "check-owner-and-cost-center-on-deployment")),
        "labels-not-on-pods",
    ),
    (
        "bypass-unregistered-owner",
        "The policy about labels asks for an owner, and not for a registered one",
        "a label with an unregistered owner",
        LABELS,
        _rules(
            ("variables.missing.size() == 0", "check-owner-and-cost-center-on-deployment"),
            ("variables.missingOnPods.size() == 0", "check-owner-and-cost-center-on-pod-template"),
        ),
        "owner-of-nobody",
    ),
)

MILESTONE = "d"
MUTANTS = tuple(
    Mutant(
        slug,
        title,
        scenario="A known bypass of the policies is closed",
        example=bypass,
        before=f"manifests that try {bypass}",
        faults=edited(policy, spec),
        red_step="each attempt is rejected by its policy and rule",
        reason=rf"\b{attempt}: admitted",
        hold=5,
    )
    for slug, title, bypass, policy, spec, attempt in _REOPENED
)
