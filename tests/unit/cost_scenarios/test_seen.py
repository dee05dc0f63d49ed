"""What pods ask for is added up as Kubernetes says it, and only of what is there to stay."""

from __future__ import annotations

from typing import Any

import apiserver
import fake_gateway
import pytest
from apiserver import ApiServer, merge
from fixtures import captured

from neuroscale.cluster.client import Cluster
from neuroscale.cost_scenarios.seen import FIGURES, effective, evaluate_quiet, evaluate_was_synced, look, total
from neuroscale.cost_scenarios.shapes import workload
from neuroscale.kubernetes.quantities import readable
from neuroscale.kubernetes.refs import Object

COMMIT = "c" * 40


def container(cpu: str = "", memory: str = "", *, limited: bool = False, **more: Any) -> Object:
    asked = {what: amount for what, amount in (("cpu", cpu), ("memory", memory)) if amount}
    return {"resources": {"requests": asked, **({"limits": asked} if limited else {})}, **more}


def pod(*containers: Object, first: tuple[Object, ...] = (), **spec: Any) -> Object:
    return {"metadata": {"name": "a"}, "spec": {"containers": list(containers), "initContainers": list(first), **spec}}


def sidecar(cpu: str, memory: str) -> Object:
    return container(cpu, memory, restartPolicy="Always")


MAIN = container("100m", "64Mi")


@pytest.mark.parametrize(
    ("one", "cpu", "memory"),
    [
        (pod(MAIN), "100m", "64Mi"),
        (pod(MAIN, container("0.5", "1Gi")), "600m", "1088Mi"),
        (pod(MAIN, {"name": "says nothing"}), "100m", "64Mi"),
        (pod(MAIN, first=(container("300m", "32Mi"),)), "300m", "64Mi"),
        (pod(MAIN, first=(container("300m"), container("", "1Gi"), container("200m"))), "300m", "1Gi"),
        (pod(MAIN, first=(sidecar("50m", "32Mi"),)), "150m", "96Mi"),
        (pod(MAIN, first=(sidecar("50m", "32Mi"), container("120m", "40Mi"))), "170m", "96Mi"),
        (pod(MAIN, first=(container("120m", "80Mi"), sidecar("10m", "8Mi"))), "120m", "80Mi"),
        (pod(MAIN, first=(sidecar("50m", "8Mi"), sidecar("30m", "8Mi"))), "180m", "80Mi"),
        (pod(MAIN, first=(container("500m", restartPolicy="Never"),)), "500m", "64Mi"),
        (pod(MAIN, overhead={"cpu": "10m", "memory": "1Mi"}), "110m", "65Mi"),
        (pod(container("1n", "1")), "0.000001m", "1"),
    ],
)
def test_a_pod_asks_for_its_peak(one: Object, cpu: str, memory: str) -> None:
    found = effective(one)
    assert [readable(figure, found[figure]) for figure in FIGURES[:2]] == [cpu, memory]
    assert [found[figure] for figure in FIGURES[2:]] == [0, 0]


def test_limits_are_added_up_alike_and_overhead_is_no_limit_of_its_own() -> None:
    beside = container("10m", "", limited=True)
    one = pod(MAIN, beside, first=(container("40m", "", limited=True),), overhead={"cpu": "5m", "memory": "1Mi"})
    assert {figure: readable(figure, amount) for figure, amount in effective(one).items()} == {
        "requests.cpu": "115m",
        "requests.memory": "65Mi",
        "limits.cpu": "45m",
        "limits.memory": "0",
    }


def test_pods_are_added_up() -> None:
    found = total([pod(MAIN), pod(container("1", "1Gi", limited=True))])
    assert [readable(figure, found[figure]) for figure in FIGURES] == ["1100m", "1088Mi", "1", "1Gi"]
    assert set(total([]).values()) == {0}


# --- what is there to stay

RUNNING, CREATING = captured("pod-running"), captured("pod-creating")
NAME = RUNNING["metadata"]["name"]


@pytest.mark.parametrize(
    ("pods", "state", "words"),
    [
        ([RUNNING], "met", "1 pods, all Ready"),
        ([], "pending", "it has no pod"),
        ([RUNNING, CREATING], "pending", "is not Ready"),
        ([merge(RUNNING, {"metadata": {"deletionTimestamp": "now"}})], "pending", f"pod {NAME} is being deleted"),
    ],
)
def test_only_pods_that_stay_are_counted(pods: list[Object], state: str, words: str) -> None:
    verdict = evaluate_quiet(pods)
    assert verdict.state == state
    assert words in verdict.observed


def test_a_commit_was_synced_when_argo_cd_says_so_whatever_it_compares_now() -> None:
    good = captured("application-out-of-sync")
    synced = merge(good, {"status": {"history": [{"revision": "b" * 40}, {"revision": COMMIT}]}})
    assert evaluate_was_synced(synced, COMMIT).state == "met"
    assert "cccccccc was not synced: OutOfSync" in evaluate_was_synced(good, COMMIT).observed
    assert evaluate_was_synced(None, COMMIT).state == "pending"


# --- looking

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


@pytest.fixture
def world(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    for path, kinds in fake_gateway.KINDS.items():
        monkeypatch.setitem(apiserver.KINDS, path, kinds)
    return api


def run(api: ApiServer, name: str, label: str, phase: str = "Running") -> str:
    """One pod more; where it is."""
    path = f"{PODS}/{name}-{sum(key.startswith(f'{PODS}/{name}') for key in api.objects)}"
    meta = {"name": path.rpartition("/")[2], "labels": {label: name}}
    api.put(path, merge(RUNNING, {"metadata": meta, "status": {"phase": phase}}))
    return path


def applied(api: ApiServer, name: str) -> None:
    meta = {"name": name, "namespace": "argocd"}
    history = [{"revision": COMMIT}]
    api.put(f"{APPLICATIONS}/{name}", captured("application-good", {"metadata": meta, "status": {"history": history}}))


def test_a_deployment_is_looked_at_with_its_pods_and_no_others(world: ApiServer, cluster: Cluster) -> None:
    made = workload("a Deployment with 2 replicas", "two")
    assert look(cluster, made, COMMIT)[0].observed == "its Application does not exist"
    applied(world, "two")
    assert look(cluster, made, COMMIT)[0].observed == "it does not exist"
    world.put(f"{DEPLOYMENTS}/two", merge(made, {"metadata": {"namespace": "default"}}))
    ours = [run(world, "two", "app"), run(world, "two", "app")]
    run(world, "others", "app")
    run(world, "two", "app", phase="Failed")
    verdict, pods = look(cluster, made, COMMIT)
    assert verdict.observed == "2 pods, all Ready"
    assert [f"{PODS}/{one['metadata']['name']}" for one in pods] == ours
    world.objects[ours[0]]["metadata"]["deletionTimestamp"] = "now"
    assert "two-0 is being deleted" in look(cluster, made, COMMIT)[0].observed


@pytest.mark.parametrize("shape", ["a model", "a model in the older form"])
def test_a_model_is_looked_at_with_what_is_made_of_it(shape: str, world: ApiServer, cluster: Cluster) -> None:
    made = workload(shape, "iris")
    applied(world, "iris")
    assert look(cluster, made, COMMIT)[0].observed == "it does not exist"
    unready = fake_gateway.with_condition(fake_gateway.isvc("iris"), "Ready", "False", "Waiting", "a while")
    fake_gateway.put(world, unready, fake_gateway.made("iris"))
    assert "Ready=False (Waiting: a while)" in look(cluster, made, COMMIT)[0].observed
    fake_gateway.put(world, fake_gateway.isvc("iris"), fake_gateway.made("iris"))
    assert look(cluster, made, COMMIT)[0].observed == "it has no pod"
    run(world, "iris", "serving.kserve.io/inferenceservice")
    verdict, pods = look(cluster, made, COMMIT)
    assert (verdict.state, len(pods)) == ("met", 1)
    del world.objects[f"{fake_gateway.INGRESSES}/iris-predictor"]
    assert "missing: ingress" in look(cluster, made, COMMIT)[0].observed
