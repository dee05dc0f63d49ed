"""The delta of commits, from where a change left its base to its last one, rendered by the engine's stand-in."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from repository import git
from small_tree import commit
from typer.testing import CliRunner

from neuroscale.cli import app
from neuroscale.errors import ExitCode, Inconclusive
from neuroscale.gate import base
from neuroscale.gate import difference as of_commits
from neuroscale.gate import sides as both_sides
from neuroscale.gate.difference import difference
from neuroscale.gate.pipeline import pass_through
from neuroscale.gate.tools import Tools

DEPLOYMENT, PRICES = "apps/test-app/deployment.yaml", "infrastructure/prices.toml"


def replicas(checkout: Path, count: int) -> None:
    file = checkout / DEPLOYMENT
    obj = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    obj["spec"]["replicas"] = count
    file.write_text(yaml.dump(obj, Dumper=yaml.CSafeDumper), encoding="utf-8")


def strict(checkout: Path) -> None:
    file = checkout / PRICES
    text = (
        file.read_text(encoding="utf-8").replace('cpu = "2"', 'cpu = "200m"').replace("block = false", "block = true")
    )
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def change(checkout: Path) -> Path:
    """A branch of three commits, each with one replica more; main went on meanwhile."""
    git("-C", str(checkout), "checkout", "--quiet", "-b", "change")
    for count in (2, 3, 4):
        replicas(checkout, count)
        commit(checkout)
    git("-C", str(checkout), "checkout", "--quiet", "main")
    replicas(checkout, 7)
    commit(checkout)
    git("-C", str(checkout), "checkout", "--quiet", "change")
    return checkout


def more_pods(checkout: Path, tools: Tools, head: str | None = None) -> int:
    return int(difference(tools, "main", head, checkout).total.by.least["pods"])


def test_a_change_is_all_of_its_commits_and_none_of_mains(change: Path, tools: Tools) -> None:
    found = difference(tools, "main", repository=change)
    assert int(found.total.by.least["pods"]) == 3
    assert found.base == git("-C", str(change), "merge-base", "main", "change")
    assert found.head == git("-C", str(change), "rev-parse", "change")
    assert more_pods(change, tools, "change") == 3
    assert more_pods(change, tools, "change~1") == 2
    result = pass_through(tools, "main", change)
    assert result.delta is not None
    assert int(result.delta.total.by.least["pods"]) == 3


@pytest.mark.parametrize(("wrong", "pods"), [("HEAD^", 1), ("main", -3)])
def test_a_wrong_start_would_be_seen(
    wrong: str, pods: int, change: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last commit alone, and main as it is now: what other tools compare with."""
    monkeypatch.setattr(base, "merge_base", lambda *given: base.commit_of(wrong, change))
    assert more_pods(change, tools) == pods


def test_what_is_not_committed_counts_and_is_said(change: Path, tools: Tools) -> None:
    replicas(change, 6)
    found = difference(tools, "main", repository=change)
    assert int(found.total.by.least["pods"]) == 5
    assert found.head.endswith(" and what is not committed")
    assert more_pods(change, tools, "change") == 3
    (change / "notes.txt").write_text("of no folder that is deployed", encoding="utf-8")
    assert not difference(tools, "main", "change", change).head.endswith("committed")


@pytest.mark.parametrize("reference", ["no-such-branch", "--help", "main:apps"])
def test_a_commit_that_git_does_not_have_is_no_delta(reference: str, change: Path, tools: Tools) -> None:
    with pytest.raises(Inconclusive, match=f"git should have {reference}"):
        difference(tools, reference, repository=change)
    with pytest.raises(Inconclusive, match=f"git should have {reference}"):
        difference(tools, "main", reference, change)


def test_commits_with_nothing_in_common_are_no_delta(change: Path, tools: Tools) -> None:
    git("-C", str(change), "checkout", "--quiet", "--orphan", "alone")
    commit(change)
    with pytest.raises(Inconclusive, match="from which both main and HEAD come"):
        difference(tools, "main", repository=change)


@pytest.mark.parametrize(
    "broken", ["a: [", "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: a}\nspec: {replicas: many}"]
)
def test_what_cannot_be_read_is_not_free(broken: str, change: Path, tools: Tools) -> None:
    (change / "apps/test-app/broken.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(Inconclusive, match=r"All of the change should be priced, but (render|schema): apps/test-app"):
        difference(tools, "main", repository=change)
    commit(change)
    git("-C", str(change), "rm", "--quiet", "apps/test-app/broken.yaml")
    assert int(difference(tools, "change", repository=change).total.by.least["pods"]) >= 0


def test_without_prices_there_is_no_verdict(change: Path, tools: Tools) -> None:
    (change / PRICES).unlink()
    with pytest.raises(Inconclusive, match=r"prices\.toml should say"):
        pass_through(tools, "main", change)


def test_a_change_is_priced_as_it_will_be_and_held_to_what_its_base_says(change: Path, tools: Tools) -> None:
    strict(change)
    file = change / PRICES
    file.write_text(file.read_text(encoding="utf-8").replace("0.03719", "1"), encoding="utf-8")
    found = difference(tools, "main", repository=change)
    assert found.prices.hourly["cpu"] == 1
    assert not found.blocks, "what the change itself asks to be held to"
    git("-C", str(change), "checkout", "--quiet", "main", "--", PRICES)
    git("-C", str(change), "checkout", "--quiet", "main")
    strict(change)
    commit(change)
    git("-C", str(change), "checkout", "--quiet", "-b", "later")
    replicas(change, 11)
    file.write_text(file.read_text(encoding="utf-8").replace("block = true", "block = false"), encoding="utf-8")
    assert difference(tools, "main", repository=change).blocks, "a change disarms no limit that it is held to"


def test_a_base_without_prices_is_priced_by_the_change(checkout: Path, tools: Tools) -> None:
    text = (checkout / PRICES).read_text(encoding="utf-8")
    git("-C", str(checkout), "rm", "--quiet", PRICES)
    commit(checkout)
    (checkout / PRICES).write_text(text, encoding="utf-8")
    assert difference(tools, "main", repository=checkout).thresholds.cpu == 2


def test_resources_of_a_whole_pod_are_dropped_by_an_older_api_server(
    checkout: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    with of_commits.sides(tools, "main", repository=checkout) as (both, _, _):
        pod = {"containers": [{"name": "c"}], "resources": {"requests": {"cpu": "3"}}}
        bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "elsewhere"}, "spec": pod}
        found = []
        for version in ("1.31", "1.33", "1.34", "1.100"):
            monkeypatch.setattr(both_sides, "kubernetes", lambda version=version: version)
            (change,) = [one for one in both.delta({"x": [bare]}).changes if one.workload.name == "p"]
            found.append(change.by.least.get("requests.cpu", 0))
    assert found == [0, 0, 3, 3]


# --- as a command


@pytest.fixture
def run(change: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    # Its function hides it where it is imported.
    command = importlib.import_module("neuroscale.cli.delta")
    monkeypatch.setattr(command, "provide", lambda: tools)
    monkeypatch.setattr(command, "difference", functools.partial(difference, repository=change))
    return CliRunner()


def test_the_command_speaks_three_languages(run: CliRunner) -> None:
    text = run.invoke(app, ["delta", "--base", "main"])
    assert text.exit_code == ExitCode.PASSED
    assert "Deployment default/nginx-test" in text.output
    assert "1 → 4" in text.output
    markdown = run.invoke(app, ["delta", "--base", "main", "--format", "markdown"])
    assert markdown.output.startswith("<!-- neuroscale-cost-proxy -->\n")
    document = json.loads(run.invoke(app, ["delta", "--base", "main", "--head", "change~1", "--format", "json"]).output)
    assert document["total"]["difference"]["least"]["pods"] == "2"


def test_the_command_fails_where_the_repository_says_so(run: CliRunner, change: Path) -> None:
    git("-C", str(change), "checkout", "--quiet", "main")
    strict(change)
    commit(change)
    replicas(change, 9)
    done = run.invoke(app, ["delta", "--base", "main"])
    assert done.exit_code == ExitCode.FAILED
    assert "This change is rejected for it." in done.output


@pytest.mark.parametrize(("arguments", "code"), [(["--base", "gone"], ExitCode.NOT_RUN), ([], ExitCode.USAGE)])
def test_the_command_without_an_answer_is_no_pass(arguments: list[str], code: int, run: CliRunner) -> None:
    done = run.invoke(app, ["delta", *arguments])
    found = done.exception.exit_code if isinstance(done.exception, Inconclusive) else done.exit_code
    assert found == code


def test_the_gate_rejects_what_is_above_a_threshold_that_blocks(checkout: Path, tools: Tools) -> None:
    strict(checkout)
    commit(checkout)
    assert pass_through(tools, "main", checkout).findings == []
    replicas(checkout, 9)
    found = pass_through(tools, "main", checkout).findings
    assert {(one.stage, one.rule) for one in found} == {("resources", "threshold")}
    assert "Deployment default/nginx-test asks for 800m more requests.cpu; the threshold is 200m" in str(found)
