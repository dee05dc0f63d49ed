"""What removed models leave behind is ended at once, and nothing else is."""

from __future__ import annotations

import pytest

from neuroscale.chaos.faults import PullRequestMerged
from neuroscale.chaos.leaving_pods import end_leaving_pods, quieten
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.probes.knative_resources import MODEL_LABEL
from tests.apiserver import ApiServer

_PODS = "/api/v1/namespaces/default/pods"
_LEAVING = {"deletionTimestamp": "2026-11-29T00:00:00Z"}


def _put(api: ApiServer, name: str, model: str = "", **meta: str) -> None:
    labels = {MODEL_LABEL: model} if model else {}
    named = {"name": name, "namespace": "default", "labels": labels, **meta}
    api.put(f"{_PODS}/{name}", {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": {}})


def _left(api: ApiServer) -> set[str]:
    return {path.rpartition("/")[2] for path in api.objects if path.startswith(f"{_PODS}/")}


@pytest.fixture
def pods(api: ApiServer) -> ApiServer:
    _put(api, "serves", "iris-1")
    _put(api, "drains", "iris-1", **_LEAVING)
    _put(api, "drains-too", "iris-2", **_LEAVING)
    _put(api, "no-model", **_LEAVING)
    return api


@pytest.mark.parametrize(
    ("labels", "left"),
    [
        ("", {"serves", "no-model"}),
        (f"{MODEL_LABEL}=iris-1", {"serves", "no-model", "drains-too"}),
        (f"{MODEL_LABEL}=iris-9", {"serves", "no-model", "drains", "drains-too"}),
    ],
)
def test_models_pods_that_leave_get_no_more_time(
    pods: ApiServer, toy_platform: Platform, labels: str, left: set[str]
) -> None:
    end_leaving_pods(toy_platform.cluster, labels)
    assert _left(pods) == left


def test_a_pod_that_will_leave_is_waited_for(api: ApiServer, toy_platform: Platform) -> None:
    """Its owner is gone, and the garbage collector has not come by yet: it may be Knative's to keep."""
    _put(api, "orphan", "gone")
    assert quieten(toy_platform.cluster).observed == "on its way out: orphan"
    _put(api, "orphan", "gone", **_LEAVING)
    assert quieten(toy_platform.cluster).state == "met"
    assert _left(api) == set()


def test_the_pods_of_a_merged_model_end_with_its_rollback(pods: ApiServer, toy_platform: Platform) -> None:
    toy_platform.git_server.commit({"apps/kept/a.yaml": "a: 1\n"}, "Keep a folder")
    fault = PullRequestMerged(branch="model-iris-1", files=["apps/iris-1/inference-service.yaml"])
    snapshot: Object = {"before": {"apps/iris-1/inference-service.yaml": None}}
    app: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "iris-1"}}
    app["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "models"}]
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/iris-1"
    pods.put(path, app)
    fault.continue_rollback(toy_platform, snapshot)
    assert "drains" in _left(pods), "its Application stays, so does it"
    app["metadata"] |= _LEAVING
    pods.put(path, app)
    fault.continue_rollback(toy_platform, snapshot)
    assert _left(pods) == {"serves", "no-model", "drains-too"}
