"""The oracle finds each flaw that is built in, and no other."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from workloads import MOVING, PINNED, compliant, flawed, nulled, pod_of, template_of

from neuroscale.guardrails.oracle import (
    COST_CENTERS,
    LABELS,
    OWNERS,
    PLATFORM_NAMESPACES,
    POLICIES,
    RESOURCES,
    ROOT_USER,
    TAG,
    evaluate,
    is_pinned,
    speaks_of,
)
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

TEMPLATED = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "Service",
)


@given(compliant())
def test_what_complies_is_refused_by_nothing(obj: Object) -> None:
    assert evaluate(obj) == {}


@given(flawed())
def test_each_flaw_is_found_and_no_other(made: tuple[Object, set[str]]) -> None:
    obj, broken = made
    assert set(evaluate(obj)) == broken


@given(flawed().flatmap(nulled))
def test_fields_that_are_null_change_nothing(made: tuple[Object, set[str]]) -> None:
    obj, broken = made
    assert set(evaluate(obj)) == broken


@given(flawed(), st.sampled_from(sorted(PLATFORM_NAMESPACES)))
def test_the_platforms_own_namespaces_are_not_a_tenants(made: tuple[Object, set[str]], namespace: str) -> None:
    obj, _ = made
    obj["metadata"]["namespace"] = namespace
    assert evaluate(obj) == {}


@given(flawed(), st.sampled_from(["default", "team-a", "kube-system-2", "Kube-system"]))
def test_any_other_namespace_is(made: tuple[Object, set[str]], namespace: str) -> None:
    obj, broken = made
    obj["metadata"]["namespace"] = namespace
    assert set(evaluate(obj)) == broken


@given(flawed())
def test_no_label_annotation_or_owner_lets_anybody_through(made: tuple[Object, set[str]]) -> None:
    obj, broken = made
    obj["metadata"]["labels"]["serving.knative.dev/configuration"] = "mine"
    obj["metadata"]["annotations"] = {"policies.kyverno.io/exempt": "true"}
    obj["metadata"]["ownerReferences"] = [{"kind": "Revision", "name": "a", "controller": True}]
    assert set(evaluate(obj)) == broken


@given(compliant(TEMPLATED))
def test_pods_carry_the_labels_too(obj: Object) -> None:
    del template_of(obj)["metadata"]
    assert set(evaluate(obj)) == {LABELS}


@given(compliant())
def test_a_container_overrules_its_pod(obj: Object) -> None:
    pod = pod_of(obj)
    pod["securityContext"] = {"runAsNonRoot": False, "runAsUser": 0}
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        container["securityContext"] = {"runAsNonRoot": True, "runAsUser": 1000}
    assert evaluate(obj) == {}
    pod["securityContext"] = {"runAsNonRoot": True}
    pod["containers"][0]["securityContext"] = {"runAsNonRoot": False}
    assert set(evaluate(obj)) == {ROOT_USER}


def test_an_ephemeral_container_is_judged_by_image_and_user_and_has_no_resources() -> None:
    container = {"name": "debug", "image": "busybox:latest"}
    good = {"name": "debug", "image": "busybox:1.36.1", "securityContext": {"runAsNonRoot": True}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"owner": "platform-team", "cost-center": "cc-demo"}},
        "spec": {"containers": [], "ephemeralContainers": [container]},
    }
    assert set(evaluate(pod)) == {TAG, ROOT_USER}
    pod["spec"] = {"containers": [], "ephemeralContainers": [good]}
    assert evaluate(pod) == {}


@pytest.mark.parametrize(
    ("amount", "is_a_limit"),
    [("100m", True), (1, True), (0.5, True), ("1e3", True), ("1E", True), ("0", False), (0, False), ("0m", False),
     ("0.00", False), ("", False), (None, False), ("-1", False), ("much", False), ("1Zi", False), ("1.2.3", False)],
)  # fmt: skip
def test_zero_limits_nothing(amount: object, is_a_limit: bool) -> None:
    container = {"name": "a", "image": "a:1.2.3", "securityContext": {"runAsNonRoot": True}}
    limits = {"cpu": amount, "memory": "1Gi"}
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "labels": {"owner": "platform-team", "cost-center": "cc-demo"}},
        "spec": {
            "containers": [{**container, "resources": {"requests": {"cpu": "1m", "memory": 1}, "limits": limits}}]
        },
    }
    assert set(evaluate(obj)) == (set() if is_a_limit else {RESOURCES})


@pytest.mark.parametrize(
    ("amount", "of_kubernetes", "of_others"),
    [(" 50m", True, False), ("50m ", True, False), ("50m\n", False, False), ("\t50m", False, False),
     (" 0", False, False), (" ", False, False), ("50m", True, True)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["deployment", "cron-job", "pod", "knative-service", "model-of-own-container"])
def test_the_api_server_trims_amounts_in_kinds_of_its_own_alone(
    kind: str, amount: str, of_kubernetes: bool, of_others: bool
) -> None:
    obj = yaml.safe_load((ROOT / "corpus" / "good" / f"{kind}.yaml").read_text(encoding="utf-8"))
    pod_of(obj)["containers"][0]["resources"]["requests"]["cpu"] = amount
    bounds = of_others if kind in {"knative-service", "model-of-own-container"} else of_kubernetes
    assert set(evaluate(obj)) == (set() if bounds else {RESOURCES})


MODEL = yaml.load(
    (ROOT / "apps/demo-iris-2/inference-service.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)


@pytest.mark.parametrize("framework", ["model", "sklearn", "xgboost"])
@pytest.mark.parametrize(
    ("change", "rejected"),
    [
        ({}, set()),
        ({"resources": None}, set()),
        ({"image": "docker.io/kserve/sklearnserver:v0.20.0"}, set()),
        ({"image": "docker.io/kserve/sklearnserver"}, {TAG}),
        ({"image": ""}, {TAG}),
        ({"runtimeVersion": "v0.20.0"}, set()),
        ({"runtimeVersion": "latest"}, {TAG}),
        ({"securityContext": {"runAsNonRoot": False}}, {ROOT_USER}),
        ({"securityContext": {"runAsUser": 0}}, {ROOT_USER}),
    ],
)
def test_a_runtime_speaks_for_what_a_model_leaves_out(framework: str, change: Object, rejected: set[str]) -> None:
    obj = copy.deepcopy(MODEL)
    predictor = obj["spec"]["predictor"]
    predictor[framework] = {**predictor.pop("model"), **change}
    assert set(evaluate(obj)) == rejected


def test_a_container_beside_a_model_takes_from_the_runtime_and_may_not_say_worse() -> None:
    obj = copy.deepcopy(MODEL)
    beside: dict[str, Any] = {"name": "kserve-container"}
    obj["spec"]["predictor"]["containers"] = [beside]
    assert evaluate(obj) == {}
    beside |= {"image": "a:latest", "securityContext": {"runAsNonRoot": False}}
    assert set(evaluate(obj)) == {TAG, ROOT_USER}


@pytest.mark.parametrize("component", ["transformer", "explainer"])
def test_each_component_of_a_model_is_judged(component: str) -> None:
    obj = copy.deepcopy(MODEL)
    obj["spec"][component] = {"containers": [{"name": "kserve-container", "image": "a:1.2.3"}]}
    assert set(evaluate(obj)) == {RESOURCES, ROOT_USER}


@pytest.mark.parametrize("component", ["predictor", "transformer", "explainer"])
@pytest.mark.parametrize(
    ("labels", "rejected"), [({"owner": "ml-platform"}, False), ({"cost-center": "x"}, True), ({"a": "b"}, False)]
)
def test_a_components_own_labels_go_before_its_models(component: str, labels: Object, rejected: bool) -> None:
    obj = copy.deepcopy(MODEL)
    obj["spec"][component] = {**obj["spec"].get(component, {}), "labels": labels}
    assert set(evaluate(obj)) == ({POLICIES[0]} if rejected else set())


def test_a_models_own_labels_are_judged_whatever_its_components_say() -> None:
    obj = copy.deepcopy(MODEL)
    for name in ("predictor", "transformer", "explainer"):
        obj["spec"].setdefault(name, {})["labels"] = dict(obj["metadata"]["labels"])
    assert evaluate(obj) == {}
    del obj["metadata"]["labels"]["owner"]
    assert set(evaluate(obj)) == {POLICIES[0]}


def test_workers_take_from_the_runtime_of_their_model_and_may_not_say_worse() -> None:
    obj = copy.deepcopy(MODEL)
    worker: Object = {"name": "worker", "resources": {"limits": {"cpu": "1"}}}
    obj["spec"]["predictor"]["workerSpec"] = {"containers": [worker]}
    assert evaluate(obj) == {}
    worker |= {"image": "a:latest", "securityContext": {"runAsUser": 0}}
    assert set(evaluate(obj)) == {TAG, ROOT_USER}


def test_workers_of_a_predictor_without_a_model_are_judged_in_full() -> None:
    obj = copy.deepcopy(MODEL)
    container = {"name": "kserve-container", "image": "a:1.2.3", "securityContext": {"runAsNonRoot": True}}
    amounts = {"cpu": "1", "memory": "1Gi"}
    container |= {"resources": {"requests": amounts, "limits": amounts}}
    obj["spec"]["predictor"] = {"containers": [container], "workerSpec": {"containers": [{"name": "worker"}]}}
    assert set(evaluate(obj)) == {TAG, RESOURCES, ROOT_USER}


@pytest.mark.parametrize("uri", ["oci://registry.example.com/models/iris", "oci+native://r/iris:latest", "oci://"])
def test_a_model_that_is_an_image_is_pinned(uri: str) -> None:
    obj = copy.deepcopy(MODEL)
    obj["spec"]["predictor"]["model"]["storageUri"] = uri
    assert set(evaluate(obj)) == {TAG}
    obj["spec"]["predictor"]["model"]["storageUri"] = "oci://registry.example.com/models/iris:1.2.3"
    assert evaluate(obj) == {}


@pytest.mark.parametrize(
    ("kind", "version", "rejected"),
    [
        ("Revision", "serving.knative.dev/v1", {LABELS, RESOURCES, TAG, ROOT_USER}),
        ("ServingRuntime", "serving.kserve.io/v1alpha1", {RESOURCES, TAG, ROOT_USER}),
        ("ClusterServingRuntime", "serving.kserve.io/v1alpha1", {RESOURCES, TAG, ROOT_USER}),
        ("InferenceGraph", "serving.kserve.io/v1alpha1", {LABELS}),
    ],
)
def test_what_leads_to_pods_by_other_ways_is_judged(kind: str, version: str, rejected: set[str]) -> None:
    volume = {"name": "v", "image": {"reference": "a:latest"}}
    spec = {"containers": [{"name": "a", "image": "a:1.2.3"}], "volumes": [volume]}
    assert set(evaluate({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec})) == rejected


@pytest.mark.parametrize("kind", ["pod", "deployment", "cron-job"])
def test_null_says_nothing(kind: str) -> None:
    """What a pod says holds for a container whose own word is null."""
    obj = yaml.load((ROOT / "corpus" / "good" / f"{kind}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    pod = pod_of(obj)
    pod["securityContext"] = {"runAsNonRoot": True, "runAsUser": 0}
    for container in pod["containers"]:
        container["securityContext"] = {"runAsNonRoot": None, "runAsUser": None}
    assert set(evaluate(obj)) == {ROOT_USER}
    pod["securityContext"]["runAsUser"] = None
    pod["initContainers"] = None
    assert evaluate(obj) == {}


def test_two_tags_are_none() -> None:
    assert is_pinned("nginx:1.2.3")
    assert not is_pinned("nginx:a:1.2.3-b")
    assert not is_pinned("nginx:a:b-1.2.3")


def test_registered_names_are_those_of_the_policies() -> None:
    """The oracle has a list of its own: no more, and no less."""
    text = (ROOT / "infrastructure/kyverno/policies/registry.yaml").read_text(encoding="utf-8")
    lists = {name: set(re.findall(r"'([^']+)'", said)) for name, said in re.findall(r"name: (\w+)\n.*?\[(.*)\]", text)}
    assert lists == {"owners": OWNERS, "costCenters": COST_CENTERS}


TABLE = re.findall(
    r"^\| `(.+?)` \| (yes|no) \|", (ROOT / "docs/image-references.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("reference", "exact"), TABLE)
def test_references_are_taken_as_is_written_down(reference: str, exact: str) -> None:
    assert is_pinned(reference) is (exact == "yes")


def test_what_is_written_down_has_two_sides() -> None:
    assert {exact for _, exact in TABLE} == {"yes", "no"}
    assert len(TABLE) > 30


@given(PINNED)
def test_pinned(image: str) -> None:
    assert is_pinned(image)


@given(MOVING)
def test_moving(image: str) -> None:
    assert not is_pinned(image)


@pytest.mark.parametrize("kind", ["ConfigMap", "Service", "ServiceAccount"])
def test_what_makes_no_pods_is_not_judged(kind: str) -> None:
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}}
    assert evaluate(obj) == {}
    assert not any(speaks_of(policy, obj) for policy in POLICIES)


def test_names_in_the_repository_are_registered() -> None:
    """Whoever deploys here answers for it, by a name that the oracle knows."""
    for file in (ROOT / "apps").rglob("*.yaml"):
        for obj in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            assert obj["metadata"]["labels"]["owner"] in OWNERS
            assert obj["metadata"]["labels"]["cost-center"] in COST_CENTERS
