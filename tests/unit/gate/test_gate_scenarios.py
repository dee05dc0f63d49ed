"""The gate's scenarios on a small repository with a stand-in for the CLI, and each of its mutants with the real step.

The kill matrix in miniature: what a mutant breaks, and which words give it away, does not depend on the real tools.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import isfunction, signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_bdd.parser import FeatureParser, Step
from pytest_bdd.steps import step_function_context_registry
from small_tree import policy, write
from stages import definition

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.errors import ConditionTimeout, NeuroscaleError
from neuroscale.gate import assertions, legacy_checks, workflow_job
from neuroscale.gate import corpus_check as judging
from neuroscale.gate.tools import Tools
from neuroscale.guardrails import corpus
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.platform import Platform
from neuroscale.settings import ROOT
from steps import gate as gate_steps
from suite.catalogue import FEATURES
from suite.mutants import Mutant, gate, prices
from suite.mutants.gate_d import MUTANTS as GATE_MUTANTS

NOWHERE: Platform = None  # type: ignore[assignment]
_OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
#: Manifests of the corpus for each rule, and those that a mutant's reason names.
_FEW = 3
_ASKED_FOR = {"misspelt-field", "second-of-two"}
Hook = Callable[[Step], None]


def runs() -> Iterator[tuple[str, str, list[Step]]]:
    """Scenario, example, steps."""
    for file in ("milestone_d_guardrails/gate.feature", "incidents/gate.feature"):
        for template in FeatureParser(str(FEATURES), file).parse().scenarios.values():
            for context in [one for table in template.examples for one in table.as_contexts()] or [{}]:
                yield template.name, ", ".join(context.values()), list(template.render(context).steps)


ALL = list(runs())
DEFINED = [one for one in step_function_context_registry.values() if one.step_func.__module__ == gate_steps.__name__]


@pytest.fixture(scope="module")
def here() -> list[Specimen]:
    """The stand-in names no rules inside a policy, there is no Helm, and what does not render Argo CD says."""
    return [
        replace(one, detail="")
        for one in corpus.specimens()
        if one.needs in ("", "gate-engine") and one.stage != "render"
    ]


@pytest.fixture
def repository(checkout: Path, here: list[Specimen], monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the policies as the platform has them, one file each, and all that the corpus needs beside it."""
    folder = checkout / "bootstrap/policies"
    (folder / "policies.yaml").unlink()
    for name in POLICIES:
        about_all = policy(name)
        about_all["spec"]["matchConstraints"]["resourceRules"] = [{"apiGroups": ["*"], "resources": ["*"]}]
        write(folder / f"{name}.yaml", about_all)
    files = {"kind": "Kustomization", "apiVersion": "kustomize.config.k8s.io/v1beta1"}
    write(folder / "kustomization.yaml", {**files, "resources": [f"{name}.yaml" for name in POLICIES]})
    shutil.copytree(ROOT / "infrastructure/kserve", checkout / "bootstrap/kserve")
    serving = [
        definition("serving.kserve.io", "v1alpha1", kind, _OPEN, "Cluster")
        for kind in ("ClusterServingRuntime", "ClusterStorageContainer")
    ]
    write(checkout / "bootstrap/definitions/serving.yaml", *serving)
    shutil.copyfile(ROOT / "apps/demo-iris-2/inference-service.yaml", _made(checkout / "apps/a-model") / "model.yaml")
    monkeypatch.setattr(corpus, "specimens", lambda: list(here))
    monkeypatch.setattr(judging, "specimens", lambda: few_for_each_rule(here))
    return checkout


def few_for_each_rule(specimens: list[Specimen]) -> list[Specimen]:
    """All are judged once, in ``test_corpus.py``; here nearly each test judges these."""
    of_rule = Counter[tuple[str, str]]()
    chosen = []
    for one in specimens:
        of_rule[one.stage, one.rule] += 1
        if of_rule[one.stage, one.rule] <= _FEW or one.name in _ASKED_FOR:
            chosen.append(one)
    return chosen


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def walk(steps: list[Step], known: dict[str, Any], before: Hook = lambda _: None) -> tuple[str, str]:
    """Take the steps as pytest-bdd would: the one that failed, and why; nothing: none did."""
    for step in steps:
        before(step)
        (context,) = (one for one in DEFINED if one.type == step.type and one.parser.is_matching(step.name))
        given = {**known, **(context.parser.parse_arguments(step.name) or {})}
        try:
            result = context.step_func(**{name: given[name] for name in signature(context.step_func).parameters})
        except NeuroscaleError as error:
            return step.name, str(error)
        if context.target_fixture:
            known[context.target_fixture] = result
    return "", ""


@pytest.fixture
def known(repository: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What steps may ask for."""
    monkeypatch.setattr(gate_steps, "provide", lambda: tools)
    with assertions.copied(repository) as copy:
        yield {"checkout": repository, "copy": copy}


@pytest.mark.parametrize(("scenario", "example", "steps"), ALL, ids=[f"{name}-{example}" for name, example, _ in ALL])
def test_each_scenario_passes_on_a_small_repository(
    scenario: str, example: str, steps: list[Step], known: dict[str, Any]
) -> None:
    assert walk(steps, known) == ("", "")


@pytest.mark.parametrize("mutant", GATE_MUTANTS, ids=lambda mutant: mutant.slug)
def test_each_mutant_is_caught_in_its_step_for_its_reason(
    mutant: Mutant, known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (steps,) = (steps for name, example, steps in ALL if name == mutant.scenario and example.startswith(mutant.example))
    _hasten(monkeypatch)

    def break_it(step: Step) -> None:
        if step.name == mutant.before:
            for fault in mutant.faults:
                fault.inject(NOWHERE, {})
                assert fault.verify_injected(NOWHERE, {}, ())

    try:
        step, why = walk(steps, known, break_it)
    finally:
        for fault in mutant.faults:
            fault.revert(NOWHERE, {})
    assert step == mutant.red_step, why
    assert re.search(mutant.reason, why.split("\n")[0]), why
    assert not any(fault.verify_injected(NOWHERE, {}, ()) for fault in mutant.faults)


def test_a_fix_on_paper_and_a_fix_in_the_job_are_told_apart(
    known: dict[str, Any], tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first half of incident E1; the second runs the real workflow."""
    added = legacy_checks.add_two_manifests(known["copy"])
    workflow_job.is_fixed_on_paper_only(tools, known["copy"], added)
    monkeypatch.setattr(workflow_job, "drifted_workflow", prices.fixed_workflow)
    with pytest.raises(ConditionTimeout, match="exit code 1 as documented and 1 in the job"):
        workflow_job.is_fixed_on_paper_only(tools, known["copy"], added)


def test_each_replacement_is_used() -> None:
    """By a mutant of milestone D; those that are functions of this module are meant to be."""
    functions = {
        name
        for name, value in vars(gate).items()
        if isfunction(value) and value.__module__ == gate.__name__ and not name.startswith("_")
    }
    faults = [fault for mutant in GATE_MUTANTS for fault in mutant.faults]
    assert {fault.replacement.partition(":")[2] for fault in faults if isinstance(fault, FunctionPatched)} == functions


def _hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the gate's clock go on instead of waiting."""
    waited: list[float] = []
    monkeypatch.setattr(gate, "pause", waited.append)
    monkeypatch.setattr(assertions, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + sum(waited)))
