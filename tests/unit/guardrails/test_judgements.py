"""What is said of quotas and limits, of an admission load, and of webhooks."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pki
import pytest
from apiserver import ApiServer, merge
from cryptography import x509

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ClusterUnreachable
from neuroscale.guardrails import admission_load
from neuroscale.guardrails.admission import AdmissionResponse, Denial, for_admission, specimen
from neuroscale.guardrails.admission_load import Submission, evaluate_compliant, evaluate_none_slipped_in, requests
from neuroscale.guardrails.quotas import QUOTA, LimitProbe, evaluate_counted, evaluate_fits, evaluate_limit
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import pause
from neuroscale.probes.webhooks import CanBeAnswered, evaluate_hook
from neuroscale.settings import APPS_NAMESPACE

ADMITTED = AdmissionResponse("admitted", frozenset(), "")
NO_TAG = specimen("no-tag", good=False)
REFUSED = AdmissionResponse(
    "rejected by policy", frozenset({Denial("the API server", NO_TAG.rule, NO_TAG.detail)}), "no"
)
MISTAKEN = AdmissionResponse("rejected by policy", frozenset({Denial("the API server", "p", "r")}), "no")
AWAY = AdmissionResponse(
    "rejected because a webhook is away", frozenset(), 'failed calling webhook "validate.kyverno.svc-fail"'
)
OTHERS_AWAY = AdmissionResponse(
    "rejected because a webhook is away", frozenset(), 'failed calling webhook "webhook.serving.knative.dev"'
)
OTHERWISE = AdmissionResponse("rejected otherwise", frozenset(), "exceeded quota: q, requested: limits.cpu=9")


@pytest.mark.parametrize(
    ("within", "at", "beyond", "state", "words"),
    [
        (ADMITTED, ADMITTED, OTHERWISE, "met", "exceeded quota"),
        (OTHERWISE, ADMITTED, OTHERWISE, "unrecoverable", "right within"),
        (ADMITTED, OTHERWISE, OTHERWISE, "unrecoverable", "right at"),
        (ADMITTED, ADMITTED, ADMITTED, "unrecoverable", "right beyond 8 cores: admitted"),
        (ADMITTED, ADMITTED, REFUSED, "unrecoverable", "rejected by policy"),
    ],
)
def test_an_edge_is_sharp(
    within: AdmissionResponse, at: AdmissionResponse, beyond: AdmissionResponse, state: str, words: str
) -> None:
    verdict = evaluate_limit(LimitProbe("8 cores", within, at, beyond, "exceeded quota: q"))
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_an_edge_for_another_reason_is_none() -> None:
    assert not evaluate_limit(LimitProbe("8 cores", ADMITTED, ADMITTED, OTHERWISE, "exceeded quota: another"))


@pytest.mark.parametrize(
    ("used", "verdict"), [({"n": "2"}, "met"), ({"n": "3"}, "pending"), ({"n": "1"}, "pending"), ({}, "met")]
)
def test_the_quota_has_counted_when_it_says_what_is_there(
    used: dict[str, str], verdict: str, api: ApiServer, cluster: Cluster
) -> None:
    quota = {"kind": "ResourceQuota", "metadata": {"name": QUOTA.name}, "status": {"used": used}}
    api.put(f"/api/v1/namespaces/{APPS_NAMESPACE}/resourcequotas/{QUOTA.name}", quota)
    pattern: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}}
    for name in ("a", "b"):
        api.put(
            f"/apis/apps/v1/namespaces/{APPS_NAMESPACE}/deployments/{name}", {**pattern, "metadata": {"name": name}}
        )
    assert evaluate_counted(cluster, "n", pattern).state == verdict


@pytest.mark.parametrize(
    ("config", "limits", "state"),
    [
        ({}, {"min": {"cpu": "10m"}}, "met"),
        ({}, {"min": {"cpu": "25m"}}, "met"),
        ({}, {"min": {"cpu": "50m"}}, "unrecoverable"),
        ({"queue-sidecar-cpu-request": "50m"}, {"min": {"cpu": "50m"}}, "met"),
        ({}, {}, "unrecoverable"),
    ],
)
def test_what_the_platform_adds_fits(config: dict[str, str], limits: Object, state: str) -> None:
    assert evaluate_fits(config, limits).state == state


def test_no_specimen_is_left_out_of_the_admission_load() -> None:
    asked = [one.name for good in (False, True) for one, _ in requests(good=good)]
    assert set(asked) == {one.name for one in for_admission()}
    bad = [one.name for one, _ in requests(good=False)]
    assert len(bad) == len(set(bad)), "a bad specimen has one object that is bad"


def test_three_bad_objects_to_a_good_one_and_no_answer_is_no_refusal(
    toy_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(cluster: Cluster, obj: Object) -> AdmissionResponse:
        if not answered:
            raise ClusterUnreachable("no answer")
        return answered.pop()

    answered = [REFUSED] * 8
    monkeypatch.setattr(admission_load, "submit", answer)
    with admission_load.AdmissionLoad(toy_platform) as load:
        while len(load.records) < 12:
            pause(0.02)
    assert sum(one.specimen.is_good for one in load.records[:12]) == 3
    assert [one.outcome for one in load.records].count("rejected by policy") == 8
    assert load.records[-1].outcome == "no answer"


def submissions(*answers: AdmissionResponse | None) -> list[Submission]:
    return [Submission(float(number), NO_TAG, answer) for number, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        ((REFUSED, REFUSED), "met", "of 2: 2 rejected by policy"),
        ((REFUSED,), "pending", "of 1"),
        ((), "pending", "no answer yet"),
        ((REFUSED, ADMITTED), "unrecoverable", "1 of 2 violating objects were admitted"),
        ((REFUSED, AWAY), "unrecoverable", "failed calling webhook"),
        # Knative's own webhook was late: that object never came to the policies, and says nothing of them.
        ((REFUSED, REFUSED, OTHERS_AWAY), "met", "2 rejected by policy, 1 rejected because a webhook is away"),
        ((REFUSED, OTHERS_AWAY), "pending", "of 1"),
        ((REFUSED, MISTAKEN), "unrecoverable", "rejected by the API server, policy p, rule r"),
        ((REFUSED, None, REFUSED), "met", "of 2"),
    ],
)
def test_whether_one_slipped_in(answers: tuple[AdmissionResponse | None, ...], state: str, words: str) -> None:
    verdict = evaluate_none_slipped_in(submissions(*answers), 2)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


@pytest.mark.parametrize(
    ("answers", "expected", "state"),
    [
        ([ADMITTED], "admitted or rejected for a while", "met"),
        ([ADMITTED, AWAY], "admitted or rejected for a while", "met"),
        ([ADMITTED, AWAY], "rejected because the webhook is unavailable", "met"),
        ([ADMITTED], "rejected because the webhook is unavailable", "unrecoverable"),
        ([ADMITTED, REFUSED], "admitted or rejected for a while", "unrecoverable"),
        ([], "admitted or rejected for a while", "unrecoverable"),
    ],
)
def test_what_became_of_what_complies(answers: list[AdmissionResponse], expected: str, state: str) -> None:
    assert evaluate_compliant(answers, expected).state == state


# --- webhooks

NOW = datetime(2026, 11, 24, tzinfo=UTC)


AUTHORITY, STRANGER = pki.certificate("an-authority", NOW), pki.certificate("a-stranger", NOW)
SERVING, _ = pki.certificate("hook.system.svc", NOW, AUTHORITY)
EXPIRED, _ = pki.certificate("hook.system.svc", NOW, AUTHORITY, days=-1)
EXPIRING, _ = pki.certificate("hook.system.svc", NOW, AUTHORITY, days=1)
HOOK: Object = {
    "name": "a.hook",
    "failurePolicy": "Fail",
    "timeoutSeconds": 10,
    "clientConfig": {"service": {"name": "hook", "namespace": "system"}, "caBundle": pki.pem(AUTHORITY[0])},
}
TRUSTS_A_STRANGER: Object = merge(HOOK, {"clientConfig": {"caBundle": pki.pem(STRANGER[0])}})
SLICE: Object = {
    "metadata": {"labels": {"kubernetes.io/service-name": "hook"}},
    "endpoints": [{"conditions": {"ready": True}}],
}
UNREADY: Object = merge(SLICE, {"endpoints": [{"conditions": {"ready": False}}]})


@pytest.mark.parametrize(
    ("hook", "slices", "served", "state", "words"),
    [
        (HOOK, [SLICE], SERVING, "met", "valid until 2026-12-24"),
        (HOOK, [UNREADY], SERVING, "pending", "no ready endpoint"),
        (HOOK, [], SERVING, "pending", "no ready endpoint"),
        (merge(HOOK, {"timeoutSeconds": None}), [SLICE], SERVING, "pending", "no time limit"),
        (merge(HOOK, {"timeoutSeconds": 1}), [SLICE], SERVING, "met", "valid until"),
        (merge(HOOK, {"timeoutSeconds": 30}), [SLICE], SERVING, "met", "valid until"),
        (merge(HOOK, {"timeoutSeconds": 31}), [SLICE], SERVING, "pending", "no time limit"),
        (HOOK, [SLICE], EXPIRED, "pending", "has expired at 2026-11-23"),
        (HOOK, [SLICE], EXPIRING, "pending", "a.hook: its certificate expires in 24.0 h, at 2026-11-25"),
        (
            merge(HOOK, {"clientConfig": {"caBundle": pki.pem(STRANGER[0])}}),
            [SLICE],
            SERVING,
            "pending",
            "none is signed",
        ),
        (merge(HOOK, {"clientConfig": {"caBundle": "Cg=="}}), [SLICE], SERVING, "pending", "is no certificate"),
        (
            merge(HOOK, {"clientConfig": {"service": None, "url": "https://x"}}),
            [SLICE],
            SERVING,
            "pending",
            "leads out",
        ),
    ],
    ids=[
        "good",
        "not-ready",
        "no-slice",
        "no-limit",
        "least",
        "most",
        "beyond",
        "expired",
        "expiring",
        "stranger",
        "newline",
        "outside",
    ],
)
def test_a_webhook_can_be_answered(
    hook: Object, slices: list[Object], served: x509.Certificate, state: str, words: str
) -> None:
    secret = {"data": {"tls.crt": pki.pem(served), "other": b64encode(b"x").decode()}}
    verdict = evaluate_hook(hook, slices, [secret], NOW)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_whose_webhooks_are_meant_is_said() -> None:
    assert CanBeAnswered(("kyverno", "kserve")).description.startswith(
        "each webhook of kyverno, kserve that fails closed"
    )
    assert CanBeAnswered().description.startswith("each webhook that fails closed")
