"""What a change takes out of the platform, and whether it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_tree import commit

from neuroscale.errors import ConditionTimeout, ExitCode, Inconclusive
from neuroscale.gate import bad_revert
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.findings import Finding, Places
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.pipeline import pass_through
from neuroscale.gate.removals import AT_MOST, FILE, check, meant
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object

QUOTA = "infrastructure/namespaces/default/resource-quota.yaml"


def one(name: str, kind: str = "ConfigMap", version: str = "v1", namespace: str = "default") -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def many(count: int) -> Places:
    return {"apps/a": [one(str(number)) for number in range(count)]}


def rules(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(found.stage, found.rule) for found in findings]


def test_as_much_as_an_app_may_go_and_no_more() -> None:
    assert check(many(AT_MOST), {}, ()) == []
    (found,) = check(many(AT_MOST + 1), {}, ())
    assert (found.stage, found.rule) == ("removal", "too-many")
    assert "but removes 6: apps/a: ConfigMap default/0" in found.description
    assert check(many(AT_MOST + 1), {}, ["apps/a"]) == []
    assert check(many(AT_MOST + 1), {}, ["ConfigMap 0"]) == []
    assert rules(check(many(AT_MOST + 1), {}, ["apps/b", "Secret 0"])) == [("removal", "too-many")]


@pytest.mark.parametrize("kind", ["CustomResourceDefinition", "ResourceQuota", "ValidatingPolicy", "ApplicationSet"])
def test_what_holds_others_goes_not_even_alone(kind: str) -> None:
    was: Places = {"infrastructure/x": [one("held", kind)]}
    assert rules(check(was, {}, ())) == [("removal", "holds-others")]
    assert check(was, {}, [f"{kind} held"]) == []
    assert check(was, was, ()) == []


def test_what_moves_or_gets_another_version_stays() -> None:
    was: Places = {"infrastructure/x": [one("q", "ApplicationSet", "argoproj.io/v1alpha1")]}
    assert check(was, {"infrastructure/y": [one("q", "ApplicationSet", "argoproj.io/v1")]}, ()) == []
    assert check(was, {"infrastructure/x": [one("q", "ApplicationSet", "else.io/v1")]}, ()) != []
    elsewhere: Places = {"infrastructure/x": [one("q", "ApplicationSet", "argoproj.io/v1", "other")]}
    assert check(was, elsewhere, ()) != []


def test_a_change_means_the_lines_that_it_adds(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        (folder / FILE).parent.mkdir(parents=True)
    assert meant(before, after) == set()
    (after / FILE).write_text("# a word\napps/a  # why\n\nResourceQuota q\n", encoding="utf-8")
    assert meant(before, after) == {"apps/a", "ResourceQuota q"}
    (before / FILE).write_text("apps/a\n", encoding="utf-8")
    assert meant(before, after) == {"ResourceQuota q"}
    (after / FILE).unlink()
    (after / FILE).symlink_to(before / FILE)
    assert meant(before, after) == set()


def without_quota(checkout: Path) -> None:
    kustomization = checkout / "infrastructure/namespaces/default/kustomization.yaml"
    text = kustomization.read_text(encoding="utf-8")
    kustomization.write_text(text.replace("  - resource-quota.yaml\n", ""), encoding="utf-8")
    (checkout / QUOTA).unlink()


def removals(result: GateResult) -> list[Finding]:
    return [found for found in result.findings if found.stage == "removal"]


def test_the_gate_compares_a_change_with_its_base(checkout: Path, tools: Tools) -> None:
    without_quota(checkout)
    assert removals(pass_through(tools, None, checkout)) == [], "it knows of no base"
    (found,) = removals(pass_through(tools, "main", checkout))
    assert "ResourceQuota default/default-namespace-quota" in found.where
    (checkout / FILE).write_text("ResourceQuota default-namespace-quota\n", encoding="utf-8")
    assert removals(pass_through(tools, "main", checkout)) == []
    commit(checkout)
    assert removals(pass_through(tools, "HEAD", checkout)) == []


def test_what_does_not_render_is_broken_and_not_removed(checkout: Path, tools: Tools) -> None:
    (checkout / QUOTA).write_text("kind: [", encoding="utf-8")
    result = pass_through(tools, "main", checkout)
    assert result.findings
    assert removals(result) == []


# --- incident F12


def test_a_revert_takes_away_what_was_there(tmp_path: Path) -> None:
    with pytest.raises((Inconclusive, FileNotFoundError)):
        bad_revert.revert(tmp_path)


def output(code: ExitCode, *found: Finding) -> GateOutput:
    return GateOutput(GateResult(findings=[*found]), code, tuple(map(str, found)), 1.0)


def test_a_refusal_is_of_the_quota_alone() -> None:
    quota = Finding("removal", "holds-others", "x: ResourceQuota default/default-namespace-quota", "gone")
    bad_revert.is_refused(output(ExitCode.FAILED, quota))
    for wrong in (
        output(ExitCode.PASSED),
        output(ExitCode.PASSED, quota),
        output(ExitCode.FAILED, quota, Finding("policy", "p", "x", "d")),
        output(ExitCode.FAILED, Finding("removal", "holds-others", "x: Namespace y", "gone")),
    ):
        with pytest.raises(ConditionTimeout, match="should reject a revert for the ResourceQuota"):
            bad_revert.is_refused(wrong)
