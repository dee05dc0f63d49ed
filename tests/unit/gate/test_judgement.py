"""What was rendered, judged by its own rules and by those that hold already; each of them can be the stricter one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_engine import LOOSENED, TAG
from stages import TOY, tree_of

from neuroscale.errors import Inconclusive
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.judgement import GateResult, judge
from neuroscale.gate.render import render
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.refs import Object

Change = Callable[[Places], None]
APP = "apps/test-app"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "stolen"}}
UNTAGGED = ("policy", TAG, "apps/test-app: Deployment default/nginx-test")
FORBIDDEN = ("appproject", "not-permitted", "apps/test-app: Secret stolen")


@pytest.fixture(scope="module")
def rendered(committed: Path) -> Places:
    """The small repository's objects."""
    tree, findings = render(TOY, committed)
    assert findings == []
    return dict(tree.places)


@pytest.fixture
def proposed(rendered: Places) -> dict[str, list[Object]]:
    """What a test changes."""
    return copy.deepcopy(dict(rendered))


def of_kind(places: Places, kind: str) -> list[Object]:
    return [obj for objects in places.values() for obj in objects if obj["kind"] == kind]


def without_policies(places: Places) -> dict[str, list[Object]]:
    """As a platform has it whose guardrails were never installed."""
    return {
        place: kept
        for place, objects in places.items()
        if (kept := [obj for obj in objects if obj["kind"] != "ValidatingPolicy"])
    }


def untag(places: Places) -> None:
    (deployment,) = of_kind(places, "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx"


def loosen_tags(places: Places) -> None:
    (policy,) = (one for one in of_kind(places, "ValidatingPolicy") if one["metadata"]["name"] == TAG)
    policy["metadata"]["annotations"] = {LOOSENED: "true"}


def plant_secret(places: dict[str, list[Object]]) -> None:
    places[APP].append(copy.deepcopy(SECRET))


def allow_secrets(places: Places) -> None:
    (project,) = (one for one in of_kind(places, "AppProject") if one["metadata"]["name"] == "neuroscale-models")
    project["spec"]["namespaceResourceWhitelist"].append({"group": "", "kind": "Secret"})


def remove_policy(places: dict[str, list[Object]]) -> None:
    for place, objects in places.items():
        places[place] = [obj for obj in objects if obj["metadata"]["name"] != TAG]


def found(
    tools: Tools, places: Places, standards: Places | None = None, *, policies_expected: bool = True
) -> list[tuple[str, str, str]]:
    result, before = GateResult(tree_of(places)), None if standards is None else tree_of(standards)
    judge(tools.judge, result, before, policies_expected=policies_expected)
    return [(one.stage, one.rule, one.where) for one in result.findings]


def test_what_complies_with_both_is_good(proposed: Places, rendered: Places, tools: Tools) -> None:
    result = GateResult(tree_of(proposed))
    places = judge(tools.judge, result, tree_of(rendered))
    assert result.findings == []
    assert result.evaluated == {name: 1 for name in POLICIES if name != POLICIES[0]}, "counted once, not twice"
    assert result.validated == result.rendered == sum(map(len, rendered.values()))
    assert [obj["metadata"]["namespace"] for obj in of_kind(places, "Deployment")] == ["default"]
    assert set(result.seconds) == {"schema", "appproject", "policy", "resources"}


@pytest.mark.parametrize("case", [(untag, loosen_tags, UNTAGGED), (plant_secret, allow_secrets, FORBIDDEN)])
def test_what_a_change_breaks_is_found_once_whoever_of_the_two_forbids_it(
    case: tuple[Change, Change, tuple[str, str, str]], proposed: Places, rendered: Places, tools: Tools
) -> None:
    breaks, loosens, expected = case
    breaks(proposed)
    assert found(tools, proposed) == found(tools, proposed, rendered) == [expected]
    loosened = copy.deepcopy(dict(rendered))
    loosens(loosened)
    assert found(tools, proposed, loosened) == [expected], "the change makes its rules stricter"
    loosens(proposed)
    assert found(tools, proposed, rendered) == [expected], "the change loosens what it is judged by"
    assert found(tools, proposed) == found(tools, proposed, loosened) == []


def test_a_policy_that_a_change_removes_is_missed_and_judges_all_the_same(
    proposed: dict[str, list[Object]], rendered: Places, tools: Tools
) -> None:
    untag(proposed)
    remove_policy(proposed)
    assert set(found(tools, proposed, rendered)) == {UNTAGGED, ("policy", TAG, "the tree")}


def test_a_change_that_removes_all_policies_misses_each(proposed: Places, rendered: Places, tools: Tools) -> None:
    missed = {("policy", name, "the tree") for name in POLICIES}
    assert set(found(tools, without_policies(proposed), rendered, policies_expected=False)) == missed


def test_a_change_that_brings_the_first_policies_is_judged_by_them(
    proposed: Places, rendered: Places, tools: Tools
) -> None:
    untag(proposed)
    assert UNTAGGED in found(tools, proposed, without_policies(rendered), policies_expected=False)


@pytest.mark.parametrize("rules_change", [True, False])
def test_where_no_policies_are_expected_projects_judge(
    rules_change: bool, proposed: dict[str, list[Object]], rendered: Places, tools: Tools
) -> None:
    """A platform without the guardrails' milestone."""
    standards = without_policies(rendered) if rules_change else None
    assert found(tools, without_policies(proposed), standards, policies_expected=False) == []
    plant_secret(proposed)
    assert found(tools, without_policies(proposed), standards, policies_expected=False) == [FORBIDDEN]
    assert {("policy", name, "the tree") for name in POLICIES} < set(found(tools, without_policies(proposed)))


@pytest.mark.parametrize("standards", [True, False])
def test_a_tool_that_fails_is_no_verdict(standards: bool, proposed: Places, rendered: Places, tools: Tools) -> None:
    tools.judge.program.with_name("mode").write_text("crash", encoding="utf-8")
    with pytest.raises(Inconclusive, match="object 0: no kind"):
        found(tools, proposed, rendered if standards else None)


def test_a_tree_without_objects_is_no_verdict(rendered: Places, tools: Tools) -> None:
    with pytest.raises(Inconclusive, match="makes none"):
        found(tools, {"apps/empty": []}, rendered, policies_expected=False)


def test_what_was_found_before_stays_and_all_is_sorted(proposed: Places, rendered: Places, tools: Tools) -> None:
    unreadable = Finding("render", "unreadable", "apps/other", "it should be YAML")
    untag(proposed)
    plant_secret(dict(proposed))
    result = GateResult(tree_of(proposed), findings=[unreadable])
    judge(tools.judge, result, tree_of(rendered))
    assert [finding.stage for finding in result.findings] == ["appproject", "policy", "render"]
    assert result.findings[-1] == unreadable
