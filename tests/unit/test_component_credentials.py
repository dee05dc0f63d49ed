"""What components make that Git has not: tokens at the Git server and in the cluster, and what protects ``main``."""

from __future__ import annotations

import pytest
from apiserver import ApiServer
from fake_portal import FakePortal

from neuroscale.cluster.client import Cluster
from neuroscale.components import COMPONENTS
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server_api import PROTECTION
from neuroscale.kubernetes.objects import secret_values
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER, ROOT

API = "/api/v1/repos/neuroscale/platform"
#: Stage -> its namespace, and each Secret with the tokens that are in it.
TOKENS = {
    "gate's credentials": ("pull-requests", {user: {"TOKEN": user} for user in (GATE_REPORTER, GATE_WATCHER)}),
    "portal's credentials": ("backstage", {"backstage": {"GITEA_TOKEN": "portal"}}),
}
#: Stage -> who has a token in its environment.
READERS = {
    "gate's credentials": "pull-requests/deployments/gate-watch",
    "portal's credentials": "backstage/deployments/neuroscale-backstage",
}


def apply(stage: str, platform: Platform) -> None:
    (found,) = (one for component in COMPONENTS for one in component.stages if one.name == stage)
    found.apply(platform, ROOT)


def secrets_of(stage: str, api: ApiServer) -> dict[str, dict[str, str]]:
    namespace, users = TOKENS[stage]
    return {name: secret_values(api.objects.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")) for name in users}


def written(portal: FakePortal) -> list[str]:
    """Every request that is no mere question."""
    return [f"{method} {path}" for method, path, _ in portal.requests if method != "GET"]


@pytest.fixture
def taking(portal: FakePortal) -> FakePortal:
    """A Git server that takes every token."""
    portal.answers[f"GET {API}"] = (200, {})
    return portal


@pytest.mark.parametrize("stage", TOKENS)
def test_tokens_are_made_once(stage: str, toy_platform: Platform, api: ApiServer, taking: FakePortal) -> None:
    namespace, users = TOKENS[stage]
    apply(stage, toy_platform)
    assert f"/api/v1/namespaces/{namespace}" in api.objects
    made = secrets_of(stage, api)
    for name, tokens in users.items():
        assert {key: made[name][key] for key in tokens} == {key: f"of {user}" for key, user in tokens.items()}
    before = len(api.writes), len(written(taking))
    apply(stage, toy_platform)
    assert (len(api.writes), len(written(taking))) == before, "a second time has nothing to write"
    assert secrets_of(stage, api) == made


@pytest.mark.parametrize("stage", TOKENS)
def test_tokens_that_were_revoked_are_made_anew(
    stage: str, toy_platform: Platform, api: ApiServer, taking: FakePortal
) -> None:
    """And nothing else is: the database knows its password."""
    apply(stage, toy_platform)
    before, issued = secrets_of(stage, api), len(written(taking))
    taking.answers[f"GET {API}"] = (401, {})
    apply(stage, toy_platform)
    again = [line for line in written(taking)[issued:] if line.startswith("POST") and line.endswith("/tokens")]
    users = [user for tokens in TOKENS[stage][1].values() for user in tokens.values()]
    assert again == [f"POST /api/v1/users/{user}/tokens" for user in users]
    assert secrets_of(stage, api) == before


@pytest.mark.parametrize("stage", TOKENS)
def test_a_git_server_that_does_not_say_whether_it_takes_a_token_gets_no_other(
    stage: str, toy_platform: Platform, api: ApiServer, taking: FakePortal
) -> None:
    """A new token ends the one before it, which may be good."""
    apply(stage, toy_platform)
    before, issued = secrets_of(stage, api), len(written(taking))
    taking.answers[f"GET {API}"] = (500, {})
    with pytest.raises(NeuroscaleError, match="should say whether a token lets somebody see"):
        apply(stage, toy_platform)
    assert (secrets_of(stage, api), len(written(taking))) == (before, issued)


def test_each_user_of_the_gate_has_a_token_of_its_own(
    toy_platform: Platform, api: ApiServer, taking: FakePortal
) -> None:
    apply("gate's credentials", toy_platform)
    tokens = [values["TOKEN"] for values in secrets_of("gate's credentials", api).values()]
    assert len(set(tokens)) == len(tokens) == 2
    assert taking.kept("members") == {GATE_REPORTER: "write", GATE_WATCHER: "write"}


@pytest.mark.parametrize(
    ("found", "sent"),
    [
        ((404, {}), [f"POST {API}/branch_protections"]),
        ((200, PROTECTION), []),
        ((200, {**PROTECTION, "updated_at": "today"}), []),
        ((200, {**PROTECTION, "required_approvals": 0}), [f"PATCH {API}/branch_protections/main"]),
        ((200, {**PROTECTION, "block_admin_merge_override": False}), [f"PATCH {API}/branch_protections/main"]),
    ],
)
def test_main_is_protected_only_where_it_is_not(
    found: tuple[int, object], sent: list[str], toy_platform: Platform, portal: FakePortal
) -> None:
    portal.answers[f"GET {API}/branch_protections/main"] = found
    apply("protection of main", toy_platform)
    assert written(portal) == sent
    assert [body for method, _, body in portal.requests if method != "GET"] == [PROTECTION] * len(sent)


def test_a_token_that_was_made_for_less_is_made_anew(
    toy_platform: Platform, api: ApiServer, taking: FakePortal
) -> None:
    """That of a platform from before the gate commented: it is taken, and each comment would be refused."""
    stage = "gate's credentials"
    apply(stage, toy_platform)
    path = f"/api/v1/namespaces/pull-requests/secrets/{GATE_REPORTER}"
    del api.objects[path]["data"]["SCOPES"]
    issued = len(written(taking))
    apply(stage, toy_platform)
    again = [
        (path, body["scopes"]) for method, path, body in taking.requests if method == "POST" and body.get("scopes")
    ]
    assert [line for line in written(taking)[issued:] if line.endswith("/tokens")] == [
        f"POST /api/v1/users/{GATE_REPORTER}/tokens"
    ]
    assert again[-1] == (f"/api/v1/users/{GATE_REPORTER}/tokens", ["write:issue", "write:repository"])


@pytest.mark.parametrize("stage", READERS)
def test_who_has_read_a_token_that_is_no_more_is_restarted(
    stage: str, toy_platform: Platform, api: ApiServer, taking: FakePortal
) -> None:
    """It reads it from its environment, and would go on with the old one."""
    apply(stage, toy_platform)
    path = f"/apis/apps/v1/namespaces/{READERS[stage]}"
    template = {"metadata": {"labels": {"app": "a"}}}
    api.objects[path] = {"kind": "Deployment", "metadata": {}, "spec": {"template": template}}
    apply(stage, toy_platform)
    assert api.objects[path]["spec"]["template"] == template, "its token is good"
    taking.answers[f"GET {API}"] = (401, {})
    apply(stage, toy_platform)
    meta = api.objects[path]["spec"]["template"]["metadata"]
    assert (meta["labels"], list(meta["annotations"])) == ({"app": "a"}, ["kubectl.kubernetes.io/restartedAt"])


@pytest.mark.parametrize("stage", READERS)
def test_who_was_not_restarted_by_a_run_that_died_is_restarted_by_the_next(
    stage: str, toy_platform: Platform, api: ApiServer, taking: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Secret has the new token by then, which is good, and nothing else would tell."""
    apply(stage, toy_platform)
    path = f"/apis/apps/v1/namespaces/{READERS[stage]}"
    api.objects[path] = {"kind": "Deployment", "metadata": {}, "spec": {"template": {"metadata": {}}}}
    before = secrets_of(stage, api)

    def die(self: Cluster, ref: Ref, body: Object) -> Object:
        raise SystemExit("killed")

    for answer in (401, 200):
        taking.answers[f"GET {API}"] = (answer, {})
        with monkeypatch.context() as death:
            death.setattr(Cluster, "patch", die)
            with pytest.raises(SystemExit, match="killed"):
                apply(stage, toy_platform)
    assert api.objects[path]["spec"]["template"]["metadata"] == {}
    apply(stage, toy_platform)
    restarted = dict(api.objects[path]["spec"]["template"]["metadata"]["annotations"])
    assert [*restarted] == ["kubectl.kubernetes.io/restartedAt"]
    writes = len(api.writes)
    apply(stage, toy_platform)
    assert len(api.writes) == writes, "it has come to an end"
    assert api.objects[path]["spec"]["template"]["metadata"]["annotations"] == restarted
    assert secrets_of(stage, api) == before
