"""The portal as a guest asks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from fake_portal import FakePortal

from neuroscale.backstage_client import Answer, Backstage, BackstageError, backstage_url
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import PreconditionFailed
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import pending
from neuroscale.probes.backstage import (
    CatalogKnows,
    LocationRefused,
    LocationsRead,
    NobodyAt,
    PageSendsTo,
    PageUntitled,
    evaluate_answer,
    evaluate_entity,
    evaluate_locations,
    evaluate_page,
    evaluate_refused,
    evaluate_untitled,
    guest_admitted,
)

VALUES = {"name": "iris-9", "owner": "ml-platform"}
ENTITY = "/api/catalog/entities/by-name/component/default/iris-9"


def test_a_form_is_handed_in_and_its_task_followed(portal: FakePortal) -> None:
    backstage = Backstage(portal.url)
    task = backstage.task(backstage.create_task(dict(VALUES)))
    assert (task.status, task.ended, task.error) == ("completed", True, "")
    assert portal.requests[0] == ("POST", "/api/auth/guest/refresh", None)
    assert portal.requests[1][2] == {"templateRef": "template:default/model-endpoint", "values": VALUES}


def test_when_a_task_ended_is_told_by_its_last_event(portal: FakePortal) -> None:
    backstage = Backstage(portal.url)
    task = backstage.create_task(dict(VALUES))
    at = "2026-11-29T05:00:01.500Z"
    portal.answers[f"GET /api/scaffolder/v2/tasks/{task}/events"] = (
        200,
        [{"type": "log", "body": {}}, {"type": "completion", "body": {"message": "x"}, "createdAt": at}],
    )
    assert backstage.task(task).ended_at == datetime(2026, 11, 29, 5, 0, 1, 500_000, tzinfo=UTC)
    portal.answers[f"GET /api/scaffolder/v2/tasks/{task}/events"] = (200, [{"type": "log", "body": {}}])
    assert backstage.task(task).ended_at is None


def test_only_tasks_of_the_same_form_are_its(portal: FakePortal) -> None:
    backstage = Backstage(portal.url)
    backstage.create_task({**VALUES, "name": "other"})
    mine = backstage.create_task(dict(VALUES))
    portal.tasks[mine] |= {"status": "failed", "error": "apps/iris-9 should be new"}
    (task,) = backstage.tasks(dict(VALUES))
    assert (task.id, task.status, task.error) == (mine, "failed", "apps/iris-9 should be new")


def test_a_form_that_is_refused_says_which_field(portal: FakePortal) -> None:
    said = {"errors": [{"message": "does not match pattern", "property": "instance.name"}]}
    portal.answers["POST /api/scaffolder/v2/tasks"] = (400, said)
    with pytest.raises(BackstageError, match=r"answered 400: .*instance\.name.*Next: ") as caught:
        Backstage(portal.url).create_task({})
    assert caught.value.status == 400


def test_a_portal_that_lets_no_guest_in_says_so(portal: FakePortal) -> None:
    portal.answers["POST /api/auth/guest/refresh"] = (404, {"error": {"name": "NotFoundError"}})
    with pytest.raises(BackstageError, match="should let a guest in, but answered 404") as caught:
        Backstage(portal.url).entity("component:default/iris-9")
    assert caught.value.status == 404


def test_a_token_that_has_ended_is_renewed_once(portal: FakePortal) -> None:
    backstage = Backstage(portal.url)
    backstage.create_task(dict(VALUES))
    portal.answers[f"GET {ENTITY}"] = (401, {})
    with pytest.raises(BackstageError, match="answered 401"):
        backstage.entity("component:default/iris-9")
    assert [path for _, path, _ in portal.requests].count("/api/auth/guest/refresh") == 2
    assert [path for _, path, _ in portal.requests].count(ENTITY) == 2


def test_nobody_there_is_an_error_with_the_next_move() -> None:
    with pytest.raises(BackstageError, match=r"but: ConnectError: .*Next: kubectl -n backstage logs"):
        Backstage("http://127.0.0.1:1").entity("component:default/iris-9")


@pytest.mark.parametrize(
    ("status", "content", "state", "said"),
    [
        (200, {"spec": {"type": "model-endpoint", "owner": "a"}}, "met", "type model-endpoint, owner a"),
        (200, {"spec": {"type": "service", "owner": "a"}}, "pending", "type is 'service' and not 'model-endpoint'"),
        (200, {}, "pending", "owner is None and not 'a'"),
        (404, {}, "pending", "it is not there"),
        (500, {}, "pending", "answered 500"),
    ],
)
def test_the_catalog_knows_what_it_says_in_full(
    status: int, content: object, state: str, said: str, portal: FakePortal
) -> None:
    portal.answers[f"GET {ENTITY}"] = (status, content)
    probe = CatalogKnows(Backstage(portal.url), "component:default/iris-9", {"type": "model-endpoint", "owner": "a"})
    verdict = probe.check(None)  # type: ignore[arg-type]
    assert verdict.state == state
    assert said in verdict.observed


def test_an_entity_that_is_not_there_is_not_right() -> None:
    assert not evaluate_entity(None, {})


def test_a_cluster_of_before_has_no_port_for_it(state: ClusterState) -> None:
    state.model_copy(update={"ports": {"forge": 1}}).save()
    with pytest.raises(PreconditionFailed, match="should have a port for the portal, but has none"):
        backstage_url()
    state.model_copy(update={"ports": {"backstage": 7}}).save()
    assert backstage_url() == "http://127.0.0.1:7"


# --- as somebody who has not signed in


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (Answer(404, "Unknown auth provider 'guest'"), "met", "it answered 404: Unknown auth"),
        (Answer(404, "no such page"), "pending", "it answered 404: no such page"),
        (Answer(503, "provider 'guest'"), "pending", "it answered 503: provider"),
    ],
)
def test_an_answer_has_its_status_and_its_words(answer: Answer, state: str, said: str) -> None:
    verdict = evaluate_answer(answer, 404, "provider 'guest'")
    assert verdict.state == state
    assert verdict.observed.startswith(said)


def test_what_lets_somebody_in_is_not_repeated() -> None:
    assert evaluate_answer(Answer(200, "a token"), 200, "").observed == "it answered 200"


def test_a_stranger_has_no_token(portal: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroscale.backstage_client.backstage_url", lambda: portal.url)
    assert guest_admitted().check(None)  # type: ignore[arg-type]
    portal.answers["POST /api/auth/guest/refresh"] = (404, {"error": {"message": "Unknown auth provider 'guest'"}})
    assert guest_admitted().check(None).observed.startswith("it answered 404")  # type: ignore[arg-type]
    assert [path for _, path, _ in portal.requests] == ["/api/auth/guest/refresh"] * 2


@pytest.mark.parametrize("page", ["<h1>Welcome to nginx!</h1>", {"token": "of somebody"}, {}])
def test_an_answer_of_somebody_else_lets_nobody_in(
    page: object, portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands in the portal's place may answer 200."""
    monkeypatch.setattr("neuroscale.backstage_client.backstage_url", lambda: portal.url)
    portal.answers["POST /api/auth/guest/refresh"] = (200, page)
    assert guest_admitted().check(None) == pending("""it answered 200, without '"backstageIdentity"'""")  # type: ignore[arg-type]
    with pytest.raises(BackstageError, match="should let a guest in, but answered 200"):
        Backstage(portal.url).entity("component:default/iris-9")


def test_a_portal_that_is_away_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroscale.backstage_client.backstage_url", lambda: "http://127.0.0.1:1")
    verdict = guest_admitted().check(None)  # type: ignore[arg-type]
    assert verdict.state == "pending"
    assert "but: ConnectError" in verdict.observed


def page(*addresses: str | None) -> str:
    """As the portal serves it: what each of its configurations lets the front end see."""
    configs = [{"data": {"app": {}, **({"backend": {"baseUrl": one}} if one else {})}} for one in addresses]
    return f'<head>\n<script type="backstage.io/config">\n{json.dumps(configs)}\n</script>\n</head>'


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (Answer(200, page("http://a", "http://b", None)), "met", "it sends the browser to http://b"),
        (Answer(200, page("http://b", "http://a")), "pending", "it sends the browser to http://a"),
        (Answer(200, page(None)), "pending", "it sends the browser to nowhere"),
        (Answer(200, "<head></head>"), "pending", "it answered 200, and no configuration in its page"),
        (Answer(503, page("http://b")), "pending", "it answered 503"),
    ],
)
def test_a_page_says_where_it_sends_the_browser(answer: Answer, state: str, said: str) -> None:
    verdict = evaluate_page(answer, "http://b")
    assert verdict.state == state
    assert verdict.observed.startswith(said)


def titled(*titles: str | None) -> str:
    configs = [{"data": {"app": {"baseUrl": "http://a", **({"title": one} if one else {})}}} for one in titles]
    return f'<script type="backstage.io/config">{json.dumps(configs)}</script>'


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (Answer(200, titled(None, None)), "met", "of app it has baseUrl"),
        (Answer(200, page("http://a")), "met", "of app it has nothing"),
        (Answer(200, titled("NeuroScale", None)), "pending", "its title is 'NeuroScale'"),
        (Answer(200, "<head></head>"), "pending", "it answered 200, and no configuration"),
        (Answer(404, titled(None)), "pending", "it answered 404"),
    ],
)
def test_a_page_without_a_title_has_none_in_any_of_its_configurations(answer: Answer, state: str, said: str) -> None:
    verdict = evaluate_untitled(answer)
    assert verdict.state == state
    assert verdict.observed.startswith(said)


def test_the_page_is_the_portals(portal: FakePortal) -> None:
    assert PageSendsTo("http://b").check(None).observed.startswith("it answered 404")  # type: ignore[arg-type]
    assert PageUntitled().check(None).observed.startswith("it answered 404")  # type: ignore[arg-type]


def test_where_somebody_listens_somebody_is(portal: FakePortal) -> None:
    assert not NobodyAt(portal.url).check(None)  # type: ignore[arg-type]
    assert NobodyAt("http://127.0.0.1:1").check(None)  # type: ignore[arg-type]


# --- where the catalog reads

REFUSED = {
    "metadata": {"name": "generated-1"},
    "status": {
        "items": [{"level": "error", "message": "NotAllowedError: Entity template:default/model-endpoint at x"}]
    },
}
READ = {"metadata": {"name": "generated-2"}, "status": {"items": [{"level": "info", "message": "read"}]}}
QUIET = {"metadata": {"name": "generated-3"}}


@pytest.mark.parametrize(
    ("locations", "all_read", "refused"),
    [
        ([READ, QUIET], "met", "pending"),
        ([READ, REFUSED], "pending", "met"),
        ([{**REFUSED, "status": {"items": [{"level": "error", "message": "NotFoundError"}]}}], "pending", "pending"),
        ([], "pending", "pending"),
    ],
)
def test_a_location_with_an_error_is_not_read(locations: list[Object], all_read: str, refused: str) -> None:
    assert evaluate_locations(locations).state == all_read
    assert evaluate_refused(locations, "NotAllowedError: Entity template:default/model-endpoint").state == refused


def test_locations_are_those_of_the_catalog(portal: FakePortal) -> None:
    path = "GET /api/catalog/entities/by-query"
    portal.answers[path] = (200, {"items": [QUIET]})
    assert LocationsRead(Backstage(portal.url)).check(None).observed == "1 locations, none with an error"  # type: ignore[arg-type]
    portal.answers[path] = (200, {"items": [REFUSED]})
    assert LocationRefused("NotAllowedError").check(None)  # type: ignore[arg-type]
    portal.answers[path] = (503, {})
    assert "answered 503" in LocationsRead(Backstage(portal.url)).check(None).observed  # type: ignore[arg-type]
    assert "answered 503" in LocationRefused("NotAllowedError").check(None).observed  # type: ignore[arg-type]


def test_why_a_form_is_refused_is_told_by_field(portal: FakePortal) -> None:
    errors = [
        {"path": ["name"], "name": "pattern", "argument": "^[a-z]", "instance": "A"},
        {"path": [], "name": "required", "argument": "owner", "instance": {}},
        {"path": [], "name": "additionalProperties", "argument": "labels", "instance": {}},
        {"path": [], "name": "enum", "argument": ["name"], "instance": "constructor"},
    ]
    portal.answers["POST /api/scaffolder/v2/tasks"] = (400, {"errors": errors})
    refusal = Backstage(portal.url).refusal({})
    assert refusal is not None
    assert refusal.fields == {"name", "owner", "labels", "constructor"}


def test_a_form_that_is_taken_is_no_refusal(portal: FakePortal) -> None:
    assert Backstage(portal.url).refusal(dict(VALUES)) is None


def test_a_form_is_tried_with_the_template_at_hand(portal: FakePortal) -> None:
    made = {"directoryContents": [{"path": "apps/iris-9/a.yaml", "base64Content": "eA=="}]}
    portal.answers["POST /api/scaffolder/v2/dry-run"] = (200, made)
    assert Backstage(portal.url).dry_run({"kind": "Template"}, VALUES, {"skeleton/a": b"y"}) == {
        "apps/iris-9/a.yaml": "x"
    }
    body = portal.requests[-1][2]
    assert body["directoryContents"] == [{"path": "skeleton/a", "base64Content": "eQ=="}]
    assert (body["template"], body["values"]) == ({"kind": "Template"}, VALUES)
    portal.answers["POST /api/scaffolder/v2/dry-run"] = (500, {})
    with pytest.raises(BackstageError, match="answered 500"):
        Backstage(portal.url).dry_run({}, {}, {})
