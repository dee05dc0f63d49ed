"""OpenCost bills by the prices that a change is priced by before its merge, and the team that the labels name.

OpenCost reads prices as JSON of its own, the price file is TOML. What differs is no change that could be merged
(decision 0030). Of labels it knows each by a name of letters, digits and underscores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from neuroscale.gate.findings import Finding, Places, named
from neuroscale.guardrails.oracle import pods
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import FILE, Prices

#: Of OpenCost's ConfigMap, which Kustomize ends with a hash of its content.
_NAME, _KEY = "opencost-prices-", "default.json"
#: OpenCost's name for a price -> the resource in the price file; of a resource that it does not name: nothing.
PRICED = {
    "CPU": "cpu", "spotCPU": "cpu", "RAM": "memory", "spotRAM": "memory", "GPU": "nvidia.com/gpu",
    "spotGPU": "nvidia.com/gpu",
}  # fmt: skip
#: What OpenCost would charge for, if it were not told otherwise, and the price file has no price of.
FREE = (
    "storage", "zoneNetworkEgress", "regionNetworkEgress", "internetNetworkEgress", "firstFiveForwardingRulesCost",
    "additionalForwardingRuleCost", "LBIngressDataCost",
)  # fmt: skip
#: Labels by which it bills, as it calls them, and what is an underscore to it.
#: https://github.com/opencost/opencost/blob/v1.108.1/pkg/prom/metrics.go
_BILLED_BY = ("owner", "cost_center")
_NO_WORD = re.compile("[^a-zA-Z0-9_]")
#: All else that it must say, so that nothing comes off these prices.
_SETTINGS = {"provider": "custom", "customPricesEnabled": "false", "discount": "0%", "negotiatedDiscount": "0%"}


def configurations(places: Places) -> list[tuple[str, Object]]:
    """OpenCost's prices, each with its folder; none where there is no OpenCost."""
    return [
        (place, obj)
        for place, objects in places.items()
        for obj in objects
        if obj["kind"] == "ConfigMap" and obj["metadata"]["name"].startswith(_NAME)
    ]


def check(places: Places, prices: Prices) -> list[Finding]:
    """Where OpenCost's prices are not those of the price file."""
    return [
        Finding("resources", "prices", named(place, obj), f"{complaint}, as {FILE} says")
        for place, obj in configurations(places)
        for complaint in _complaints(obj, prices)
    ]


def check_labels(places: Places) -> list[Finding]:
    """Pods with two labels that OpenCost takes for one of those by which it bills: nobody knows which it goes by."""
    found = dict[Finding, None]()
    for place, objects in places.items():
        for obj in objects:
            for labels in _of_pods(obj):
                for name in _BILLED_BY:
                    alike = sorted(label for label in labels if _NO_WORD.sub("_", label) == name)
                    if len(alike) > 1:
                        said = f"its pods should have one label that is {name} to OpenCost, but have"
                        found[Finding("resources", "labels", named(place, obj), f"{said} {' and '.join(alike)}")] = None
    return [*found]


def _of_pods(obj: Object) -> Iterator[Mapping[str, Any]]:
    """The labels of each sort of an object's pods; those of a model take over the object's."""
    own = obj["metadata"].get("labels") or {}
    for pod in pods(obj):
        yield {**own, **(pod.spec.get("labels") or {})} if pod.labels is None else pod.labels


def _complaints(obj: Object, prices: Prices) -> Iterator[str]:
    try:
        said = json.loads((obj.get("data") or {})[_KEY])
    except (KeyError, ValueError):
        yield f"{_KEY} should have prices, but is no JSON"
        return
    if not isinstance(said, dict):
        yield f"{_KEY} should have prices, but has {said!r}"
        return
    wanted = {name: prices.hourly.get(resource, Decimal(0)) for name, resource in PRICED.items()}
    wanted |= dict.fromkeys(FREE, Decimal(0))
    for name, price in wanted.items():
        if _number(said.get(name)) != price:
            yield f"{name} should be {price}, but is {said.get(name)!r}"
    yield from _otherwise(said, {**_SETTINGS, "currencyCode": prices.currency})
    if unknown := sorted(set(said) - set(wanted) - set(_SETTINGS) - {"currencyCode", "description"}):
        yield f"{', '.join(unknown)} should not be there: nobody knows what it does to prices"


def _otherwise(said: Mapping[str, Any], settings: Mapping[str, str]) -> Iterator[str]:
    for name, value in settings.items():
        if said.get(name) != value:
            yield f"{name} should be {value!r}, but is {said.get(name)!r}"


def _number(text: object) -> Decimal | None:
    """A price as OpenCost takes it: a string. It would take a number for none, and bill its built-in price."""
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
