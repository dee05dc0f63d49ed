"""What each team pays: nothing is rounded away, nothing that was not seen is billed, nothing is nobody's in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_metering import FakeMetering, Query, allocation, sample

from neuroscale.cli.showback import as_json
from neuroscale.errors import Inconclusive
from neuroscale.metering.opencost import UNALLOCATED, Allocation
from neuroscale.metering.showback import assert_same_sums, assert_seen, showback
from neuroscale.metering.window import Window

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))
PRICES = {"cpu": 0.03719, "memory": 0.004673}
OPENCOST, KUBELET = ("opencost", "a"), ("kubelet-cadvisor", "b")
WHOLE = {OPENCOST: (40, True), KUBELET: (40, True)}


def said(cpu_hours: float, gib_hours: float) -> Any:
    """As OpenCost says it: its sum is rounded."""
    return allocation(cpu_hours, gib_hours * 2**30, round(cpu_hours * 0.03719 + gib_hours * 0.004673, 5))


def platform() -> FakeMetering:
    """Two teams, and a namespace that is nobody's."""
    one, two = (
        dict(zip(("job", "instance"), OPENCOST, strict=True)),
        dict(zip(("job", "instance"), KUBELET, strict=True)),
    )
    vectors = {
        "count_over_time": [sample(40, **one), sample(40, **two)],
        "min_over_time": [sample(1, **one), sample(1, **two)],
        "node_cpu": [sample(0.03719, node="n")],
        "node_ram": [sample(0.004673, node="n")],
    }

    def query(asked: Query) -> Any:
        (found,) = (values for word, values in vectors.items() if word in asked["query"])
        return {"data": {"result": found}}

    def allocations(asked: Query) -> Any:
        if asked["aggregate"] == "label:owner":
            return {"data": [{"a-team": said(0.002, 0.001), "b-team": said(0.5, 1), UNALLOCATED: said(0.25, 0.5)}]}
        return {"data": [{f"kyverno/{UNALLOCATED}": said(0.25, 0.5), "default/a-team": said(0.002, 0.001)}]}

    return FakeMetering({"prometheus:http /api/v1/query": query, "opencost:http /allocation/compute": allocations})


def test_each_pays_for_its_hours_and_what_is_nobodys_is_named() -> None:
    found = showback(platform().cluster, WINDOW, "owner")
    assert [one.name for one in found.payers] == ["b-team", UNALLOCATED, "a-team"]
    # OpenCost would say 0.00008.
    assert found.of("a-team").cost == pytest.approx(0.000079053, abs=1e-12)
    assert found.unallocated == {"kyverno": pytest.approx(0.0116340)}
    assert found.total == pytest.approx(0.0349801, abs=1e-6)
    assert found.of("nobody").cost == 0


def test_it_is_written_for_programs() -> None:
    written = json.loads(json.dumps(as_json(showback(platform().cluster, WINDOW, "owner"), "USD")))
    assert (written["from"], written["to"]) == ("2026-03-04T12:00:00+00:00", "2026-03-04T12:10:00+00:00")
    assert written["payers"][2]["name"] == "a-team"
    assert written["unallocated"].keys() == {"kyverno"}
    assert written["currency"] == "USD"


@pytest.mark.parametrize(
    ("scrapes", "gap"),
    [
        ({}, "it scraped nothing"),
        ({**WHOLE, OPENCOST: (38, True)}, "opencost a: 38 of 39 scrapes"),
        ({**WHOLE, KUBELET: (40, False)}, "kubelet-cadvisor b: 40 of 39 scrapes, not all of which succeeded"),
        ({KUBELET: (40, True)}, "opencost: no scrape"),
        ({OPENCOST: (40, True)}, "kubelet-cadvisor: no scrape"),
    ],
)
def test_a_gap_leaves_everything_open(scrapes: dict[tuple[str, str], tuple[int, bool]], gap: str) -> None:
    with pytest.raises(Inconclusive, match=gap):
        assert_seen(scrapes, WINDOW)


def test_the_first_scrape_may_come_a_moment_after_the_start() -> None:
    assert_seen({OPENCOST: (39, True), KUBELET: (40, True)}, WINDOW)


def test_sums_may_be_rounded_and_nothing_else() -> None:
    assert_same_sums([Allocation(("a",), 0.002, 0.001, 0.00008), Allocation(("b",), 1.0, 1.0, 0.04186)], PRICES)
    with pytest.raises(Inconclusive, match=r"b: 0\.03585, and not 0\.0418630"):
        assert_same_sums([Allocation(("a",), 0.002, 0.001, 0.00008), Allocation(("b",), 1.0, 1.0, 0.03585)], PRICES)
