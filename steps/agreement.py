"""What the gate and the oracle say of the corpus, and what the live API server answers to it."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import parsers, then, when

from neuroscale.gate import live_admission, one_change
from neuroscale.gate.live_admission import Judgement
from neuroscale.gate.one_change import Changed
from neuroscale.gate.tools import Tools
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@when("every object of the corpus is judged by the gate and submitted in a dry run", target_fixture="judgements")
def every_object_is_judged(tools: Tools, checkout: Path, platform: Platform, recorder: Recorder) -> list[Judgement]:
    return live_admission.judge_corpus(tools, checkout, platform, recorder)


@then("admission, the gate and the oracle agree on each object")
def all_agree(judgements: list[Judgement]) -> None:
    live_admission.assert_agreement(judgements)


@then("of each stage as many manifests were submitted and rejected as the corpus says")
def as_the_corpus_says(judgements: list[Judgement]) -> None:
    live_admission.assert_as_the_corpus_says(judgements)


@when("good objects with one change each are judged by the gate and submitted in a dry run", target_fixture="changed")
def changed_objects_are_judged(tools: Tools, platform: Platform, recorder: Recorder) -> list[Changed]:
    return one_change.judge_changes(tools, platform.cluster, recorder)


@then(parsers.parse("at least {count:d} of them are invalid, the same for the gate and the API server"))
def the_same_are_invalid(changed: list[Changed], count: int) -> None:
    one_change.assert_same(changed, count)
