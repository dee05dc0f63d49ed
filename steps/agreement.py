"""What the gate and the oracle say of the corpus, and what the live API server answers to it."""

from __future__ import annotations

from pathlib import Path

from pytest_bdd import then, when

from neuroscale.gate import live_admission
from neuroscale.gate.live_admission import Judgement
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
