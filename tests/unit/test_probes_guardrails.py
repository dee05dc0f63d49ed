"""When a policy is in force: in Kyverno's webhook, and in the API server."""

from __future__ import annotations

import pytest
from apiserver import merge

from neuroscale.kubernetes.refs import Object
from neuroscale.polling import State, met, pending, unrecoverable
from neuroscale.probes.expected import policy_names
from neuroscale.probes.guardrails import evaluate_admission, evaluate_enforced, evaluate_policy, evaluate_silence

NAME = "disallow-root-containers"
POLICY: Object = {
    "metadata": {"name": NAME},
    "spec": {"validationActions": ["Deny"]},
    "status": {
        "conditionStatus": {
            "ready": True,
            "conditions": [
                {"type": "WebhookConfigured", "status": "True", "message": "Webhook configured."},
                {"type": "RBACPermissionsGranted", "status": "True", "message": "Policy is ready for reporting."},
            ],
        }
    },
}
WEBHOOKS: Object = {
    "webhooks": [{"name": f"vpol.validate.kyverno.svc-fail-finegrained-{NAME}", "failurePolicy": "Fail"}]
}
ADMISSION: Object = {
    "metadata": {"name": NAME, "generation": 1},
    "spec": {"failurePolicy": "Fail"},
    "status": {"observedGeneration": 1, "typeChecking": {}},
}
BINDING: Object = {"metadata": {"name": NAME}, "spec": {"policyName": NAME, "validationActions": ["Deny"]}}
NOT_CONFIGURED: Object = {
    "status": {
        "conditionStatus": {
            "ready": False,
            "conditions": [{"type": "WebhookConfigured", "status": "False", "message": "not configured"}],
        }
    }
}


RBAC_ONLY: Object = {
    "status": {
        "conditionStatus": {
            "ready": True,
            "conditions": [{"type": "RBACPermissionsGranted", "status": "True", "message": "ready for reporting"}],
        }
    }
}


def changed(obj: Object, change: Object) -> Object:
    return dict(merge(obj, change))


@pytest.mark.parametrize(
    ("policy", "webhooks", "state", "seen"),
    [
        (POLICY, WEBHOOKS, "met", "fails closed"),
        (None, WEBHOOKS, "pending", "does not have it"),
        (changed(POLICY, {"spec": {"validationActions": ["Audit"]}}), WEBHOOKS, "pending", "['Audit']"),
        (changed(POLICY, NOT_CONFIGURED), WEBHOOKS, "pending", "WebhookConfigured is False: not configured"),
        (changed(POLICY, {"status": None}), WEBHOOKS, "pending", "does not call it ready"),
        (changed(POLICY, RBAC_ONLY), WEBHOOKS, "pending", "not yet put it into its webhook"),
        (POLICY, None, "pending", "no webhook calls it"),
        (POLICY, {"webhooks": []}, "pending", "no webhook calls it"),
        (POLICY, {"webhooks": [{**WEBHOOKS["webhooks"][0], "failurePolicy": "Ignore"}]}, "pending", "fails open"),
        (
            POLICY,
            {"webhooks": [*WEBHOOKS["webhooks"], {**WEBHOOKS["webhooks"][0], "failurePolicy": "Ignore"}]},
            "pending",
            "fails open",
        ),
    ],
)
def test_kyvernos_policy(policy: Object | None, webhooks: Object | None, state: State, seen: str) -> None:
    verdict = evaluate_policy(policy, webhooks)
    assert verdict.state == state
    assert seen in verdict.observed


@pytest.mark.parametrize(
    ("policy", "binding", "state", "seen"),
    [
        (ADMISSION, BINDING, "met", "by the API server"),
        (None, BINDING, "pending", "does not have the policy"),
        (ADMISSION, None, "pending", "does not have its binding"),
        (changed(ADMISSION, {"spec": {"failurePolicy": "Ignore"}}), BINDING, "pending", "fails open"),
        (ADMISSION, changed(BINDING, {"spec": {"validationActions": ["Warn"]}}), "pending", "['Warn']"),
        (changed(ADMISSION, {"metadata": {"generation": 2}}), BINDING, "pending", "not checked it yet"),
        (changed(ADMISSION, {"status": None}), BINDING, "pending", "not checked it yet"),
        (
            changed(ADMISSION, {"status": {"typeChecking": {"expressionWarnings": [{"warning": "no such field"}]}}}),
            BINDING,
            "unrecoverable",
            "no such field",
        ),
    ],
)
def test_the_api_servers_policy(policy: Object | None, binding: Object | None, state: State, seen: str) -> None:
    verdict = evaluate_admission(policy, binding)
    assert verdict.state == state
    assert seen in verdict.observed


@pytest.mark.parametrize(
    ("metrics", "before", "state", "seen"),
    [
        ("kyverno_breaker_total 73", 0, "pending", "none was dropped"),
        (
            'kyverno_breaker_drops_total{a="b"} 56\nkyverno_breaker_drops_total{a="c"} 2',
            0,
            "unrecoverable",
            "58 reports",
        ),
        ("kyverno_breaker_drops_total 58", 57, "unrecoverable", "1 reports"),
        ("kyverno_breaker_drops_total 58", 58, "pending", "none was dropped"),
        ("kyverno_breaker_total 3", 58, "pending", "none was dropped"),
    ],
)
def test_a_scan_that_has_fallen_silent(metrics: str, before: int, state: State, seen: str) -> None:
    verdict = evaluate_silence(metrics, before)
    assert (verdict.state, seen in verdict.observed) == (state, True), verdict


def test_all_of_them_in_both_places() -> None:
    good = met("good")
    assert evaluate_enforced({"a": (good, good), "b": (good, good)})
    one = evaluate_enforced({"a": (good, good), "b": (good, pending("not there"))})
    assert (one.state, one.observed) == ("pending", "b: not there")
    assert evaluate_enforced({"a": (pending("x"), unrecoverable("y"))}).state == "unrecoverable"
    assert evaluate_enforced({}).state == "unrecoverable"


def test_names_come_from_git_and_patches_are_passed_over() -> None:
    files = {
        "p/a.yaml": "kind: ValidatingPolicy\nmetadata: {name: a}\n",
        "p/shared.yaml": "- {op: add, path: /spec/failurePolicy, value: Fail}\n",
        "p/kustomization.yaml": "kind: Kustomization\n",
        "p/README.md": "- no YAML",
    }
    assert policy_names(files) == {"a"}
