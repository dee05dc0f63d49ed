"""What the gate and the oracle say of the corpus beside what a stand-in for the API server answers, and each mutant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.errors import ApiError, ConditionTimeout
from neuroscale.gate import live_admission
from neuroscale.gate.live_admission import Judgement, expected_outcome
from neuroscale.gate.schema import WEBHOOK
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.admission import answer_to
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.guardrails.oracle import LABELS, ROOT_USER, TAG, evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.results import Recorder, Sample
from suite.mutants import Mutant
from suite.mutants.agreement import MUTANTS

#: What the stand-ins can render and judge: of each stage, with several objects, and in a namespace that there is not.
NAMED = (
    "deployment", "second-of-two", "several-documents", "may-be-root", "job-root", "latest", "owner-missing", "stable",
    "misspelt-field", "unknown-kind", "mount-of-nothing", "other-namespace", "name-of-no-application", "empty-file",
    "too-many-replicas",
)  # fmt: skip
OF_THE_CORPUS = [one for one in MUTANTS if one.scenario.startswith("The corpus ")]
#: Of stage "schema".
INVALID = {"misspelt-field", "mount-of-nothing", "unknown-kind"}


class Admission:
    """An API server that rejects what does not fit, and what the oracle rejects."""

    def __init__(self) -> None:
        self.asked: list[Object] = []
        self.blind: set[str] = set()

    def list(self, kind: str) -> list[Object]:
        assert kind == "Namespace"
        return [{"metadata": {"name": name}} for name in ("argocd", "default")]

    def create(self, obj: Object, *, dry_run: bool, strict: bool) -> None:
        assert dry_run
        assert strict
        self.asked.append(obj)
        name = obj["metadata"]["name"]
        if name in INVALID:
            raise ApiError("no such field", status=400, reason="BadRequest")
        if (policies := evaluate(obj)) and not (obj["kind"] in self.blind and ROOT_USER in policies):
            raise denied(*policies)


def denied(*policies: str) -> ApiError:
    said = ", ".join(
        f"ValidatingAdmissionPolicy '{one}' with binding '{one}' denied request: a-rule: no" for one in policies
    )
    return ApiError(said, status=422, reason="Invalid")


@pytest.fixture
def admission() -> Admission:
    return Admission()


@pytest.fixture
def kept() -> list[Sample]:
    return []


@pytest.fixture
def judge(
    admission: Admission, kept: list[Sample], tools: Tools, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[Judgement]]:
    chosen = [one for one in specimens() if one.name in NAMED]
    assert len(chosen) == len(NAMED)
    monkeypatch.setattr(live_admission, "specimens", lambda: chosen)
    _about_everything(checkout)
    platform = cast("Platform", SimpleNamespace(cluster=admission))
    recorder = Recorder("a scenario", kept.append)
    return lambda: live_admission.judge_corpus(tools, checkout, platform, recorder)


def _about_everything(checkout: Path) -> None:
    """The stand-in's policies speak of all kinds, as those of the platform."""
    file = checkout / "bootstrap/policies/policies.yaml"
    text = file.read_text(encoding="utf-8").replace("- deployments\n", "- '*'\n")
    file.write_text(text.replace("- apps\n", "- '*'\n"), encoding="utf-8")


def test_each_object_is_submitted_once_and_counted(
    judge: Callable[[], list[Judgement]], admission: Admission, kept: list[Sample]
) -> None:
    judgements = judge()
    live_admission.assert_agreement(judgements)
    live_admission.assert_as_the_corpus_says(judgements)
    assert [one.obj for one in judgements] == admission.asked
    (sample,) = kept
    stages = {"good": 2, "schema": 3, "appproject": 2, "policy": 6, "resources": 1}
    assert sample.facts == {"objects": len(judgements), **stages}
    # What a dry run makes is not there for the next object.
    found = {one.obj["kind"]: one.obj["metadata"] for one in judgements if one.specimen.name == "other-namespace"}
    assert found["Deployment"]["namespace"] == "default"
    assert "namespace" not in found["Namespace"]
    assert len(judgements) > sum(stages.values()) == len(NAMED) - 1


BY_NAME = {one.name: one for one in specimens()}
OBJECT: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "it", "namespace": "default"}}


def one_object(name: str, answer: ApiError | None, *, gate: str = "", oracle: str = "") -> Judgement:
    """As if it were all of a specimen."""
    specimen = BY_NAME[name]
    invalid = frozenset({specimen.rule} if specimen.stage == "schema" else ())
    by_gate, by_oracle = (frozenset(filter(None, [one])) for one in (gate or oracle, oracle))
    return Judgement(specimen, OBJECT, invalid, by_gate, by_oracle, answer_to(answer))


ROOT, BAD, GOOD = "may-be-root", "misspelt-field", "deployment"
AWAY = ApiError('failed calling webhook "a": no endpoints', status=500, reason="InternalError")
QUOTA = ApiError("exceeded quota", status=403, reason="Forbidden")
NOT_SERVED, NOT_THERE = (ApiError("not found", status=404, reason=reason) for reason in ("NoSuchKind", "NotFound"))


@pytest.mark.parametrize(
    ("judgement", "told"),
    [
        (one_object(GOOD, None), ""),
        (one_object(GOOD, denied(TAG)), "should be admitted (nothing), but is rejected by policy: ValidatingAdm"),
        (one_object(GOOD, QUOTA), "should be admitted (nothing), but is rejected otherwise: exceeded quota"),
        (one_object(ROOT, denied(ROOT_USER), oracle=ROOT_USER), ""),
        (one_object(ROOT, None, oracle=ROOT_USER), f"should be rejected by policy ({ROOT_USER}), but is admitted: "),
        (one_object(ROOT, QUOTA, oracle=ROOT_USER), f"should be rejected by policy ({ROOT_USER}), but is rejected oth"),
        (one_object(ROOT, denied(ROOT_USER, TAG), oracle=ROOT_USER), f"rejected by {TAG}, the oracle says {ROOT_USER}"),
        (one_object(ROOT, None, gate=TAG, oracle=ROOT_USER), f"the gate rejects it by {TAG}, the oracle by"),
        (one_object(BAD, ApiError("no field", status=400, reason="BadRequest")), ""),
        (one_object(BAD, ApiError("no field", status=422, reason="Invalid")), ""),
        (one_object(BAD, NOT_SERVED), ""),
        (one_object(BAD, None), "should be rejected otherwise (invalid), but is admitted: "),
        (one_object(BAD, denied(LABELS)), "should be rejected otherwise (invalid), but is rejected by policy: Val"),
        (one_object(BAD, QUOTA), "should be invalid (invalid), but is rejected for something else: exceeded quota"),
        (one_object(BAD, NOT_THERE), "should be invalid (invalid), but is rejected for something else: not found"),
        (one_object(BAD, AWAY), "should be rejected otherwise (invalid), but is rejected because a webhook is away"),
        (one_object("too-many-replicas", QUOTA), "should be admitted (nothing), but is rejected otherwise: exceeded"),
    ],
)  # fmt: skip
def test_what_is_not_said_alike_is_told_by_specimen(judgement: Judgement, told: str) -> None:
    said = live_admission.disagreement(judgement)
    assert bool(said) == bool(told), said
    assert told in said
    if told:
        with pytest.raises(ConditionTimeout, match=rf"on 1 objects, but 1 are wrong: {judgement.specimen.name}, Depl"):
            live_admission.assert_agreement([judgement])


def test_each_stage_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    few = [BY_NAME[name] for name in (ROOT, "job-root", BAD, GOOD, "too-many-replicas", "empty-file")]
    monkeypatch.setattr(live_admission, "specimens", lambda: few)
    no = denied(ROOT_USER)
    judgements = [one_object(name, no) for name in (ROOT, "job-root", BAD)]
    judgements += [one_object(name, None) for name in ("job-root", GOOD, "too-many-replicas")]
    live_admission.assert_as_the_corpus_says(judgements)
    with pytest.raises(ConditionTimeout, match="stage policy: 1 submitted and 1 rejected, for 2 and 2"):
        live_admission.assert_as_the_corpus_says(judgements[1:])
    with pytest.raises(ConditionTimeout, match="stage resources: 1 submitted and 1 rejected, for 1 and 0"):
        live_admission.assert_as_the_corpus_says([*judgements, one_object("too-many-replicas", no)])
    with pytest.raises(ConditionTimeout, match="nothing of stage render should be submitted"):
        live_admission.assert_as_the_corpus_says([*judgements, one_object("empty-file", no)])


def test_nothing_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_admission, "specimens", list[Specimen])
    for verb in (live_admission.assert_agreement, live_admission.assert_as_the_corpus_says):
        with pytest.raises(ConditionTimeout, match="there is nothing to compare"):
            verb([])


@pytest.mark.parametrize(
    ("invalid", "policies", "outcome"),
    [
        ((), (), "admitted"),
        ((), (TAG,), "rejected by policy"),
        (("invalid",), (TAG,), "rejected otherwise"),
        (("unknown-kind",), (), "rejected otherwise"),
        ((WEBHOOK,), (), "rejected otherwise"),
        # Policies are asked before webhooks are.
        ((WEBHOOK,), (TAG,), "rejected by policy"),
    ],
)
def test_who_has_the_last_word(invalid: tuple[str, ...], policies: tuple[str, ...], outcome: str) -> None:
    assert expected_outcome(invalid, policies) == outcome


@pytest.mark.parametrize("mutant", OF_THE_CORPUS, ids=lambda mutant: mutant.slug)
def test_each_mutant_is_caught_for_its_reason(
    mutant: Mutant, judge: Callable[[], list[Judgement]], admission: Admission
) -> None:
    wires: list[Any] = [fault for fault in mutant.faults if isinstance(fault, FunctionPatched)]
    for wire in wires:
        wire.inject(cast("Platform", None), {})
    if not wires:
        admission.blind = {"Job"}
    try:
        judgements = judge()
    finally:
        for wire in wires:
            wire.revert(cast("Platform", None), {})
    later = mutant.red_step.startswith("of each stage")
    if later:
        live_admission.assert_agreement(judgements)
    with pytest.raises(ConditionTimeout) as error:
        (live_admission.assert_as_the_corpus_says if later else live_admission.assert_agreement)(judgements)
    assert re.search(mutant.reason, str(error.value)), str(error.value)
