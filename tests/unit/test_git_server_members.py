"""Who may do what at the Git server: what it is asked, what of its answers counts, and what is never sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from apiserver import ApiServer
from fake_portal import FakePortal

from neuroscale.errors import NeuroscaleError, WriteForbidden
from neuroscale.git_server import GitServer
from neuroscale.git_server_members import Role
from neuroscale.platform import Platform

API = "/api/v1/repos/neuroscale/platform"
#: What is done -> the request that it fails with.
WRITES: dict[str, tuple[Callable[[GitServer], object], str]] = {
    "a token": (lambda server: server.token_of("eve", ("write:repository",)), "POST /api/v1/users/eve/tokens"),
    "the end of a token": (lambda server: server.token_of("eve", ()), "DELETE /api/v1/users/eve/tokens/eve"),
    "a user": (lambda server: server.add_member("eve", "writer"), "POST /api/v1/admin/users"),
    "an administrator": (
        lambda server: server.add_member("eve", "site administrator"), "PATCH /api/v1/admin/users/eve",
    ),
    "a right": (lambda server: server.grant("eve", "read"), f"PUT {API}/collaborators/eve"),
    "a user's end": (lambda server: server.remove_member("eve"), "DELETE /api/v1/admin/users/eve"),
    "a merge that is called off": (lambda server: server.call_off_merge(1), f"DELETE {API}/pulls/1/merge"),
}  # fmt: skip
#: Where an answer means that there is nothing to do.
HARMLESS = {("the end of a token", 404), ("a user", 422), ("a user's end", 404), ("a merge that is called off", 404)}


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("status", [403, 404, 422, 500])
def test_what_is_refused_is_an_error_unless_there_was_nothing_to_do(
    status: int, what: str, toy_platform: Platform, portal: FakePortal
) -> None:
    do, request = WRITES[what]
    portal.answers[request] = (status, {"message": "no"})
    method, path = request.split()
    if (what, status) in HARMLESS:
        do(toy_platform.git_server)
    else:
        with pytest.raises(NeuroscaleError, match=rf"should take {method} {path}.*but answered {status}: .*no"):
            do(toy_platform.git_server)
    assert request in [f"{method} {path}" for method, path, _ in portal.requests]


@pytest.mark.parametrize("what", [*WRITES, "a merge"])
def test_nothing_is_sent_to_a_platform_that_is_not_ours(
    what: str, toy_platform: Platform, portal: FakePortal, api: ApiServer
) -> None:
    api.objects.clear()
    do, _ = WRITES.get(what, (lambda server: server.try_to_merge(1, {"Do": "merge"}, "of eve"), ""))
    with pytest.raises(WriteForbidden):
        do(toy_platform.git_server)
    assert portal.requests == []


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        ("writer", (f"{API}/collaborators/eve", {"permission": "write"})),
        ("repository administrator", (f"{API}/collaborators/eve", {"permission": "admin"})),
        ("site administrator", ("/api/v1/admin/users/eve", {"login_name": "eve", "source_id": 0, "admin": True})),
    ],
)
def test_a_role_is_all_that_somebody_gets(
    role: Role, asked: tuple[str, object], toy_platform: Platform, portal: FakePortal
) -> None:
    toy_platform.git_server.add_member("eve", role)
    (_, _, made), (_, *rest) = portal.requests
    assert (made["username"], made["must_change_password"]) == ("eve", False)
    assert tuple(rest) == asked


def test_a_password_is_long_and_nobody_elses(toy_platform: Platform, portal: FakePortal) -> None:
    for user in ("eve", "mallory"):
        toy_platform.git_server.add_member(user, "writer")
    passwords = [body["password"] for method, _, body in portal.requests if method == "POST"]
    assert len(set(passwords)) == 2
    assert all(len(password) >= 32 for password in passwords)


def test_a_token_ends_the_one_before_it(toy_platform: Platform, portal: FakePortal) -> None:
    assert toy_platform.git_server.token_of("eve", ("read:user", "write:repository")) == "of eve"
    assert portal.requests == [
        ("DELETE", "/api/v1/users/eve/tokens/eve", None),
        ("POST", "/api/v1/users/eve/tokens", {"name": "eve", "scopes": ["read:user", "write:repository"]}),
    ]


def test_a_user_is_there_or_not_and_nothing_in_between(toy_platform: Platform, portal: FakePortal) -> None:
    assert toy_platform.git_server.member("eve") is False
    toy_platform.git_server.add_member("eve", "writer")
    assert toy_platform.git_server.member("eve") is True
    portal.answers["GET /api/v1/users/eve"] = (500, {})
    with pytest.raises(NeuroscaleError, match="should say /api/v1/users/eve, but answered 500"):
        toy_platform.git_server.member("eve")


@pytest.mark.parametrize("status", [200, 201, 404, 405, 409, 500])
def test_whoever_tries_to_merge_gets_their_own_answer(status: int, toy_platform: Platform, portal: FakePortal) -> None:
    """With their own token: the administrator's would let them in."""
    portal.answers[f"POST {API}/pulls/1/merge"] = (status, {})
    how = {"Do": "merge", "merge_when_checks_succeed": True}
    assert toy_platform.git_server.try_to_merge(1, how, "of eve") == status
    assert portal.requests == [("POST", f"{API}/pulls/1/merge", how)]
    assert portal.token == "of eve"


ASKED: dict[str, Callable[[GitServer], object]] = {what: do for what, (do, _) in WRITES.items()} | {
    "a repository": lambda server: server.ensure_repository(),
    "pull requests": lambda server: server.pull_requests(),
    "comments": lambda server: server.comments(1),
    "a hook": lambda server: server.push_hook(),
    "the protection": lambda server: server.protection(),
    "a package": lambda server: server.has_package("/api/packages/neuroscale/generic/a/1/b"),
    "an upload": lambda server: server.upload_package("/api/packages/neuroscale/generic/a/1/b", b""),
    "a good token": lambda server: server.takes_token("of eve"),
    "a merge": lambda server: server.try_to_merge(1, {}, "of eve"),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_git_server_that_does_not_answer_is_said_in_a_sentence(
    what: str, toy_platform: Platform, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy_platform.git_server, "url", "http://127.0.0.1:1")
    with pytest.raises(NeuroscaleError, match=r"answer at http://127\.0\.0\.1:1, but: ConnectError: .* Next: "):
        ASKED[what](toy_platform.git_server)
    assert portal.requests == []
