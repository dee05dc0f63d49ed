"""What the API server rejects although it fits its schema."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import yaml

from neuroscale.gate.api_rules import complaints
from neuroscale.guardrails.corpus import CORPUS
from neuroscale.kubernetes.refs import Object

GOOD: Object = yaml.safe_load((CORPUS / "good" / "deployment.yaml").read_text(encoding="utf-8"))
POD: Callable[[Object], Object] = lambda obj: obj["spec"]["template"]["spec"]  # noqa: E731

IMAGE = {"name": "first", "image": "docker.io/nginxinc/nginx-unprivileged:1.27.5"}


def changed(change: Callable[[Object], object]) -> Object:
    obj = copy.deepcopy(GOOD)
    change(obj)
    return obj


def test_what_is_right_is_not_complained_of() -> None:
    assert complaints(GOOD) == []
    assert complaints(changed(lambda obj: POD(obj).update(initContainers=[{**IMAGE, "restartPolicy": "Always"}]))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda obj: obj["metadata"].update(name="My_App"), "metadata.name does not fit: 'My_App'"),
        (lambda obj: obj["metadata"].update(name="a" * 254), "metadata.name does not fit"),
        (lambda obj: obj["metadata"]["labels"].update(tier="front end"), "'front end' is no value of a label"),
        (lambda obj: obj["metadata"]["labels"].update({"a b": "c"}), "'a b' is no key"),
        (lambda obj: obj["metadata"].update(annotations={"/a": "c"}), "metadata.annotations does not fit: '/a'"),
        (lambda obj: obj["spec"]["template"]["metadata"]["labels"].update(x="-"), "the pods' metadata.labels.x"),
        (lambda obj: obj["spec"].update(selector={"matchLabels": {"app": "other"}}), "the pods' label app should be"),
        (lambda obj: obj["spec"].update(selector={}), "spec.selector does not fit: it is empty"),
        (lambda obj: POD(obj)["containers"].append(POD(obj)["containers"][0]), "2 of them are called"),
        (lambda obj: POD(obj)["containers"][0].update(ports=[{"containerPort": 70000}]), "70000 is no port"),
        (lambda obj: POD(obj)["containers"][0]["resources"]["requests"].update(cpu="9"), "cpu should be"),
        (lambda obj: POD(obj)["containers"][0]["resources"]["limits"].update(memory="1MB"), "which is no quantity"),
        (lambda obj: POD(obj)["containers"][0]["resources"]["limits"].update(memory="1Gi\n"), "which is no quantity"),
        (lambda obj: POD(obj)["containers"][0].pop("image"), "main does not fit: it has no image"),
        (lambda obj: POD(obj)["containers"][0].update(image=""), "main does not fit: it has no image"),
        (lambda obj: POD(obj).update(initContainers=[{"name": "first"}]), "first does not fit: it has no image"),
        (lambda obj: POD(obj)["containers"][0].update(restartPolicy="Always"), "'Always' is for no such container"),
        (
            lambda obj: POD(obj).update(initContainers=[{**IMAGE, "restartPolicy": "OnFailure"}]),
            "'OnFailure' is for no",
        ),
        (lambda obj: POD(obj).update(ephemeralContainers=[{"name": "b", "image": "b"}]), "ephemeralContainers do not"),
    ],
)
def test_what_is_wrong_is_said(change: Callable[[Object], object], said: str) -> None:
    (complaint,) = complaints(changed(change))
    assert said in complaint


@pytest.mark.parametrize("image", [" ", "nginx:1.2.3 ", "\tnginx:1.2.3", "nginx:1.2.3\n"])
def test_a_blank_at_an_end_of_an_image_is_wrong_in_a_bare_pod_alone(image: str) -> None:
    obj = changed(lambda obj: POD(obj)["containers"][0].update(image=image))
    assert complaints(obj) == []
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": POD(obj)}
    assert complaints(pod) == [f"main does not fit: the image {image!r} has a blank at an end"]


def test_what_makes_pods_of_its_own_decides_about_images_itself() -> None:
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "a"}}
    assert complaints({**service, "spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}) == []


@pytest.mark.parametrize(
    ("version", "kind", "name", "right"),
    [
        ("v1", "Service", "a", True),
        ("v1", "Service", "1a", False),
        ("v1", "Service", "a.b", False),
        ("v1", "Namespace", "1a", True),
        ("v1", "Namespace", "a.b", False),
        ("v1", "ConfigMap", "a.b", True),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "system:A_b", True),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "a/b", False),
        ("serving.kserve.io/v1beta1", "InferenceService", "a" * 64, False),
    ],
)
def test_names_are_those_of_their_kind(version: str, kind: str, name: str, right: bool) -> None:
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": name}}
    assert (complaints(obj) == []) is right


@pytest.mark.parametrize(("key", "right"), [("a.b_C-1", True), ("a b", False), ("a/b", False), ("..", False)])
def test_keys_of_data_are_names_of_files(key: str, right: bool) -> None:
    for field in ("data", "binaryData"):
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, field: {key: "x"}}
        assert (complaints(obj) == []) is right


def test_amounts_of_quotas_are_quantities() -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "a"}, "spec": {"hard": {"pods": "many"}}}
    assert complaints(quota) == ["spec.hard.pods does not fit: 'many' is no quantity"]


def test_ports_of_services_are_ports() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 0}]}}
    assert complaints(service) == ["port does not fit: 0 is no port"]
