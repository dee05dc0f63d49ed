"""What Knative rejects although it fits its schema."""

from __future__ import annotations

import copy

import pytest
import yaml
from stages import definition

from neuroscale.gate.schema import WEBHOOK, Schemas
from neuroscale.gate.webhook_rules import complaints, rewritten
from neuroscale.guardrails.corpus import CORPUS
from neuroscale.guardrails.oracle import is_pinned
from neuroscale.kubernetes.refs import Object

KNATIVE, DEPLOYMENT = (
    yaml.safe_load((CORPUS / "good" / f"{name}.yaml").read_text(encoding="utf-8"))
    for name in ("knative-service", "deployment")
)


def with_image(obj: Object, image: object) -> Object:
    changed = copy.deepcopy(obj)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return changed


@pytest.mark.parametrize(
    ("image", "readable"),
    [
        ("nginx:1.2.3", True),
        ("nginx", True),
        ("library/nginx:1.2.3", True),
        ("registry.example.com:5000/team/server:1.2.3", True),
        ("localhost:5000/an-app:1.2.3", True),
        ("nginx@sha256:" + "a" * 64, True),
        ("nginx:stable@sha256:" + "a" * 64, True),
        ("nginx@sha512:" + "a" * 128, False),
        ("nginx@sha256:" + "a" * 63, False),
        ("a:1.2.3", False),
        ("registry.example.com/a:1.2.3", False),
        ("nginx:1.2.3+build", False),
        ("nginx:" + "1" * 128, False),
        ("Nginx:1.2.3", False),
        ("nginx:1.2.3 ", False),
        ("", False),
        (None, False),
    ],
)
def test_an_image_that_knative_cannot_read_is_complained_of(image: str | None, readable: bool) -> None:
    said = complaints(with_image(KNATIVE, image))
    assert said == ([] if readable else [f"main does not fit: Knative cannot read the image {image!r}"])
    assert complaints(with_image(DEPLOYMENT, image)) == []


def test_it_is_a_rule_of_its_own_since_policies_are_asked_before() -> None:
    image = "nginx@sha512:" + "a" * 128
    assert is_pinned(image)
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    names = {"kind": "Service", "plural": "services", "singular": "service"}
    spec = {"group": "serving.knative.dev", "scope": "Namespaced", "names": names, "versions": [version]}
    meta = {"name": "services.serving.knative.dev"}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": meta, "spec": spec}
    (found,) = Schemas([kind]).findings("apps/a", with_image(KNATIVE, image))
    assert (found.stage, found.rule) == ("schema", WEBHOOK)


def test_a_fraction_of_a_core_is_a_text_where_kserve_writes_the_object_again() -> None:
    model = {"model": {"resources": {"requests": {"cpu": 0.1, "memory": "1Gi"}, "limits": {"cpu": 1}}}, "weight": 0.5}
    written = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService"}
    obj = {**written, "spec": {"predictor": model, "list": [model]}}
    text = {"model": {"resources": {"requests": {"cpu": "0.1", "memory": "1Gi"}, "limits": {"cpu": 1}}}, "weight": 0.5}
    assert rewritten(obj) == {**written, "spec": {"predictor": text, "list": [text]}}
    for other in ({**obj, "kind": "ServingRuntime"}, {**obj, "apiVersion": "somebody.else/v1"}):
        assert rewritten(other) == other


@pytest.mark.parametrize(("kind", "fits"), [("InferenceService", True), ("ServingRuntime", False)])
def test_a_schema_of_integers_and_texts_is_asked_about_what_was_written_again(kind: str, fits: bool) -> None:
    amount = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    spec = {"type": "object", "properties": {"requests": {"type": "object", "additionalProperties": amount}}}
    schemas = Schemas([definition("serving.kserve.io", "v1beta1", kind, spec)])
    obj = {"apiVersion": "serving.kserve.io/v1beta1", "kind": kind, "metadata": {"name": "a"}}
    found = schemas.findings("apps/a", {**obj, "spec": {"requests": {"cpu": 0.1}}})
    assert bool(found) is not fits
