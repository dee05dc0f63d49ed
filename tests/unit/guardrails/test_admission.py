"""Who said no, and for what."""

from __future__ import annotations

from itertools import cycle
from typing import cast

import pytest
import yaml

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.guardrails.admission import (
    AdmissionResponse,
    Denial,
    answer_to,
    answers_to,
    evaluate_specimen,
    for_admission,
    objects_of,
    specimen,
)
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.oracle import ROOT_USER

RULE = "check-runAsNonRoot-on-deployment"
BY_THE_API_SERVER = (
    'POST /apis/apps/v1/namespaces/default/deployments was answered 422 Invalid: deployments.apps "may-be-root" is '
    f"forbidden: ValidatingAdmissionPolicy '{ROOT_USER}' with binding '{ROOT_USER}' denied request: {RULE}: every "
    "container must have runAsNonRoot true, of its own or of its pod, but these have not: main."
)
BY_KYVERNO = (
    "POST /apis/apps/v1/namespaces/default/deployments was answered 400 BadRequest: admission webhook "
    f'"vpol.validate.kyverno.svc-fail-finegrained-{ROOT_USER}" denied the request: Policy {ROOT_USER} failed: {RULE}: '
    "every container must have runAsNonRoot true, of its own or of its pod, but these have not: main."
)
AWAY = (
    "POST /apis/apps/v1/namespaces/default/deployments was answered 500 InternalError: failed calling webhook "
    '"vpol.validate.kyverno.svc-fail": no endpoints available for service "kyverno-svc"'
)
QUOTA = 'POST /api/v1/pods was answered 403 Forbidden: pods "a" is forbidden: exceeded quota: default-namespace-quota'


def rejection(said: str) -> ApiError:
    return ApiError(said, status=422, reason="Invalid")


@pytest.mark.parametrize(
    ("said", "outcome", "denials"),
    [
        (BY_THE_API_SERVER, "rejected by policy", {Denial("the API server", ROOT_USER, RULE)}),
        (BY_KYVERNO, "rejected by policy", {Denial("Kyverno", ROOT_USER, RULE)}),
        (AWAY, "rejected because a webhook is away", set()),
        (QUOTA, "rejected otherwise", set()),
        (f"Policy {ROOT_USER} failed: {RULE}: says somebody else", "rejected otherwise", set()),
    ],
    ids=["api-server", "kyverno", "away", "quota", "words without a webhook"],
)
def test_who_said_no(said: str, outcome: str, denials: set[Denial]) -> None:
    answer = answer_to(rejection(said))
    assert (answer.outcome, set(answer.denials)) == (outcome, denials)


def test_no_refusal_is_admission() -> None:
    assert answer_to(None) == AdmissionResponse("admitted", frozenset(), "")


class Flapping:
    """A cluster whose webhook pods take turns."""

    def __init__(self, *said: str | None) -> None:
        self._said = cycle(said)

    def create(self, _: object, **__: object) -> None:
        if said := next(self._said):
            raise rejection(said)


@pytest.mark.parametrize("one", ["may-be-root", "deployment"])
@pytest.mark.parametrize("said", [(BY_THE_API_SERVER, None), (BY_THE_API_SERVER, BY_THE_API_SERVER, AWAY)], ids=len)
def test_what_is_not_always_said_is_not_believed(one: str, said: tuple[str | None, ...]) -> None:
    asked = specimen(one, good=one == "deployment")
    verdict = evaluate_specimen(asked, answers_to(asked, cast("Cluster", Flapping(*said))))
    assert verdict.state == "unrecoverable"
    assert "asked 3 times: rejected by policy: POST" in verdict.observed


def test_what_is_always_said_is_one_answer() -> None:
    asked = specimen("may-be-root", good=False)
    answers = answers_to(asked, cast("Cluster", Flapping(BY_THE_API_SERVER)))
    assert [(answer.outcome, answer.said) for answer in answers] == [("rejected by policy", BY_THE_API_SERVER)]
    assert evaluate_specimen(asked, answers).state == "met"


BAD, GOOD = specimen("may-be-root", good=False), specimen("deployment", good=True)


@pytest.mark.parametrize(
    ("one", "said", "enforcer", "state", "words"),
    [
        (GOOD, None, "the API server", "met", "is admitted"),
        (GOOD, QUOTA, "the API server", "unrecoverable", "exceeded quota"),
        (BAD, None, "the API server", "unrecoverable", "may-be-root: admitted"),
        (BAD, BY_THE_API_SERVER, "the API server", "met", f"rule {RULE}"),
        (BAD, BY_KYVERNO, "Kyverno", "met", f"rule {RULE}"),
        (BAD, BY_KYVERNO, "the API server", "unrecoverable", "rejected by Kyverno"),
        (BAD, AWAY, "the API server", "unrecoverable", "rejected because a webhook is away"),
        (BAD, QUOTA, "the API server", "unrecoverable", "rejected otherwise"),
        (BAD, BY_THE_API_SERVER.replace(RULE, "another"), "the API server", "unrecoverable", "rule another"),
    ],
)
def test_a_specimen_is_judged_by_its_page(
    one: Specimen, said: str | None, enforcer: str, state: str, words: str
) -> None:
    answer = answer_to(rejection(said) if said else None)
    verdict = evaluate_specimen(one, [answer], enforcer)  # type: ignore[arg-type]
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_there_are_enough_of_both_sorts() -> None:
    """25 good and 25 bad ones at least."""
    chosen = for_admission()
    assert sum(one.is_good for one in chosen) >= 25
    assert sum(not one.is_good for one in chosen) >= 25


def test_lists_are_taken_apart() -> None:
    one = specimen("list", good=True)
    assert yaml.safe_load(one.path.read_text(encoding="utf-8"))["kind"] == "List"
    assert [obj["kind"] for obj in objects_of(one)] == ["ConfigMap", "Deployment"]
