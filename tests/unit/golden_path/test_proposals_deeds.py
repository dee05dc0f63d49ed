"""Pull requests of strangers: what is done at the Git server, by whom, and that it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from apiserver import NONCE, ApiServer
from fake_portal import FakePortal

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.commit_statuses import CommitStatus, Statuses
from neuroscale.errors import ConditionTimeout, FaultHadNoEffect, NeuroscaleError, PreconditionFailed, Unrecoverable
from neuroscale.golden_path import proposals
from neuroscale.golden_path.form import expected_objects, filled_in
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.pull_request_checks.watch import look
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER, ROOT

API = "/api/v1/repos/neuroscale/platform"
POLICY = "infrastructure/kyverno/policies/require-standard-labels-inferenceservice.yaml"
GOOD = "a model with everything it needs"
WEAKER = "a model without an owner, and a policy that asks for none"


@pytest.fixture
def breakage(toy_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Breakage]:
    monkeypatch.setattr(proposals, "_UNCHANGED_FOR", 0.1)
    policy = (ROOT / POLICY).read_text(encoding="utf-8")
    toy_platform.git_server.commit({POLICY: policy, "apps/kept/a.yaml": "a: 1\n"}, "Have a model and a policy")
    with Breakage(toy_platform, Journal(tmp_path / "journal.jsonl", NONCE)) as breakage:
        yield breakage


def proposed(what: str, breakage: Breakage) -> tuple[proposals.Proposed, dict[str, str]]:
    """What is open then, and its files."""
    opened = proposals.propose(what, breakage)
    files = breakage.platform.git_server.proposed(opened.branch)
    return opened, {path: text for path, text in files.items() if text is not None}


def objects_of(files: dict[str, str], name: str) -> dict[str, Object]:
    return {path: yaml.safe_load(text) for path, text in files.items() if path.startswith(f"apps/{name}/")}


def expected(name: str) -> dict[str, Object]:
    return expected_objects({**filled_in(), "name": name})


# --- what is proposed


def test_a_good_model_is_what_the_portal_would_propose(breakage: Breakage) -> None:
    opened, files = proposed(GOOD, breakage)
    assert objects_of(files, opened.name) == expected(opened.name)
    assert len(files) == 2
    entity = files[f"apps/{opened.name}/catalog-info.yaml"]
    assert "argocd:skip-file-rendering" in entity, "the portal's entity is no object of the cluster"


def test_a_model_without_an_owner_lacks_that_alone(breakage: Breakage) -> None:
    opened, files = proposed("a model without an owner", breakage)
    wanted = expected(opened.name)
    del wanted[f"apps/{opened.name}/inference-service.yaml"]["metadata"]["labels"]["owner"]
    assert objects_of(files, opened.name) == wanted


def test_a_weaker_policy_asks_for_less_and_is_a_policy_still(breakage: Breakage) -> None:
    opened, files = proposed(WEAKER, breakage)
    weaker, policy = files[POLICY], (ROOT / POLICY).read_text(encoding="utf-8")
    assert (
        "owner"
        not in objects_of(files, opened.name)[f"apps/{opened.name}/inference-service.yaml"]["metadata"]["labels"]
    )
    assert yaml.safe_load(weaker)["metadata"] == yaml.safe_load(policy)["metadata"]
    changed = [line for line in weaker.splitlines() if line not in policy.splitlines()]
    assert [("cost-center" in line, "owner" in line) for line in changed] == [(True, False)]


def test_where_no_policy_asks_for_an_owner_none_can_be_weakened(breakage: Breakage) -> None:
    breakage.platform.git_server.commit({POLICY: None}, "Have no policies")
    with pytest.raises(PreconditionFailed, match="should ask for an owner, but does not"):
        proposals.propose(WEAKER, breakage)


def test_what_is_no_yaml_is_none(breakage: Breakage) -> None:
    _, files = proposed("a file that is no YAML", breakage)
    (text,) = files.values()
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(text)


@pytest.mark.parametrize("status", [422, 500])
def test_a_proposal_that_the_git_server_refuses_leaves_nothing(
    status: int, breakage: Breakage, portal: FakePortal
) -> None:
    """The branch was pushed before the pull request was refused."""
    server = breakage.platform.git_server
    portal.answers[f"POST {API}/pulls"] = (status, {"message": "no"})
    before = server.branches()
    with pytest.raises(NeuroscaleError, match=f"should take POST .*/pulls, but answered {status}"):
        proposals.propose(GOOD, breakage)
    assert len(server.branches() - before) == 1
    breakage.roll_back()
    assert server.branches() == before


def test_more_is_pushed_to_what_is_proposed(breakage: Breakage) -> None:
    opened, files = proposed(GOOD, breakage)
    server = breakage.platform.git_server
    before = server.branch_head(opened.branch)
    proposals.push_more(opened, breakage.platform)
    assert server.branch_head(opened.branch) != before
    assert set(server.proposed(opened.branch)) == {*files, f"apps/{opened.name}/note.yaml"}


def test_a_line_that_main_does_not_have_cannot_be_changed_by_both(breakage: Breakage) -> None:
    with pytest.raises(FaultHadNoEffect, match="'Serves models' once, but holds it 0 times"):
        proposals.propose_behind(breakage)


# --- who merges

ATTEMPTS = [("a writer", "merge", 405), ("a site administrator", "merge by force", 405)]


def refuse(portal: FakePortal, status: int = 405) -> None:
    portal.answers[f"POST {API}/pulls/2/merge"] = (status, {"message": "no"})


def test_who_tries_to_merge_comes_and_goes_and_is_refused(
    breakage: Breakage, portal: FakePortal, repository: Path
) -> None:
    opened, _ = proposed(GOOD, breakage)
    refuse(portal)
    proposals.assert_refused(ATTEMPTS, opened, breakage)
    merges = [body for method, path, body in portal.requests if (method, path) == ("POST", f"{API}/pulls/2/merge")]
    assert merges == [{"Do": "merge"}, {"Do": "merge", "force_merge": True}]
    roles = [user.rpartition("-")[0] for user in portal.kept("members")]
    assert sorted(roles) == ["site-administrator", "writer"]
    breakage.roll_back()
    assert portal.kept("members") == {}


def test_a_merge_that_waits_is_called_off_before_main_is_looked_at(breakage: Breakage, portal: FakePortal) -> None:
    """And no other is: it would be nobody's."""
    opened, _ = proposed(GOOD, breakage)
    refuse(portal, 201)
    proposals.assert_refused(
        [("a writer", "merge once all statuses are good", 201), ("a writer", "squash", 201)], opened, breakage
    )
    asked = [f"{method} {path}" for method, path, _ in portal.requests if path == f"{API}/pulls/2/merge"]
    assert [line.split()[0] for line in asked] == ["POST", "DELETE", "POST"]


def test_a_merge_that_comes_about_is_seen(breakage: Breakage, portal: FakePortal) -> None:
    opened, _ = proposed(GOOD, breakage)
    with pytest.raises(Unrecoverable, match="a writer: merge: 200, and main changed"):
        proposals.assert_refused(ATTEMPTS[:1], opened, breakage)


def test_where_nothing_is_open_nobody_is_refused(breakage: Breakage) -> None:
    closed = proposals.Proposed("closed", "golden-1")
    with pytest.raises(PreconditionFailed, match="closed should have an open pull request, but has none"):
        proposals.assert_refused(ATTEMPTS, closed, breakage)


def test_a_merge_by_force_is_one(breakage: Breakage, portal: FakePortal) -> None:
    opened, files = proposed("a model without an owner", breakage)
    proposals.merge_by_force(opened, breakage)
    assert [body["force_merge"] for _, path, body in portal.requests if path == f"{API}/pulls/2/merge"] == [True]
    server = breakage.platform.git_server
    assert {path: server.read(path) is not None for path in files} == dict.fromkeys(files, True)
    breakage.roll_back()
    assert {path: server.read(path) for path in files} == dict.fromkeys(files)


def test_a_merge_by_force_that_is_refused_proves_nothing(breakage: Breakage, portal: FakePortal) -> None:
    opened, _ = proposed(GOOD, breakage)
    refuse(portal)
    with pytest.raises(NeuroscaleError, match="but answered 405"):
        proposals.merge_by_force(opened, breakage)


# --- what is said


def test_a_forged_status_counts_until_somebody_watches(breakage: Breakage, portal: FakePortal) -> None:
    platform = breakage.platform
    opened, _ = proposed(GOOD, breakage)
    proposals.forge_status(opened, breakage)
    trusted = proposals.status_is("success", "trust me", opened.branch, platform)
    assert trusted.evaluate().state == "met"
    look(Statuses(portal.url, f"of {GATE_WATCHER}"), dict[str, datetime]())
    proposals.wait_for_status("error", "may not", opened, platform)
    assert trusted.evaluate().state == "pending"


def test_a_status_is_of_what_is_proposed_now(breakage: Breakage, portal: FakePortal) -> None:
    platform = breakage.platform
    opened, _ = proposed(GOOD, breakage)
    head = platform.git_server.branch_head(opened.branch)
    assert head is not None
    Statuses(portal.url, f"of {GATE_REPORTER}").set(head, CommitStatus("success", "nothing found"))
    probe = proposals.status_is("success", "nothing found", opened.branch, platform)
    assert probe.evaluate().state == "met"
    proposals.push_more(opened, platform)
    assert probe.evaluate().observed == "there is no status"


def test_another_verdict_ends_the_wait(breakage: Breakage, portal: FakePortal) -> None:
    opened, _ = proposed(GOOD, breakage)
    head = breakage.platform.git_server.branch_head(opened.branch)
    assert head is not None
    Statuses(portal.url, f"of {GATE_REPORTER}").set(head, CommitStatus("failure", "apps/x: [labels]"))
    with pytest.raises(Unrecoverable, match=r"Last seen: failure: apps/x: \[labels\]"):
        proposals.wait_for_status("success", "nothing found", opened, breakage.platform)


def test_no_verdict_is_waited_for_as_long_as_it_may_take(
    breakage: Breakage, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, _ = proposed(GOOD, breakage)
    monkeypatch.setattr(proposals, "_ERROR_WITHIN", 0.1)
    with pytest.raises(ConditionTimeout, match="there is no status"):
        proposals.wait_for_error(opened, breakage.platform)


@pytest.mark.parametrize("status", [404, 500])
def test_a_git_server_that_does_not_say_ends_the_wait(status: int, breakage: Breakage, portal: FakePortal) -> None:
    opened, _ = proposed(GOOD, breakage)
    head = breakage.platform.git_server.branch_head(opened.branch)
    portal.answers[f"GET {API}/commits/{head}/statuses"] = (status, {})
    with pytest.raises(NeuroscaleError, match=f"but answered {status}"):
        proposals.wait_for_status("success", "nothing found", opened, breakage.platform)


# --- what is away

AWAY = {
    "who makes its Jobs": (
        "/apis/apps/v1/namespaces/argocd/deployments/argocd-applicationset-controller",
        {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 1}},
        lambda obj: obj["spec"]["replicas"],
        (1, 0),
    ),
    "the token of its Jobs": (
        "/api/v1/namespaces/pull-requests/secrets/gate",
        {"apiVersion": "v1", "kind": "Secret", "data": {"TOKEN": "Z29vZA=="}},
        lambda obj: obj["data"]["TOKEN"],
        ("Z29vZA==", "cmV2b2tlZA=="),
    ),
}


@pytest.mark.parametrize("what", AWAY)
def test_what_a_verdict_needs_goes_and_comes_back(what: str, breakage: Breakage, api: ApiServer) -> None:
    path, obj, look_at, (before, after) = AWAY[what]
    namespace, name = path.split("/")[-3], path.split("/")[-1]
    api.put(path, {**obj, "metadata": {"name": name, "namespace": namespace}})
    proposals.take_away(what, breakage)
    assert look_at(api.objects[path]) == after
    breakage.roll_back()
    assert look_at(api.objects[path]) == before
