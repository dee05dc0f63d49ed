"""What is changed at the Git server: proposals, members, and what protects ``main``; and what sees it."""

from __future__ import annotations

import itertools
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import ground
import pytest
from apiserver import ApiServer
from fake_portal import FakePortal
from fakes import PROPOSED
from local_server import LocalServer
from repository import git

from neuroscale.chaos.faults import MemberAdded, ProtectionChanged, PullRequestProposed
from neuroscale.cluster.client import Cluster
from neuroscale.git_server_api import PROTECTION
from neuroscale.git_server_members import Role
from neuroscale.platform import Platform
from neuroscale.polling import met, pending
from neuroscale.probes.git_server import GITEA, GitServerAnswers, deployed_version
from neuroscale.probes.pull_requests import evaluate_protected, main_protected
from neuroscale.probes.serving import evaluate_no_others

API = "/api/v1/repos/neuroscale/platform"
PROPOSAL = PullRequestProposed(
    branch="another", title="Add it", files={"second/another.txt": "new\n", "first.txt": None}
)


def test_a_proposal_is_a_branch_of_main_with_these_changes(toy_platform: Platform, portal: FakePortal) -> None:
    snapshot = PROPOSAL.snapshot(toy_platform)
    assert PROPOSAL.verify_injected(toy_platform, snapshot, ()) == pending("none is open")
    PROPOSAL.inject(toy_platform, snapshot)
    assert PROPOSAL.verify_injected(toy_platform, snapshot, ()) == met("pull request #2 is open")
    assert toy_platform.git_server.proposed("another") == {"first.txt": None, "second/another.txt": "new"}
    assert toy_platform.git_server.read("second/another.txt") is None, "main has it"
    PROPOSAL.revert(toy_platform, snapshot)
    assert toy_platform.git_server.branch_head("another") is None
    assert "another" not in portal.open.values()


def test_more_is_pushed_onto_what_is_proposed(toy_platform: Platform) -> None:
    server, snapshot = toy_platform.git_server, PROPOSAL.snapshot(toy_platform)
    PROPOSAL.inject(toy_platform, snapshot)
    head = server.push_to("another", {"third.txt": "more\n"}, "Add more")
    assert server.branch_head("another") == head
    assert set(server.proposed("another")) == {"first.txt", "second/another.txt", "third.txt"}


def test_what_of_a_proposal_was_merged_is_taken_back(toy_platform: Platform) -> None:
    server, snapshot = toy_platform.git_server, PROPOSAL.snapshot(toy_platform)
    before = server.read("first.txt")
    PROPOSAL.inject(toy_platform, snapshot)
    server.merge("another", force=True)
    assert server.read("second/another.txt") == "new\n"
    for _ in range(2):
        PROPOSAL.revert(toy_platform, snapshot)
        assert (server.read("second/another.txt"), server.read("first.txt")) == (None, before)


def test_a_branch_of_others_is_left_alone(toy_platform: Platform) -> None:
    fault = PullRequestProposed(branch=PROPOSED, title="Take it over", files={"first.txt": None})
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == f"there was a branch {PROPOSED} before"
    fault.revert(toy_platform, snapshot)
    assert toy_platform.git_server.branch_head(PROPOSED)


@pytest.mark.parametrize("role", ["writer", "repository administrator", "site administrator"])
def test_a_member_comes_and_goes(role: Role, toy_platform: Platform, portal: FakePortal) -> None:
    fault = MemberAdded(user="somebody", role=role)
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()) == pending("they are not there")
    fault.inject(toy_platform, snapshot)
    assert fault.verify_injected(toy_platform, snapshot, ()) == met("they are there")
    may = {"writer": "write", "repository administrator": "admin"}.get(role, role)
    assert portal.kept("members") == {"somebody": may}
    fault.revert(toy_platform, snapshot)
    fault.revert(toy_platform, snapshot)
    assert portal.kept("members") == {}


def test_a_member_who_was_there_stays(toy_platform: Platform, portal: FakePortal) -> None:
    portal.keep("members", {"somebody": "write"})
    fault = MemberAdded(user="somebody", role="writer")
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()).state == "unrecoverable"
    fault.revert(toy_platform, snapshot)
    assert portal.kept("members") == {"somebody": "write"}


def test_the_protection_is_changed_and_changed_back(toy_platform: Platform) -> None:
    server, fault = toy_platform.git_server, ProtectionChanged(changed={"required_approvals": 0})
    server.protect_main()
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()) == pending("it says {'required_approvals': 1}")
    fault.inject(toy_platform, snapshot)
    assert fault.verify_injected(toy_platform, snapshot, ()) == met("it says so")
    assert main_protected(server).evaluate().observed == "required_approvals is 0"
    fault.revert(toy_platform, snapshot)
    assert main_protected(server).evaluate().state == "met"


@pytest.mark.parametrize("key", PROTECTION)
def test_each_part_of_the_protection_is_seen(key: str) -> None:
    value = PROTECTION[key]
    other = not value if isinstance(value, bool) else None
    assert evaluate_protected(PROTECTION).state == "met"
    assert evaluate_protected({**PROTECTION, key: other}) == pending(f"{key} is {other!r}")


def test_no_rule_protects_nothing(toy_platform: Platform, portal: FakePortal) -> None:
    portal.answers[f"GET {API}/branch_protections/main"] = (404, {})
    assert main_protected(toy_platform.git_server).evaluate() == pending("main is not protected")


def test_a_merge_that_is_tried_is_answered(toy_platform: Platform, portal: FakePortal) -> None:
    portal.answers[f"POST {API}/pulls/1/merge"] = (405, {"message": "no"})
    assert toy_platform.git_server.try_to_merge(1, {"Do": "squash"}, "of somebody") == 405
    assert ("POST", f"{API}/pulls/1/merge", {"Do": "squash"}) in portal.requests


# --- what is left in the cluster of what Git no longer has


def test_a_model_that_git_does_not_describe_is_named() -> None:
    assert evaluate_no_others({"a", "b"}, {"a", "b", "c"}).state == "met"
    assert evaluate_no_others({"a", "old"}, {"a"}) == pending("not described by Git: old")
    assert evaluate_no_others((), ()).state == "met"


def test_a_proposal_may_know_nothing_of_the_latest_commit(toy_platform: Platform, repository: Path) -> None:
    server = toy_platform.git_server
    server.commit({"first.txt": "of main\n"}, "Go on")
    fault = PullRequestProposed(branch="behind", title="Add it", files={"first.txt": "mine\n"}, behind=1)
    fault.inject(toy_platform, fault.snapshot(toy_platform))
    assert git("-C", str(repository), "rev-parse", "behind~1") == git("-C", str(repository), "rev-parse", "main~1")
    assert server.proposed("behind") == {"first.txt": "mine"}
    # Rebased: what the branch held before is gone from it.
    server.push_to("behind", {"third.txt": "more\n"}, "Add more", base=server.head())
    assert git("-C", str(repository), "rev-parse", "behind~1") == server.head()
    assert server.proposed("behind") == {"third.txt": "more"}


# --- who answers in its place

OWN = 200, b'{"version":"1.25.4"}\n'


class Balanced(LocalServer):
    """Somebody on the Git server's port: of 20 connections the 15th leads to a stranger, who answers so."""

    def __init__(self, stranger: tuple[int, bytes] = OWN) -> None:
        self.stranger = stranger

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        stranger, connections = self.stranger, itertools.count(1)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                self.number = next(connections)

            def do_GET(self) -> None:
                status, body = stranger if self.number == 15 else OWN
                self.send_response(status if self.path == "/api/v1/version" else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                """Quiet."""

        return Handler


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<p>hello"),
        (200, b'{"version":"1.25.3"}'),
        (200, b'"1.25.4"'),
        (200, b"\xff"),
        (404, b'{"version":"1.25.4"}'),
        (503, b""),
    ],
)
def test_each_answer_on_the_git_servers_port_is_its_own(
    status: int, body: bytes, api: ApiServer, cluster: Cluster
) -> None:
    """Its Service chooses for each connection who answers."""
    ground.put_ground(api)
    with Balanced() as alone:
        assert GitServerAnswers(alone.url).check(cluster) == met("20 of 20 in a row: Gitea 1.25.4")
    with Balanced((status, body)) as service:
        verdict = GitServerAnswers(service.url).check(cluster)
    assert verdict.state == "pending"
    words = f"1 of 20 answers in a row are wrong, first no. 15: HTTP {status} and .*, which is not Gitea 1.25.4"
    assert re.fullmatch(words, verdict.observed), verdict


def test_a_git_server_that_is_away_or_of_no_known_version(api: ApiServer, cluster: Cluster) -> None:
    assert "ConnectError" in GitServerAnswers("http://127.0.0.1:1").check(cluster).observed
    with Balanced() as server:
        assert GitServerAnswers(server.url).check(cluster).observed == f"{GITEA} does not say which version it runs"


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/gitea/gitea:1.25.4-rootless", "1.25.4"),
        ("localhost:5000/gitea/gitea:1.25.4", "1.25.4"),
        ("gitea/gitea:1.25.4@sha256:0123", "1.25.4"),
        ("gitea/gitea:1.25.4.5", ""),
        ("gitea/gitea:latest", ""),
        ("gitea/gitea", ""),
    ],
)
def test_the_version_that_is_deployed_is_that_of_the_images_tag(image: str, version: str) -> None:
    containers = [{"name": "log", "image": "busybox"}, {"name": "gitea", "image": image}]
    assert deployed_version({"spec": {"template": {"spec": {"containers": containers}}}}) == version
