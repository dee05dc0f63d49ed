"""Objects with one change: the data makes sense, and who says something else than the API server is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from stages import DEFINITIONS

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ConditionTimeout
from neuroscale.gate import one_change
from neuroscale.gate.one_change import Changed
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.admission import AdmissionResponse
from neuroscale.kubernetes.refs import Object
from neuroscale.results import Recorder, Sample
from suite.mutants.agreement import MUTANTS

(_MUTANT,) = (one for one in MUTANTS if one.slug == "agreement-not-validated")
_SAID = 'spec.template.spec.containers[0].env[0].name: Invalid value: "1 A"'


def test_each_change_makes_another_object_of_a_kind_that_there_is() -> None:
    found = one_change.objects()
    good = {name: obj for name, obj in found.items() if name.endswith(", as it is")}
    assert sorted(obj["kind"] for obj in good.values()) == ["CronJob", "Deployment", "Job", "Service", "StatefulSet"]
    changed = [obj for name, obj in found.items() if name not in good]
    assert len(changed) >= 150
    assert all(obj not in good.values() for obj in changed)
    assert all(changed.count(obj) == 1 for obj in changed)


class Api:
    """An API server with something against some names of variables, as the schemas have against nothing."""

    def list(self, kind: str) -> list[Object]:
        assert kind == "CustomResourceDefinition"
        return list(DEFINITIONS)

    def create(self, obj: Object, *, dry_run: bool, strict: bool) -> None:
        assert dry_run
        assert strict
        if "1 A" in str(obj):
            raise ApiError(_SAID, status=422, reason="Invalid")


@pytest.fixture
def judge(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Changed]]:
    every = one_change.objects()
    some = {name: every[name] for name in ("Deployment, as it is", "Deployment, env bad name")}
    monkeypatch.setattr(one_change, "objects", lambda: some)
    kept: list[Sample] = []
    return lambda: one_change.judge_changes(tools, cast("Cluster", Api()), Recorder("a scenario", kept.append))


def test_what_only_the_api_server_rejects_is_told(judge: Callable[[], list[Changed]]) -> None:
    """The stand-in for the engine knows nothing of it, as the mutant would have it."""
    good, bad = judge()
    assert (good.gate, good.invalid, bad.gate, bad.invalid) == ((), False, (), True)
    with pytest.raises(ConditionTimeout) as error:
        one_change.assert_same([good, bad], 1)
    assert re.search(_MUTANT.reason, str(error.value)), str(error.value)


INVALID = AdmissionResponse("rejected otherwise", frozenset(), "spec: no", invalid=True)
NOT_ALLOWED = AdmissionResponse("rejected otherwise", frozenset(), "exceeded quota")
ADMITTED = AdmissionResponse("admitted", frozenset(), "")


@pytest.mark.parametrize(
    ("gate", "live", "at_least", "said"),
    [
        (("spec: no",), INVALID, 1, ""),
        ((), ADMITTED, 0, ""),
        ((), NOT_ALLOWED, 0, ""),
        ((), INVALID, 1, "the gate finds nothing, the API server says: spec: no"),
        (("spec: no",), ADMITTED, 0, "the gate says: spec: no, the API server: it is admitted"),
        (("spec: no",), NOT_ALLOWED, 0, "the gate says: spec: no, the API server: exceeded quota"),
        (("spec: no",), INVALID, 2, "1 are invalid for the API server, and at least 2 should be"),
        ((), ADMITTED, 1, "0 are invalid for the API server, and at least 1 should be"),
    ],
)
def test_both_must_find_the_same_and_enough(gate: Any, live: AdmissionResponse, at_least: int, said: str) -> None:
    changed = [Changed("one", gate, live)]
    if not said:
        one_change.assert_same(changed, at_least)
        return
    with pytest.raises(ConditionTimeout, match=re.escape(said)):
        one_change.assert_same(changed, at_least)
