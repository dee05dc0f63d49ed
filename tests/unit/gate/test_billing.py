"""OpenCost's prices are the price file's: whatever differs is found, and named."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from neuroscale.gate.billing import check, check_labels, configurations
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices, Thresholds, load
from neuroscale.settings import ROOT

FILE = ROOT / "infrastructure" / "opencost" / "prices.json"
SAID = json.loads(FILE.read_text(encoding="utf-8"))
PRICES = load(ROOT)


def places(text: str, name: str = "opencost-prices-5g2h") -> dict[str, list[Object]]:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "opencost"}}
    return {"infrastructure/opencost": [{**config, "data": {"default.json": text}}]}


def complaints(**changed: Any) -> list[str]:
    """Of our file with something else in it; ``None`` takes it away."""
    said = {name: value for name, value in {**SAID, **changed}.items() if value is not None}
    return [one.description for one in check(places(json.dumps(said)), PRICES)]


def test_our_file_is_equal() -> None:
    assert complaints() == []
    assert complaints(description="Another one") == []


@pytest.mark.parametrize("name", [name for name in SAID if name != "description"])
def test_each_line_counts(name: str) -> None:
    assert [name in one for one in complaints(**{name: "0.0371"})] == [True]
    assert [name in one for one in complaints(**{name: None})] == [True]


def test_a_change_of_the_price_file_alone_is_found() -> None:
    hourly = {**PRICES.hourly, "memory": Decimal("0.004674"), "nvidia.com/gpu": Decimal(2)}
    other = Prices("EUR", hourly, Thresholds(Decimal(2), Decimal(4)))
    found = {one.description.split()[0] for one in check(places(json.dumps(SAID)), other)}
    assert found == {"RAM", "spotRAM", "GPU", "spotGPU", "currencyCode"}


def test_digits_count_and_zeros_behind_them_do_not() -> None:
    assert complaints(CPU="0.037190") == []
    assert complaints(CPU="0.0371900001") != []


@pytest.mark.parametrize("value", [0.03719, True, "NaN", "", "free", [], {}])
def test_a_price_is_a_string_with_a_number(value: Any) -> None:
    """OpenCost decodes nothing of a file that has a number in it, and bills its built-in prices."""
    assert [one.startswith("CPU should be 0.03719, but is") for one in complaints(CPU=value)] == [True]


def test_what_nobody_knows_is_found() -> None:
    assert complaints(sharedOverhead="100") == [
        "sharedOverhead should not be there: nobody knows what it does to prices, as infrastructure/prices.toml says"
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"CPU"'])
def test_what_is_no_file_of_prices_is_found(text: str) -> None:
    assert len(check(places(text), PRICES)) == 1


def test_a_platform_without_opencost_has_nothing_to_be_held_equal() -> None:
    assert configurations(places("{}", name="prometheus-5g2h")) == []
    assert check({"apps/test-app": []}, PRICES) == []


def labelled(kind: str, own: dict[str, str], template: dict[str, str] | None = None, **spec: Any) -> list[str]:
    """What is said of an object with such labels, and such on its pods."""
    if template is not None:
        spec["template"] = {"metadata": {"labels": template}, "spec": {"containers": []}}
    version = {"InferenceService": "serving.kserve.io/v1beta1", "Pod": "v1"}.get(kind, "apps/v1")
    obj = {"apiVersion": version, "kind": kind, "metadata": {"name": "a", "labels": own}, "spec": spec}
    return [str(one) for one in check_labels({"apps/a": [obj]})]


OWNED = {"owner": "ml-platform", "cost-center": "cc-ml"}
TWO = {**OWNED, "cost_center": "cc-demo"}


def test_two_labels_that_are_one_to_opencost_are_named_in_one_finding() -> None:
    (said,) = labelled("Deployment", OWNED, {**TWO, "cost.center": "x"})
    assert said == (
        "resources: apps/a: Deployment a: its pods should have one label that is cost_center to OpenCost, but have "
        "cost-center and cost.center and cost_center [labels]"
    )
    assert len(labelled("Pod", TWO)) == 1
    assert len(labelled("InferenceService", TWO, predictor={"model": {}})) == 1
    assert len(labelled("InferenceService", OWNED, predictor={"labels": TWO, "model": {}})) == 1
    assert len(labelled("InferenceService", TWO, predictor={"model": {}}, transformer={"containers": []})) == 1


def test_other_labels_may_be_alike_and_so_may_values() -> None:
    assert labelled("Deployment", TWO, OWNED) == []
    assert labelled("Deployment", OWNED, {**OWNED, "app.name": "a", "app_name": "b", "costcenter": "c"}) == []
    assert labelled("Deployment", OWNED, {"owner": "cc_ml", "cost-center": "cc-ml", "Owner": "a"}) == []
