"""The CI gate with its real tools: on this checkout, on the corpus, and beside the oracle. Needs no cluster.

``pytest -m gate``
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from workloads import flawed, nulled

from neuroscale.errors import Inconclusive, SupplyError
from neuroscale.gate import api_validation, corpus_check, kyverno_cli, policy
from neuroscale.gate.findings import Finding, Places, Tree
from neuroscale.gate.pipeline import pass_through, rendered
from neuroscale.gate.placement import placed
from neuroscale.gate.render import without_nulls
from neuroscale.gate.tools import Tools, provide
from neuroscale.guardrails import corpus
from neuroscale.guardrails.oracle import POLICIES, ROOT_USER, TAG, evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents
from neuroscale.settings import ROOT

pytestmark = pytest.mark.gate
CHART, VALUES = "infrastructure/backstage/chart", ROOT / "infrastructure" / "backstage"
ALL = {one.name: one for one in corpus.specimens()}
TABLE = re.findall(
    r"^\| `(.+?)` \| (yes|no) \|", (ROOT / "docs/image-references.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.fixture(scope="module")
def tools() -> Tools:
    return provide()


@pytest.fixture(scope="module")
def tree(tools: Tools) -> Tree:
    """All that this checkout makes, upstream's real manifests included."""
    tree, findings = rendered(tools)
    assert findings == []
    return tree


@pytest.fixture(scope="module")
def policies(tree: Tree) -> Places:
    """The policies, and the definitions of all kinds."""
    wanted = ("ValidatingPolicy", "CustomResourceDefinition")
    return {"policies": [obj for objects in tree.places.values() for obj in objects if obj["kind"] in wanted]}


def test_this_checkout_passes_in_twenty_seconds(tools: Tools) -> None:
    result = pass_through(tools)
    assert result.findings == []
    assert result.rendered == result.validated > 200
    assert set(result.evaluated) == set(POLICIES)
    assert sum(result.seconds.values()) <= 20, result.seconds


# --- what the API server's own code has against objects


def defined(kind: str, root: Object) -> Object:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", **root}}}
    names = {"kind": kind, "plural": f"{kind.lower()}s"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": f"{names['plural']}.example.com"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec,
    }  # fmt: skip


SPEC: Object = {"type": "object", "properties": {"n": {"type": "integer"}, "names": {"type": "array"}}}
KEYED = {"items": {"type": "string"}, "type": "array", "x-kubernetes-list-type": "set"}
DEFINITIONS = [
    defined("Plain", {"properties": {"spec": SPEC}}),
    defined(
        "Ruled", {"properties": {"spec": SPEC | {"x-kubernetes-validations": [{"rule": "self.n > 1 && self.n < 9"}]}}}
    ),
    defined("Set", {"properties": {"spec": {"type": "object", "properties": {"names": KEYED}}}}),
    defined("Loose", {"properties": {"spec": SPEC}, "patternProperties": {"a": {"type": "string"}}}),
]


@pytest.mark.parametrize(
    ("kind", "spec", "said"),
    [
        ("Plain", {"n": 1}, ""),
        ("Ruled", {"n": 2}, ""),
        ("Ruled", {"n": 1}, 'spec: Invalid value: "object": failed rule: self.n > 1 && self.n < 9'),
        ("Set", {"names": ["a", "b"]}, ""),
        ("Set", {"names": ["a", "a"]}, 'spec.names[1]: Duplicate value: "a"'),
        ("Loose", {"n": 1}, "its definition should hold a structural schema, but: "),
    ],
)
def test_what_a_definition_says_counts_and_a_wrong_one_costs_its_own_objects_alone(
    kind: str, spec: Object, said: str, tools: Tools
) -> None:
    made = {"apiVersion": "example.com/v1", "metadata": {"name": "a"}}
    objects = [{**made, "kind": kind, "spec": spec}, {**made, "kind": "Plain", "spec": {}}]
    about, other = api_validation.complaints(tools.judge, objects, DEFINITIONS)
    assert other == []
    assert [one[: len(said)] for one in about] == ([said] if said else [])


# --- the portal's chart


def test_the_chart_is_what_the_fast_tier_takes_it_for(tree: Tree) -> None:
    """The fast tier has no Helm. Next: helm template, as below, into that file."""
    assert tree.places[CHART] == documents(
        (ROOT / "tests" / "data" / "backstage-chart.yaml").read_text(encoding="utf-8")
    )


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
def verdicts(tools: Tools, tree: Tree) -> dict[str, list[Finding]]:
    return corpus_check.verdicts(tools, tree, tuple(ALL.values()))


@pytest.mark.parametrize("name", ALL)
def test_each_specimen_is_refused_by_its_stage_and_rule_or_passes(
    name: str, verdicts: dict[str, list[Finding]]
) -> None:
    assert corpus_check.mistake(ALL[name], verdicts[name]) == ""


# --- the oracle, and both readers of the policies


@settings(max_examples=15, deadline=None)
@given(made=st.lists(flawed().flatmap(nulled), min_size=8, max_size=12))
def test_both_readers_and_the_oracle_agree(made: list[tuple[Object, set[str]]], tools: Tools, policies: Places) -> None:
    """On generated workloads; what they disagree about is shrunk and printed as a manifest."""
    named: list[Object] = []
    for index, (obj, broken) in enumerate(made):
        # As they come from the renderer.
        copied = without_nulls(obj)
        copied["metadata"] |= {"name": f"generated-{index}", "namespace": "default"}
        named.append(copied)
        assert {*evaluate(copied)} == broken, f"the oracle contradicts the generator:\n{yaml.safe_dump(copied)}"
    assert disagreement(tools, policies, named) == ""


def disagreement(tools: Tools, policies: Places, objects: list[Object]) -> str:
    """What the readers and the oracle say of the first object about which they say different things."""
    places = {**policies, "generated": objects}
    results = [one for one in policy.simulate(tools.judge, places) if one.place == "generated"]
    by_cli = kyverno_cli.simulate(tools.kyverno(), places)
    assert {*(one.outcome for one in results), *(one.outcome for one in by_cli)} <= {"pass", "fail"}
    rejected: dict[tuple[str, object], set[str]] = defaultdict(set)
    for result in (one for one in results if one.outcome == "fail"):
        rejected["engine", result.number].add(result.policy)
    for said in (one for one in by_cli if one.outcome == "fail"):
        rejected["CLI", said.subject].add(said.policy)
    for number, obj in enumerate(objects):
        expected = {*evaluate(obj)}
        for reader, key in (("engine", number), ("CLI", kyverno_cli.key_of(obj))):
            if rejected[reader, key] != expected:
                said_by = f"the {reader} rejects for {rejected[reader, key]}"
                return f"{said_by}, the oracle for {expected}:\n{yaml.safe_dump(obj)}"
    return ""


def test_a_disagreement_would_be_seen(tools: Tools, policies: Places) -> None:
    """With one policy less the readers say less than the oracle."""
    fewer = {"policies": [obj for obj in policies["policies"] if obj["metadata"]["name"] != ROOT_USER]}
    obj = yaml.safe_load(ALL["may-be-root"].path.read_text(encoding="utf-8"))
    assert disagreement(tools, policies, [obj]) == ""
    said = disagreement(tools, fewer, [obj])
    assert said.startswith(f"the engine rejects for set(), the oracle for {{'{ROOT_USER}'}}")


def test_references_are_taken_as_is_written_down(tools: Tools, policies: Places) -> None:
    pods = []
    for number, (reference, exact) in enumerate(TABLE):
        pod = yaml.safe_load(ALL["pod"].path.read_text(encoding="utf-8"))
        pod["metadata"] |= {"name": f"pod-{number}", "namespace": "default"}
        pod["spec"]["containers"][0]["image"] = reference
        assert (TAG in evaluate(pod)) is (exact == "no"), reference
        pods.append(pod)
    assert disagreement(tools, policies, pods) == ""


def test_a_kind_without_definition_is_no_verdict_of_the_cli(tools: Tools, tree: Tree) -> None:
    """It ends at the first object of a kind that it does not know."""
    undefined = {
        place: [obj for obj in objects if obj["kind"] != "CustomResourceDefinition"]
        for place, objects in placed(tree).items()
    }
    with pytest.raises(Inconclusive, match="failed to map"):
        kyverno_cli.simulate(tools.kyverno(), undefined)
