"""Pull requests at the Git server: what is proposed, merged and thrown away, and whose token may do it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_portal import FakePortal
from fakes import PROPOSED
from repository import git

from neuroscale.backstage_client import Task
from neuroscale.chaos.faults import FormSubmitted, PullRequestMerged, PushHookSwitchedOff
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server_api import PUSH_HOOK_URL
from neuroscale.platform import Platform
from neuroscale.polling import met, pending
from neuroscale.probes.backstage import FormFailed, evaluate_failed
from neuroscale.probes.git_server import PushHookActive

API = "/api/v1/repos/neuroscale/platform"


def test_an_open_pull_request_is_found_by_its_branch(toy_platform: Platform, repository: Path) -> None:
    pull = toy_platform.git_server.pull_request(PROPOSED)
    assert pull is not None
    assert (pull.number, pull.mergeable) == (1, True)
    assert (
        pull.head == toy_platform.git_server.branch_head(PROPOSED) == git("-C", str(repository), "rev-parse", PROPOSED)
    )
    assert toy_platform.git_server.pull_request("another") is None
    assert toy_platform.git_server.branch_head("another") is None


def test_what_is_proposed_is_what_the_branch_changes_since_it_left_main(
    toy_platform: Platform, repository: Path
) -> None:
    toy_platform.git_server.commit({"first.txt": "two\n", "elsewhere.txt": "later\n"}, "Go on")
    assert toy_platform.git_server.proposed(PROPOSED) == {"second/proposed.txt": "new"}


def test_a_removal_is_proposed_as_none(toy_platform: Platform, repository: Path, portal: FakePortal) -> None:
    empty = git("-C", str(repository), "mktree", feed="")
    commit = git("-C", str(repository), "commit-tree", empty, "-p", "main", "-m", "Remove all")
    git("-C", str(repository), "update-ref", "refs/heads/removal", commit)
    assert toy_platform.git_server.proposed("removal") == {"first.txt": None}


def test_what_is_merged_is_the_head_that_was_seen(toy_platform: Platform, portal: FakePortal) -> None:
    pull = toy_platform.git_server.pull_request(PROPOSED)
    assert pull is not None
    toy_platform.git_server.merge(PROPOSED)
    assert toy_platform.git_server.read("second/proposed.txt") == "new\n"
    merges = [body for method, path, body in portal.requests if (method, path) == ("POST", f"{API}/pulls/1/merge")]
    assert merges == [{"Do": "merge", "head_commit_id": pull.head}]


def test_a_merge_that_is_refused_says_so(toy_platform: Platform, portal: FakePortal) -> None:
    portal.answers[f"POST {API}/pulls/1/merge"] = (405, {"message": "checks are missing"})
    with pytest.raises(NeuroscaleError, match=r"should take POST .*/pulls/1/merge, but answered 405: .*checks are"):
        toy_platform.git_server.merge(PROPOSED)
    with pytest.raises(NeuroscaleError, match="another should have an open pull request, but has none"):
        toy_platform.git_server.merge("another")


def test_a_token_is_issued_to_a_user_who_is_made_if_need_be(toy_platform: Platform, portal: FakePortal) -> None:
    tokens = "/api/v1/users/portal/tokens"
    portal.answers |= {
        "POST /api/v1/admin/users": (422, {"message": "user already exists"}),
        f"PUT {API}/collaborators/portal": (204, None),
        f"DELETE {tokens}/portal": (404, {}),
        f"POST {tokens}": (201, {"sha1": "secret"}),
    }
    assert toy_platform.git_server.issue_token("portal", ("write:repository",)) == "secret"
    asked = {path: body for method, path, body in portal.requests if method != "GET"}
    assert asked[f"{API}/collaborators/portal"] == {"permission": "write"}
    assert asked[tokens] == {"name": "portal", "scopes": ["write:repository"]}


@pytest.mark.parametrize(("status", "taken"), [(200, True), (401, False)])
def test_a_token_is_taken_or_not(status: int, taken: bool, toy_platform: Platform, portal: FakePortal) -> None:
    portal.answers[f"GET {API}"] = (status, {})
    assert toy_platform.git_server.takes_token("secret") is taken


def test_a_git_server_that_does_not_say_is_an_error(toy_platform: Platform, portal: FakePortal) -> None:
    portal.answers |= {f"GET {API}": (500, {}), f"GET {API}/pulls": (500, {})}
    with pytest.raises(NeuroscaleError, match="should say whether a token lets somebody see"):
        toy_platform.git_server.takes_token("secret")
    with pytest.raises(NeuroscaleError, match="should list"):
        toy_platform.git_server.pull_request(PROPOSED)


def test_a_form_that_fails_says_why(toy_platform: Platform, portal: FakePortal) -> None:
    fault = FormSubmitted(values={"name": "iris-9", "owner": "ml-platform"})
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == "pull request #2 is open"
    portal.open.clear()
    portal.tasks["task-1"] |= {"status": "processing"}
    assert fault.verify_injected(toy_platform, snapshot, ()) == pending("none is open")
    portal.tasks["task-1"] |= {"status": "failed", "error": "apps/iris-9 should be new"}
    verdict = fault.verify_injected(toy_platform, snapshot, ())
    assert (verdict.state, verdict.observed) == ("unrecoverable", "the task failed: apps/iris-9 should be new")
    # Who looked twenty times a second and signed in each time kept the portal busy with it.
    assert [path for _, path, _ in portal.requests].count("/api/auth/guest/refresh") == 1


def test_a_form_may_be_on_its_way_when_it_is_proven(toy_platform: Platform, portal: FakePortal) -> None:
    fault = FormSubmitted(values={"name": "iris-9", "owner": "ml-platform"}, on_record=True)
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    portal.open.clear()
    portal.tasks["task-1"] |= {"status": "open"}
    assert fault.verify_injected(toy_platform, snapshot, ()) == met("its task is task-1")


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_a_form_may_be_handed_in_whatever_comes_of_it(status: str, toy_platform: Platform, portal: FakePortal) -> None:
    values: dict[str, str | int] = {"name": "iris-9", "owner": "ml-platform"}
    fault = FormSubmitted(values=values, whatever_comes=True)
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    portal.tasks["task-1"] |= {"status": "processing"}
    assert fault.verify_injected(toy_platform, snapshot, ()) == pending("the task is processing")
    portal.tasks["task-1"] |= {"status": status, "error": "401"}
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == f"the task has {status}"


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([Task("2", "failed", {}, "answered 401"), Task("1", "completed", {})], "met"),
        ([Task("1", "failed", {}, "answered 503")], "unrecoverable"),
        ([Task("1", "completed", {})], "unrecoverable"),
        ([Task("1", "processing", {})], "pending"),
        ([], "pending"),
    ],
)
def test_the_latest_task_of_a_form_says_why_it_failed(tasks: list[Task], expected: str) -> None:
    assert evaluate_failed(tasks, "401").state == expected


def test_a_form_that_failed_is_found_by_what_it_holds(toy_platform: Platform, portal: FakePortal) -> None:
    values = {"name": "iris-9", "owner": "ml-platform"}
    probe = FormFailed(values, "401")
    assert probe.check(toy_platform.cluster).observed == "no such form was handed in"
    portal.tasks["task-1"] = {"values": values, "status": "failed", "error": "answered 401"}
    assert probe.check(toy_platform.cluster).observed == "its task is failed: answered 401"
    portal.answers["GET /api/scaffolder/v2/tasks"] = (503, {})
    assert "answered 503" in probe.check(toy_platform.cluster).observed


def test_a_form_is_taken_back_once_its_task_is_over(toy_platform: Platform, portal: FakePortal) -> None:
    """A task that went on opened its pull request after the rollback."""
    fault = FormSubmitted(values={"name": "iris-9", "owner": "ml-platform"})
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    portal.tasks["task-1"] |= {"status": "processing"}
    fault.revert(toy_platform, snapshot)
    assert fault.rollback_complete(toy_platform, snapshot) == pending("task task-1 goes on")
    portal.propose(fault.branch, "apps/iris-9/model.yaml")
    portal.tasks["task-1"] |= {"status": "completed"}
    assert fault.rollback_complete(toy_platform, snapshot) == pending("branch model-iris-9 is there again")
    fault.continue_rollback(toy_platform, snapshot)
    assert fault.rollback_complete(toy_platform, snapshot).state == "met"
    portal.answers["GET /api/scaffolder/v2/tasks"] = (503, {})
    assert "answered 503" in fault.rollback_complete(toy_platform, snapshot).observed


def test_a_branch_that_was_there_before_is_left_alone(toy_platform: Platform, portal: FakePortal) -> None:
    portal.propose("model-iris-9", "apps/iris-9/model.yaml")
    fault = FormSubmitted(values={"name": "iris-9"})
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == "there was a branch model-iris-9 before"
    fault.revert(toy_platform, snapshot)
    assert toy_platform.git_server.branch_head("model-iris-9")


def test_a_merge_is_taken_back_by_a_commit(toy_platform: Platform, repository: Path) -> None:
    fault = PullRequestMerged(branch=PROPOSED, files=["second/proposed.txt"])
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    fault.revert(toy_platform, snapshot)
    assert toy_platform.git_server.read("second/proposed.txt") is None
    assert git("-C", str(repository), "log", "-1", "--format=%s", "main") == f"Undo the merge of {PROPOSED}"


# --- who is told of pushes


def test_the_push_hook_is_made_once_and_anew_with_another_secret(toy_platform: Platform, portal: FakePortal) -> None:
    """An edit leaves the Git server's secret as it was; and nobody is told which one it has."""
    others = {7: {"config": {"url": "https://elsewhere"}, "active": True}}
    portal.hooks = others
    assert toy_platform.git_server.push_hook() is None
    for shared, anew, number in (("one", False, 8), ("one", False, 8), ("two", True, 8), ("three", True, 8)):
        toy_platform.git_server.switch_push_hook(active=False)
        toy_platform.git_server.provide_push_hook(shared, anew=anew)
        config = {"url": PUSH_HOOK_URL, "content_type": "json", "secret": shared}
        made = {"type": "gitea", "config": config, "events": ["push"], "branch_filter": "main", "active": True}
        assert portal.hooks == others | {number: made}
    before = len(portal.requests)
    toy_platform.git_server.provide_push_hook("three", anew=False)
    assert [method for method, _, _ in portal.requests[before:]] == ["GET"], "one that is active is left alone"
    posts = [path for method, path, _ in portal.requests if method == "POST"]
    assert len(posts) == 3


def test_the_push_hook_is_part_of_the_steady_state(toy_platform: Platform, portal: FakePortal) -> None:
    probe = PushHookActive(toy_platform.git_server)
    assert probe.check(toy_platform.cluster) == met("hook 1 is active")
    toy_platform.git_server.switch_push_hook(active=False)
    assert probe.check(toy_platform.cluster) == pending("hook 1 is switched off")
    portal.hooks = {}
    assert probe.check(toy_platform.cluster) == pending("it has no hook for it")
    portal.answers[f"GET {API}/hooks"] = (500, {})
    assert "answered 500" in probe.check(toy_platform.cluster).observed


def test_a_push_hook_that_was_off_stays_off(toy_platform: Platform, portal: FakePortal) -> None:
    toy_platform.git_server.switch_push_hook(active=False)
    fault = PushHookSwitchedOff()
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()).state == "met"
    fault.revert(toy_platform, snapshot)
    assert portal.hooks[1]["active"] is False
    toy_platform.git_server.switch_push_hook(active=True)
    assert fault.verify_injected(toy_platform, snapshot, ()).state == "pending"
