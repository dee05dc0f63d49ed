"""The portal as a guest asks it."""

from __future__ import annotations

import pytest
from fake_portal import FakePortal

from neuroscale.backstage_client import Backstage, BackstageError, backstage_url
from neuroscale.cluster.state import ClusterState
from neuroscale.errors import PreconditionFailed
from neuroscale.probes.backstage import CatalogKnows, evaluate_entity

VALUES = {"name": "iris-9", "owner": "ml-platform"}
ENTITY = "/api/catalog/entities/by-name/component/default/iris-9"


def test_a_form_is_handed_in_and_its_task_followed(portal: FakePortal) -> None:
    backstage = Backstage(portal.url)
    task = backstage.task(backstage.create_task(dict(VALUES)))
    assert (task.status, task.ended, task.error) == ("completed", True, "")
    assert portal.requests[0] == ("POST", "/api/auth/guest/refresh", None)
    assert portal.requests[1][2] == {"templateRef": "template:default/model-endpoint", "values": VALUES}


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
