"""The gate on a repository: what is green, what is red, and what is no verdict at all."""

from __future__ import annotations

import functools
import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from repository import git
from small_tree import commit, policy, write
from typer.testing import CliRunner

from neuroscale.cli import app
from neuroscale.errors import ExitCode, Inconclusive
from neuroscale.gate import base
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.pipeline import pass_through
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.refs import Object

DEPLOYMENT = "apps/test-app/deployment.yaml"


@contextmanager
def edited(file: Path) -> Iterator[Object]:
    """The one object of a manifest, to be changed."""
    obj: Object = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    yield obj
    file.write_text(yaml.dump(obj, Dumper=yaml.CSafeDumper), encoding="utf-8")


def rules(result: GateResult) -> set[tuple[str, str]]:
    return {(finding.stage, finding.rule) for finding in result.findings}


def changes(tools: Tools, checkout: Path) -> list[str]:
    """What differs from ``main``."""
    delta = pass_through(tools, "main", checkout).delta
    assert delta is not None
    return [str(change.workload) for change in delta.changes]


def misbehave(tools: Tools, mode: str) -> Tools:
    tools.judge.program.with_name("mode").write_text(mode, encoding="utf-8")
    return tools


def test_a_tree_that_complies_passes_and_all_is_counted(checkout: Path, tools: Tools) -> None:
    result = pass_through(tools, repository=checkout)
    assert result.findings == []
    assert result.rendered == result.validated == 25
    assert len(result.places) == 6
    # One Deployment, and no model.
    assert result.evaluated == {name: 1 for name in POLICIES if name != POLICIES[0]}
    assert result.demand["pods"] == 1
    assert result.delta is None
    assert set(result.seconds) == {"render", "schema", "appproject", "policy", "resources"}


def test_a_violation_is_found_and_said(checkout: Path, tools: Tools) -> None:
    with edited(checkout / DEPLOYMENT) as obj:
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx"
    (finding,) = pass_through(tools, repository=checkout).findings
    assert str(finding) == (
        "policy: apps/test-app: Deployment default/nginx-test: image 'nginx' has no version [disallow-latest-image-tag]"
    )


def test_what_does_not_fit_its_schema_is_not_shown_to_later_stages(checkout: Path, tools: Tools) -> None:
    with edited(checkout / DEPLOYMENT) as obj:
        obj["spec"]["template"]["spec"]["containers"] = "none"
    result = pass_through(tools, repository=checkout)
    assert rules(result) == {("schema", "invalid")}
    assert result.validated == result.rendered - 1


def test_an_object_in_two_folders_has_two_masters(checkout: Path, tools: Tools) -> None:
    text = (checkout / DEPLOYMENT).read_text(encoding="utf-8")
    (checkout / "apps" / "other").mkdir()
    (checkout / "apps" / "other" / "deployment.yaml").write_text(text, encoding="utf-8")
    assert rules(pass_through(tools, repository=checkout)) == {("render", "twice")}


# --- policies that are not what they should be


def test_a_tree_without_policies_misses_each(checkout: Path, tools: Tools) -> None:
    (checkout / "bootstrap/policies/policies.yaml").unlink()
    assert rules(pass_through(tools, repository=checkout)) == {("policy", name) for name in POLICIES}


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_is_gone_is_missed(name: str, checkout: Path, tools: Tools) -> None:
    file = checkout / "bootstrap/policies/policies.yaml"
    write(file, *(policy(other) for other in POLICIES if other != name))
    assert rules(pass_through(tools, repository=checkout)) == {("policy", name)}


@pytest.mark.parametrize(
    "change", [{"validationActions": ["Audit"]}, {"validationActions": ["Audit", "Deny"]}, {"failurePolicy": "Ignore"}]
)
def test_a_policy_that_only_watches_is_found(change: Object, checkout: Path, tools: Tools) -> None:
    mild = policy(POLICIES[2])
    mild["spec"] |= change
    write(checkout / "bootstrap/policies/policies.yaml", mild, *(policy(n) for n in POLICIES if n != POLICIES[2]))
    (finding,) = pass_through(tools, repository=checkout).findings
    assert (finding.rule, finding.description[:14]) == (POLICIES[2], "it should deny")


@pytest.mark.parametrize(("mode", "evaluated"), [("only the first", 1), ("skips", 0)])
def test_what_no_policy_looked_at_is_no_pass(mode: str, evaluated: int, checkout: Path, tools: Tools) -> None:
    """Incident D4, and a policy whose match was narrowed."""
    shutil.copytree(checkout / "apps/test-app", checkout / "apps/unseen", ignore=shutil.ignore_patterns("[!d]*.yaml"))
    with edited(checkout / "apps/unseen/deployment.yaml") as obj:
        obj["metadata"]["name"] = "unseen"
    result = pass_through(misbehave(tools, mode), repository=checkout)
    assert rules(result) == {("policy", name) for name in POLICIES[1:]}
    assert {finding.description for finding in result.findings} == {"the policy should judge it, but passed it over"}
    assert {result.evaluated.get(name, 0) for name in POLICIES[1:]} == {evaluated}


def test_a_policy_that_errs_refuses(checkout: Path, tools: Tools) -> None:
    result = pass_through(misbehave(tools, "errors"), repository=checkout)
    assert rules(result) == {("policy", name) for name in POLICIES[1:]}


# --- what is no verdict


@pytest.mark.parametrize(("mode", "said"), [("crash", "object 0: no kind"), ("talks", "exit code 0 and said: results")])
def test_a_tool_that_fails_is_no_verdict(mode: str, said: str, checkout: Path, tools: Tools) -> None:
    with pytest.raises(Inconclusive, match=said):
        pass_through(misbehave(tools, mode), repository=checkout)


def test_a_tool_that_is_not_there_is_no_verdict(checkout: Path, tools: Tools) -> None:
    tools.judge.program.unlink()
    with pytest.raises(Inconclusive, match="No such file"):
        pass_through(tools, repository=checkout)


def test_a_tree_without_objects_is_no_verdict(tmp_path: Path, tools: Tools) -> None:
    (tmp_path / "empty" / "apps").mkdir(parents=True)
    with pytest.raises(Inconclusive, match="makes none"):
        pass_through(tools, repository=tmp_path / "empty")


def test_a_tree_in_which_no_object_is_judged_is_no_verdict(checkout: Path, tools: Tools) -> None:
    (checkout / DEPLOYMENT).unlink()
    with pytest.raises(Inconclusive, match="judged none"):
        pass_through(tools, repository=checkout)


# --- against another commit


def test_what_changes_is_counted_with_all_replicas(checkout: Path, tools: Tools) -> None:
    with edited(checkout / DEPLOYMENT) as obj:
        obj["spec"]["replicas"] = 3
    result = pass_through(tools, "main", checkout)
    assert result.delta is not None
    (change,) = result.delta.changes
    assert str(change.workload) == "Deployment default/nginx-test"
    more = change.by.least
    assert [float(more[what]) for what in ("requests.cpu", "limits.cpu", "pods")] == [0.2, 0.5, 2]
    assert more["requests.memory"] == 2 * 128 * 1024**2
    assert result.delta.note == ""


def test_what_comes_and_goes_is_counted(checkout: Path, tools: Tools) -> None:
    (checkout / "apps/test-app").rename(checkout / "apps/moved")
    with edited(checkout / "apps/moved/deployment.yaml") as obj:
        obj["metadata"]["name"] = "renamed"
        obj["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1.2.3"
    delta = pass_through(tools, "main", checkout).delta
    assert delta is not None
    assert [(change.workload.name, int(change.by.least["pods"])) for change in delta.changes] == [
        ("renamed", 1),
        ("nginx-test", -1),
    ]
    assert delta.total.by.is_none


def test_nothing_changed(checkout: Path, tools: Tools) -> None:
    assert changes(tools, checkout) == []


def test_other_upstream_manifests_in_the_base_are_mentioned(checkout: Path, tools: Tools) -> None:
    write(checkout / "infrastructure/images/pins.yaml", {"a": "b"})
    git("-C", str(checkout), "add", "--all")
    delta = pass_through(tools, "main", checkout).delta
    assert delta is not None
    assert "pins other upstream manifests" in delta.note


@pytest.mark.parametrize("reference", ["no-such-branch", "--help", "main:apps"])
def test_a_commit_that_git_does_not_have_is_no_verdict(reference: str, checkout: Path, tools: Tools) -> None:
    with pytest.raises(Inconclusive, match="git should have"):
        pass_through(tools, reference, checkout)


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../hostname", "deployment.yaml", "nowhere"])
def test_a_base_with_a_link_can_be_compared_with(target: str, checkout: Path, tools: Tools) -> None:
    """Wherever it leads: a change may be what removes it."""
    (checkout / "apps/test-app/link.txt").symlink_to(target)
    commit(checkout)
    (checkout / "apps/test-app/link.txt").unlink()
    assert changes(tools, checkout) == []


def test_a_link_within_a_base_is_followed(checkout: Path) -> None:
    (checkout / "apps/test-app/link.yaml").symlink_to("../../bootstrap/projects.yaml")
    commit(checkout)
    with base.checkout("main", checkout) as tree:
        projects = (checkout / "bootstrap/projects.yaml").read_text(encoding="utf-8")
        assert (tree / "apps/test-app/link.yaml").read_text(encoding="utf-8") == projects


def test_a_base_is_what_a_checkout_of_it_is(checkout: Path) -> None:
    """An archive leaves out what attributes of the commit say, and says otherwise what they say."""
    attributes = checkout / "apps/test-app/.gitattributes"
    attributes.write_text("service.yaml export-ignore\n*.yaml export-subst\n", encoding="utf-8")
    (checkout / "apps/test-app/ä b.yaml").write_text("a: $Format:%H$\n", encoding="utf-8")
    commit(checkout)
    with base.checkout("main", checkout) as tree:
        found = {str(file.relative_to(tree)): file.read_bytes() for file in tree.rglob("*") if file.is_file()}
    there = (file for top in ("apps", "bootstrap", "infrastructure") for file in (checkout / top).rglob("*"))
    assert found == {str(file.relative_to(checkout)): file.read_bytes() for file in there if file.is_file()}
    assert git("-C", str(checkout), "status", "--porcelain") == "", "the repository's own index is left alone"


def test_what_is_broken_in_the_base_asked_for_nothing(checkout: Path, tools: Tools) -> None:
    """The change that mends it must not be stopped by it."""
    good = (checkout / DEPLOYMENT).read_text(encoding="utf-8")
    (checkout / DEPLOYMENT).write_text("a: [", encoding="utf-8")
    commit(checkout)
    (checkout / DEPLOYMENT).write_text(good, encoding="utf-8")
    result = pass_through(tools, "main", checkout)
    assert result.findings == []
    assert result.delta is not None
    assert [str(change.workload) for change in result.delta.changes] == ["Deployment default/nginx-test"]


# --- as a command


@pytest.fixture
def run(checkout: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    # Its function hides it where it is imported.
    command = importlib.import_module("neuroscale.cli.gate")
    monkeypatch.setattr(command, "provide", lambda: tools)
    monkeypatch.setattr(command, "pass_through", functools.partial(pass_through, repository=checkout))
    return CliRunner()


def test_the_command_says_what_it_looked_at(run: CliRunner) -> None:
    done = run.invoke(app, ["gate"])
    assert done.exit_code == ExitCode.PASSED
    assert "25 objects rendered from 6 folders, 25 fit their schemas" in done.output
    assert "disallow-root-containers: 1 objects evaluated" in done.output
    assert "requests.cpu 100m" in done.output
    assert "passed" in done.output


def test_the_command_fails_with_what_it_found(run: CliRunner, checkout: Path) -> None:
    with edited(checkout / DEPLOYMENT) as obj:
        obj["spec"]["replicas"] = 2
        del obj["metadata"]["labels"]["owner"]
    done = run.invoke(app, ["gate", "--base", "main"])
    assert done.exit_code == ExitCode.FAILED
    assert "[require-standard-labels-deployment]" in done.output
    assert "+100m" in done.output
    assert "Next: " in done.output


def test_the_command_without_a_verdict_is_not_run(run: CliRunner) -> None:
    done = run.invoke(app, ["gate", "--base", "gone"])
    assert isinstance(done.exception, Inconclusive)
    assert done.exception.exit_code == ExitCode.NOT_RUN
