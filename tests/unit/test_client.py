"""The one client, against a real HTTP server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
import yaml
from apiserver import ApiServer, kubeconfig_for
from fakes import CONFIG_MAPS, DEPLOYMENTS, NGINX, PAGE, populate

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ApiServerSlow, ClusterUnreachable, ExitCode
from neuroscale.kubernetes.refs import Object, Ref

SCRATCH: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "scratch", "namespace": "default"},
    "data": {"a": "1"},
}


def test_what_is_not_there_is_none(cluster: Cluster) -> None:
    assert cluster.get(PAGE) is None


def test_a_kind_that_is_not_served_is_an_error_and_not_an_absence(cluster: Cluster) -> None:
    """A deleted CRD must not look like "no such object"."""
    for ref in (
        Ref("Gadget", "a", "default", "v1"),
        Ref("InferenceService", "a", "default", "serving.kserve.io/v1beta1"),
    ):
        with pytest.raises(ApiError, match=f"should serve {ref.kind}") as caught:
            cluster.get(ref)
        assert caught.value.reason == "NoSuchKind"


def test_listed_objects_know_their_kind(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    assert [(obj["kind"], obj["apiVersion"]) for obj in cluster.list("Deployment")] == [("Deployment", "apps/v1")]
    assert [obj["metadata"]["name"] for obj in cluster.list("Deployment", labels="app=nginx-test")] == ["nginx-test"]
    assert cluster.list("Deployment", labels="app=other") == []
    assert cluster.list("Deployment", "elsewhere") == []
    assert len(cluster.list("ConfigMap", "default", fields="metadata.name=nginx-page")) == 1


def test_create_and_its_refusal(api: ApiServer, cluster: Cluster) -> None:
    assert cluster.create(SCRATCH)["metadata"]["uid"]
    with pytest.raises(ApiError, match="already exists") as caught:
        cluster.create(SCRATCH)
    assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")
    assert caught.value.exit_code == ExitCode.NOT_RUN


def test_a_dry_run_stores_nothing(api: ApiServer, cluster: Cluster) -> None:
    cluster.create(SCRATCH, dry_run=True)
    assert cluster.get(Ref.to(SCRATCH)) is None


def test_apply_creates_and_changes(api: ApiServer, cluster: Cluster) -> None:
    cluster.apply(SCRATCH)
    assert cluster.apply({**SCRATCH, "data": {"b": "2"}})["data"] == {"a": "1", "b": "2"}


def test_patch_deletes_with_none(api: ApiServer, cluster: Cluster) -> None:
    cluster.create(SCRATCH)
    assert cluster.patch(Ref.to(SCRATCH), {"data": {"a": None, "b": "2"}})["data"] == {"b": "2"}


def test_delete_spares_a_namesake(api: ApiServer, cluster: Cluster) -> None:
    stored = cluster.create(SCRATCH)
    with pytest.raises(ApiError, match="UID"):
        cluster.delete(Ref.to(SCRATCH), uid="another")
    cluster.delete(Ref.to(SCRATCH), uid=stored["metadata"]["uid"])
    with pytest.raises(ApiError) as caught:
        cluster.delete(Ref.to(SCRATCH))
    assert caught.value.status == 404


def test_cluster_scoped_and_namespaced_paths(api: ApiServer, cluster: Cluster) -> None:
    asked: list[str] = []
    api.before = lambda method, path: asked.append(path)
    cluster.get(Ref("Node", "node-0"))
    cluster.get(NGINX)
    assert asked == ["/api/v1", "/api/v1/nodes/node-0", "/apis/apps/v1", f"{DEPLOYMENTS}/nginx-test"]


def test_text_is_not_decoded(api: ApiServer, cluster: Cluster) -> None:
    api.answers["GET /readyz"] = (200, b"ok \xff", {})
    assert cluster.text("/readyz") == "ok \ufffd"


def test_logs_are_bounded(api: ApiServer, cluster: Cluster) -> None:
    api.answers["GET /api/v1/namespaces/default/pods/p/log"] = (200, b"a line\n", {})
    assert cluster.logs(Ref("Pod", "p", "default"), "c", since_seconds=60, limit_bytes=100) == "a line\n"


@pytest.mark.parametrize(
    "call",
    [
        lambda cluster: cluster.get(PAGE),
        lambda cluster: cluster.list("Pod"),
        lambda cluster: cluster.text("/readyz"),
        lambda cluster: list(cluster.watch(PAGE, seconds=1)),
    ],
)
def test_a_dead_api_server_is_neither_empty_nor_calm(call: Callable[[Cluster], object], tmp_path: Path) -> None:
    with ApiServer() as dead:
        url = dead.url
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig_for(url)), encoding="utf-8")
    with pytest.raises(ClusterUnreachable, match=r"should answer GET .*Next: neuroscale status"):
        call(Cluster.from_kubeconfig(file, None))


def test_a_refusal_keeps_status_reason_and_message(api: ApiServer, cluster: Cluster) -> None:
    denial = b'{"reason": "Forbidden", "message": "admission webhook \\"a\\" denied the request"}'
    api.answers[f"POST {CONFIG_MAPS}"] = (403, denial, {})
    with pytest.raises(ApiError, match='webhook "a" denied') as caught:
        cluster.create(SCRATCH)
    assert (caught.value.status, caught.value.reason) == (403, "Forbidden")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"null", b"3"])
def test_an_answer_that_is_no_object_is_a_refusal(body: bytes, api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    api.answers[f"GET {CONFIG_MAPS}/nginx-page"] = (200, body, {})
    with pytest.raises(ApiError, match="An object was expected"):
        cluster.get(PAGE)


def test_nothing_is_tried_again_in_secret(api: ApiServer, cluster: Cluster) -> None:
    """A retry inside the transport would hide the very outages that are measured."""
    asked: list[str] = []
    api.before = lambda method, path: asked.append(path)
    api.answers["GET /readyz"] = (503, b"", {"Retry-After": "1"})
    with pytest.raises(ApiError):
        cluster.text("/readyz")
    assert asked == ["/readyz"]


def test_a_watch_begins_with_the_present_and_ends_by_itself(api: ApiServer, cluster: Cluster) -> None:
    populate(api)
    listed: list[bool] = []
    events = cluster.watch(PAGE, seconds=1, listed=lambda: listed.append(True))
    event, obj = next(events)
    assert (event, obj["kind"], listed) == ("ADDED", "ConfigMap", [])
    assert list(events) == []
    assert listed == [True]


def test_a_late_answer_is_told_from_none(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise urllib3.exceptions.ReadTimeoutError(None, "/readyz", "Read timed out.")  # type: ignore[arg-type]

    monkeypatch.setattr(cluster._rest, "request", late)
    with pytest.raises(ApiServerSlow, match=r"should answer GET /readyz, but: .*Read timed out"):
        cluster.text("/readyz")
