"""What counts as a refusal by the quota that shows, and as a sidecar that counts."""

from __future__ import annotations

import pytest

from neuroscale.guardrails.admission import AdmissionResponse
from neuroscale.guardrails.quota_visibility import evaluate_refusal_shown
from neuroscale.guardrails.quotas import SidecarProbe, evaluate_alone, evaluate_limit
from neuroscale.kubernetes.refs import Object

WORDS = 'pods "m-2" is forbidden: exceeded quota: default-namespace-quota, requested: pods=1, used: pods=3'
ADMITTED = AdmissionResponse("admitted", frozenset(), "")
EXCEEDED = AdmissionResponse("rejected otherwise", frozenset(), "exceeded quota: q, requested: limits.cpu=9")


def saying(message: str, kind: str = "PredictorReady", status: str = "False") -> Object:
    """An object with one condition."""
    return {"status": {"conditions": [{"type": kind, "status": status, "message": message}]}}


def app(health: str) -> Object:
    """An Application of that health."""
    return {"status": {"health": {"status": health}}}


@pytest.mark.parametrize(
    ("found", "refused", "state", "words"),
    [
        (app("Degraded"), saying(WORDS), "met", "exceeded quota"),
        (app("Degraded"), saying("something else"), "pending", "the quota is not named"),
        (app("Degraded"), saying("exceeded quota: somebody-elses"), "pending", "the quota is not named"),
        (app("Progressing"), saying(WORDS), "pending", "Progressing; Knative says Ready=True"),
        (app("Healthy"), saying(WORDS), "pending", "Healthy"),
        ({}, saying(WORDS), "pending", "Unknown"),
        (None, saying(WORDS), "pending", "the Application does not exist"),
        (app("Degraded"), None, "pending", "what was refused does not exist"),
        (app("Degraded"), {}, "pending", "the quota is not named"),
    ],
)
def test_a_refusal_shows(found: Object | None, refused: Object | None, state: str, words: str) -> None:
    verdict = evaluate_refusal_shown(found, refused, saying("", "Ready", "True"))
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_of_what_is_not_knatives_nothing_is_said_of_knative() -> None:
    assert "Knative" not in evaluate_refusal_shown(app("Degraded"), saying(WORDS), None).observed


def test_a_sidecar_counts_only_where_the_rest_would_have_fitted() -> None:
    edge = SidecarProbe("8 cores", ADMITTED, ADMITTED, EXCEEDED, "exceeded quota: q", ADMITTED)
    assert evaluate_limit(edge)
    assert evaluate_alone(edge)
    refused = SidecarProbe("8 cores", ADMITTED, ADMITTED, EXCEEDED, "exceeded quota: q", EXCEEDED)
    assert not evaluate_alone(refused)
