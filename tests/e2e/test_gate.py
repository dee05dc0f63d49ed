"""The CI gate with its real tools: on this checkout, on the corpus, and beside the oracle. Needs no cluster.

``pytest -m gate``
"""

from __future__ import annotations

import copy
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workloads import flawed

from neuroscale.errors import Inconclusive, SupplyError
from neuroscale.gate import corpus_check, policy
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.pipeline import pass_through, rendered
from neuroscale.gate.tools import Tools, provide
from neuroscale.guardrails import corpus
from neuroscale.guardrails.oracle import POLICIES, ROOT_USER, evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents
from neuroscale.settings import ROOT

pytestmark = pytest.mark.gate
CHART, VALUES = "infrastructure/backstage/chart", ROOT / "infrastructure" / "backstage"
ALL = {one.name: one for one in corpus.specimens()}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return provide()


@pytest.fixture(scope="module")
def tree(tools: Tools) -> Places:
    """All that this checkout makes, upstream's real manifests included."""
    places, findings = rendered(tools)
    assert findings == []
    return places


@pytest.fixture(scope="module")
def policies(tree: Places) -> Places:
    """The policies, and the definitions of all kinds."""
    wanted = ("ValidatingPolicy", "CustomResourceDefinition")
    return {"policies": [obj for objects in tree.values() for obj in objects if obj["kind"] in wanted]}


def test_this_checkout_passes_in_twenty_seconds(tools: Tools) -> None:
    result = pass_through(tools, "HEAD")
    assert result.findings == []
    assert result.rendered == result.validated > 200
    assert set(result.evaluated) == set(POLICIES)
    assert sum(result.seconds.values()) <= 20, result.seconds


# --- the portal's chart


def test_the_chart_is_what_the_fast_tier_takes_it_for(tree: Places) -> None:
    """The fast tier has no Helm. Next: helm template, as below, into that file."""
    assert tree[CHART] == documents((ROOT / "tests" / "data" / "backstage-chart.yaml").read_text(encoding="utf-8"))


def test_production_lets_no_guest_in_and_sends_nobody_to_the_database_of_a_trial(tools: Tools) -> None:
    objects = tools.chart(ROOT / CHART, [VALUES / "values-prod.yaml"])
    (config,) = [obj for obj in objects if obj["metadata"]["name"] == "backstage-config"]
    said = yaml.safe_load(config["data"]["app-config.yaml"])
    assert set(said["auth"]["providers"]) == {"oidc"}
    assert "dangerously" not in str(objects)
    assert [obj["kind"] for obj in objects if obj["kind"] == "StatefulSet"] == []
    secrets = re.findall(r"(?:password|[sS]ecret): (\S+)", config["data"]["app-config.yaml"])
    assert secrets
    assert all(value.startswith("${") for value in secrets)


@pytest.mark.parametrize("wrong", ["resources: {}", "backstage: {resources: {limits: {}}, resourcs: {}}", "image: {}"])
def test_values_in_the_wrong_place_are_refused(wrong: str, tools: Tools, tmp_path: Path) -> None:
    """Helm takes no notice of them without a schema (incident C4)."""
    (tmp_path / "values.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(SupplyError, match="don't meet the specifications of the schema"):
        tools.chart(ROOT / CHART, [VALUES / "values.yaml", tmp_path / "values.yaml"])


# --- the corpus


@pytest.fixture(scope="module")
def verdicts(tools: Tools, tree: Places) -> dict[str, list[Finding]]:
    return corpus_check.verdicts(tools, tree, ALL.values())


@pytest.mark.parametrize("name", ALL)
def test_each_specimen_is_refused_by_its_stage_and_rule_or_passes(
    name: str, verdicts: dict[str, list[Finding]]
) -> None:
    assert corpus_check.mistake(ALL[name], verdicts[name]) == ""


# --- the oracle


@settings(max_examples=15, deadline=None)
@given(made=st.lists(flawed(), min_size=8, max_size=12))
def test_the_cli_and_the_oracle_agree(made: list[tuple[Object, set[str]]], tools: Tools, policies: Places) -> None:
    """On generated workloads; what they disagree about is shrunk and printed as a manifest."""
    named: list[Object] = []
    for index, (obj, broken) in enumerate(made):
        copied = copy.deepcopy(obj)
        copied["metadata"] |= {"name": f"generated-{index}", "namespace": "default"}
        named.append(copied)
        assert {*evaluate(copied)} == broken, f"the oracle contradicts the generator:\n{yaml.safe_dump(copied)}"
    assert disagreement(tools, policies, named) == ""


def disagreement(tools: Tools, policies: Places, objects: list[Object]) -> str:
    """What the CLI and the oracle say of the first object about which they say different things."""
    results = policy.simulate(tools.kyverno, {**policies, "generated": objects})
    assert Counter(one.outcome for one in results).keys() <= {"pass", "fail"}
    rejected: dict[policy.Key, set[str]] = defaultdict(set)
    for result in results:
        if result.outcome == "fail":
            rejected[result.subject].add(result.policy)
    for obj in objects:
        said, expected = rejected[policy.key_of(obj)], {*evaluate(obj)}
        if said != expected:
            return f"the CLI rejects for {said}, the oracle for {expected}:\n{yaml.safe_dump(obj)}"
    return ""


def test_a_disagreement_would_be_seen(tools: Tools, policies: Places) -> None:
    """With one policy less the CLI says less than the oracle."""
    fewer = {"policies": [obj for obj in policies["policies"] if obj["metadata"]["name"] != ROOT_USER]}
    obj = yaml.safe_load(ALL["may-be-root"].path.read_text(encoding="utf-8"))
    assert disagreement(tools, policies, [obj]) == ""
    assert disagreement(tools, fewer, [obj]).startswith(f"the CLI rejects for set(), the oracle for {{'{ROOT_USER}'}}")


def test_a_kind_without_definition_is_no_verdict(tools: Tools, tree: Places) -> None:
    """The CLI ends at the first object of a kind that it does not know."""
    undefined = {
        place: [obj for obj in objects if obj["kind"] != "CustomResourceDefinition"] for place, objects in tree.items()
    }
    with pytest.raises(Inconclusive, match="failed to map"):
        policy.simulate(tools.kyverno, policy.placed(undefined))
