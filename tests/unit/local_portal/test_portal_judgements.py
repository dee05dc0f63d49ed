"""What must have come of forms, routes and settings is judged without any process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from neuroscale.backstage_client import Refusal, Task
from neuroscale.errors import ConditionTimeout, HostError, WriteForbidden
from neuroscale.git_server import PullRequest
from neuroscale.git_server_api import CREDENTIALS
from neuroscale.golden_path.form import expected_objects
from neuroscale.kubernetes.objects import secret_values
from neuroscale.kubernetes.refs import Ref
from neuroscale.local_portal import inputs, production, routes, submissions
from neuroscale.local_portal.backstage import Deployment, Running, config_of, image, moved_here
from neuroscale.local_portal.form_rules import completed
from neuroscale.local_portal.gitea import OwnProcess
from neuroscale.local_portal.inputs import Tried
from neuroscale.local_portal.routes import Asked
from neuroscale.local_portal.submissions import Handed, Submission, evaluate_link, evaluate_pull_request

FORM: dict[str, object] = {
    "name": "iris-3",
    "owner": "ml-platform",
    "costCenter": "cc-ml",
    "modelFormat": "sklearn",
    "storageUri": "http://models/iris/1/model.joblib",
}
BAD = {**FORM, "name": "Iris"}
VALUES = completed(FORM)
FILES = {path: yaml.safe_dump(obj) for path, obj in expected_objects(VALUES).items()}
REFUSED = Refusal(frozenset({"name"}), "instance.name does not match")
NONE: frozenset[str] = frozenset()


def tried(*answers: tuple[dict[str, object], Any]) -> Tried:
    return Tried(7, tuple(form for form, _ in answers), tuple(answer for _, answer in answers), NONE)


# --- forms


def test_what_is_taken_and_refused_as_the_rules_say_is_right() -> None:
    right = tried((FORM, FILES), (BAD, REFUSED))
    inputs.assert_as_the_rules_say(right)
    inputs.assert_reasons(right)
    inputs.assert_rendered(right)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            tried((FORM, FILES), (BAD, FILES)),
            r"1 of 2 forms \(seed 7\).*should be refused for \['name'\], but is taken",
        ),
        (tried((FORM, REFUSED), (BAD, REFUSED)), r"should be taken, but is refused: instance\.name"),
        (tried((FORM, FILES)), r"Forms of both kinds should be tried, but 1 of 1 are good"),
        (tried((BAD, REFUSED)), r"Forms of both kinds should be tried, but 0 of 1 are good"),
    ],
)
def test_a_false_acceptance_and_a_false_refusal_are_seen(wrong: Tried, said: str) -> None:
    with pytest.raises(ConditionTimeout, match=said):
        inputs.assert_as_the_rules_say(wrong)


def test_a_refusal_that_names_another_field_is_seen() -> None:
    with pytest.raises(ConditionTimeout, match=r"refused for \['name'\], but is for \['name', 'owner'\]"):
        inputs.assert_reasons(tried((BAD, Refusal(frozenset({"name", "owner"}), "x"))))


def test_another_rendering_and_no_rendering_are_seen() -> None:
    with pytest.raises(ConditionTimeout, match=r"README\.md as well"):
        inputs.assert_rendered(tried((FORM, {**FILES, "README.md": ""})))
    with pytest.raises(ConditionTimeout, match="none of 1 was"):
        inputs.assert_rendered(tried((BAD, REFUSED)))


def test_a_hostile_form_that_is_taken_is_seen() -> None:
    inputs.assert_each_refused(tried((BAD, REFUSED)))
    with pytest.raises(ConditionTimeout, match=r"'Iris'.* should be refused, but was taken"):
        inputs.assert_each_refused(tried((BAD, REFUSED), (BAD, None)))


# --- pull requests

BODY = (
    "Asked for by user:default/guest in the portal.\n\n| | |\n|---|---|\n| owner | `ml-platform` |\n"
    "| cost center | `cc-ml` |\n| model | `http://models/iris/1/model.joblib` |"
)


def pull(title: str = "Serve the model iris-3", body: str = BODY) -> PullRequest:
    return PullRequest(4, "model-iris-3", "abc", title, body, mergeable=True)


def test_a_pull_request_has_its_files_its_title_and_its_text() -> None:
    assert evaluate_pull_request(pull(), FILES, VALUES).state == "met"
    assert evaluate_pull_request(pull(body=f"{BODY}\n"), FILES, VALUES).state == "met"
    assert evaluate_pull_request(pull(title="x"), FILES, VALUES).observed.startswith("it says ('x'")
    assert evaluate_pull_request(pull(body=f"{BODY} x"), FILES, VALUES).state == "pending"
    assert "as well" in evaluate_pull_request(pull(), {**FILES, "a": ""}, VALUES).observed


def ended(status: Any, *urls: str) -> Submission:
    return Submission(VALUES, Task("1", status, {"links": [{"url": url} for url in urls]}, "why"))


def test_a_task_leads_to_its_pull_request() -> None:
    assert evaluate_link(ended("completed", "http://here/4"), "http://here/4").state == "met"
    assert evaluate_link(ended("completed", "http://here/5"), "http://here/4").state == "pending"
    assert evaluate_link(ended("completed"), "http://here/4").state == "pending"


def test_a_task_that_failed_is_heard_before_its_branch_is_missed() -> None:
    portal = cast("Any", SimpleNamespace(git_server=Server(), pages="http://here"))
    with pytest.raises(ConditionTimeout, match=r"Each of 2 tasks .* but 1 are not: failed, why"):
        submissions.assert_exact(Handed((ended("completed"), ended("failed")), frozenset({"main"})), portal)


class Server:
    """A Git server with the branches and pull requests that it is told."""

    url = "http://here"

    def __init__(self, *branches: str, pulls: int = 1) -> None:
        self._branches, self._pulls = branches, pulls

    def branches(self) -> set[str]:
        return {"main", *self._branches}

    def pull_requests(self) -> list[PullRequest]:
        return [pull() for _ in range(self._pulls)]

    def all_proposed(self, _: object) -> dict[str, dict[str, str]]:
        return {"model-iris-3": FILES}


def proposed_at(server: Server, before: frozenset[str] = frozenset({"main"})) -> dict[str, PullRequest]:
    portal = cast("Any", SimpleNamespace(git_server=server))
    return submissions.assert_proposed({"model-iris-3": VALUES}, before, portal)


def test_there_is_what_was_asked_for_and_nothing_else() -> None:
    assert proposed_at(Server("model-iris-3")) == {"model-iris-3": pull()}
    with pytest.raises(ConditionTimeout, match=r"should be there and are not: \['model-iris-3'\]"):
        proposed_at(Server())
    with pytest.raises(ConditionTimeout, match=r"should not be: \['evil'\]"):
        proposed_at(Server("model-iris-3", "evil"))
    with pytest.raises(ConditionTimeout, match=r"too many \{'model-iris-3': 1\}"):
        proposed_at(Server("model-iris-3", pulls=2))
    with pytest.raises(ConditionTimeout, match=r"missing are \{'model-iris-3': 1\}"):
        proposed_at(Server("model-iris-3", pulls=0))


def test_a_name_that_is_no_new_one_is_said_so() -> None:
    with pytest.raises(ConditionTimeout, match=r"a new name, but before it there were \['model-iris-3'\]"):
        proposed_at(Server("model-iris-3"), before=frozenset({"main", "model-iris-3"}))


def test_what_hostile_forms_leave_is_seen() -> None:
    before = Tried(0, (BAD,), (REFUSED,), frozenset({"main"}))
    inputs.assert_no_trace(before, cast("Any", SimpleNamespace(git_server=Server(pulls=0))))
    with pytest.raises(ConditionTimeout, match=r"the branches \['evil'\]"):
        inputs.assert_no_trace(before, cast("Any", SimpleNamespace(git_server=Server("evil", pulls=0))))


# --- routes


def asked(*more: Asked) -> list[Asked]:
    needed = ("POST /api/permission/authorize", "GET /api/catalog/entities", "POST /api/scaffolder/v2/tasks")
    return [*(Asked(route, (401, 401)) for route in needed), *more]


@pytest.mark.parametrize(
    "route",
    ["GET /.backstage/health/v1/liveness", "POST /api/auth/guest/refresh", "GET /api/app/*", "GET /*",
     "GET /api/catalog/.backstage/auth/v1/jwks.json", "GET /api/permission/health"],
)  # fmt: skip
def test_some_routes_are_anybodys(route: str) -> None:
    routes.assert_guarded(asked(Asked(route, (200, 200))))


@pytest.mark.parametrize(
    "route",
    ["GET /api/catalog/refresh", "GET /api/scaffolder/v2/tasks", "POST /api/permission/health", "GET /metrics",
     "POST /api/catalog/.backstage/auth/v1/jwks.json", "GET /api/authority", "GET /.backstage/health/v1/other"],
)  # fmt: skip
@pytest.mark.parametrize("statuses", [(200, 401), (401, 200), (404, 404)])
def test_every_other_must_answer_401(route: str, statuses: tuple[int, int]) -> None:
    with pytest.raises(ConditionTimeout, match="should answer 401"):
        routes.assert_guarded(asked(Asked(route, statuses)))


def test_a_list_without_the_routes_that_matter_proves_nothing() -> None:
    with pytest.raises(ConditionTimeout, match=r"should have the routes \['POST /api/scaffolder/v2/tasks'\]"):
        routes.assert_guarded(asked()[:2])


# --- configuration

RENDERED: dict[str, Any] = {
    "app": {"baseUrl": "http://127.0.0.1:7007"},
    "backend": {
        "baseUrl": "${PORTAL_URL}",
        "listen": ":7007",
        "database": {"connection": {"host": "backstage-postgresql", "port": 5432, "password": "${POSTGRES_PASSWORD}"}},
    },
    "integrations": {"gitea": [{"host": "gitea.forge.svc.cluster.local:3000"}]},
    "auth": {"providers": {"oidc": {}}},
}


def test_only_places_and_addresses_are_changed() -> None:
    moved = moved_here(RENDERED, git_server="http://127.0.0.1:4000", database=5000, port=6000)
    assert moved == {
        "app": {"baseUrl": "http://127.0.0.1:6000"},
        "backend": {
            "baseUrl": "${PORTAL_URL}",
            "listen": "127.0.0.1:6000",
            "database": {"connection": {"host": "127.0.0.1", "port": 5000, "password": "${POSTGRES_PASSWORD}"}},
        },
        "integrations": {"gitea": [{"host": "127.0.0.1:4000"}]},
        "auth": {"providers": {"oidc": {}}},
    }
    assert RENDERED["backend"]["listen"] == ":7007"


def test_the_configuration_is_the_one_of_the_chart() -> None:
    chart = [{"kind": "ConfigMap", "data": {"start": "x"}}, {"kind": "ConfigMap", "data": {"app-config.yaml": "a: 1"}}]
    assert config_of(chart) == {"a": 1}
    with pytest.raises(HostError, match=r"should have a ConfigMap with app-config\.yaml"):
        config_of(chart[:1])


def test_the_process_is_started_as_its_image_says() -> None:
    assert image().entrypoint[0] == "node"
    assert image().env["NODE_ENV"] == "production"


def running(tmp_path: Path, more: str = "", *, config: Any = RENDERED, **environment: str) -> Running:
    file = tmp_path / "app-config.yaml"
    file.write_text(yaml.safe_dump(config) + more, encoding="utf-8")
    return Running(
        Deployment("x", config, {"OIDC_CLIENT_SECRET": "hush"}, 1, environment), (file,), tmp_path / "routes"
    )


def test_production_without_a_back_door_is_right(tmp_path: Path) -> None:
    production.assert_no_back_door(running(tmp_path))


@pytest.mark.parametrize(
    ("more", "environment", "said"),
    [
        ("x: {dangerouslyAllowOutsideDevelopment: false}", {}, "dangerouslyAllowOutsideDevelopment"),
        ("x: {dangerouslyDisableDefaultAuthPolicy: true}", {}, "dangerouslyDisableDefaultAuthPolicy"),
        ("x: hush", {}, "OIDC_CLIENT_SECRET"),
        ("", {"NODE_ENV": "development"}, "NODE_ENV=development"),
    ],
)
def test_a_back_door_is_seen(tmp_path: Path, more: str, environment: dict[str, str], said: str) -> None:
    with pytest.raises(ConditionTimeout, match=said):
        production.assert_no_back_door(running(tmp_path, more, **environment))


@pytest.mark.parametrize("providers", [{}, {"guest": {}}, {"guest": {}, "oidc": {}}])
def test_a_way_in_that_is_none_is_seen(tmp_path: Path, providers: dict[str, object]) -> None:
    with pytest.raises(ConditionTimeout, match="lets in by"):
        production.assert_no_back_door(running(tmp_path, config={**RENDERED, "auth": {"providers": providers}}))


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_guest_is_to_find_no_door_at_all(status: int) -> None:
    production.assert_refused((404, ""))
    with pytest.raises(ConditionTimeout, match="should answer 404 in production"):
        production.assert_refused((status, ""))


def test_only_our_own_git_server_is_written_to() -> None:
    own = OwnProcess("http://127.0.0.1:4000", "word")
    own.assert_writable("POST to http://127.0.0.1:4000/api/v1")
    with pytest.raises(WriteForbidden, match=r"only http://127\.0\.0\.1:4000 is"):
        own.assert_writable("POST to http://127.0.0.1:3000/api/v1")
    assert secret_values(own.get(CREDENTIALS))["password"] == "word"
    assert own.get(Ref("Secret", "other", "forge")) is None
