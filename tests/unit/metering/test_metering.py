"""What OpenCost and Prometheus say, as the suite reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fake_metering import FakeMetering, Query, allocation, sample

from neuroscale.metering.opencost import Allocation, OpenCost
from neuroscale.metering.prometheus import Prometheus, Target
from neuroscale.metering.service import MeteringError
from neuroscale.metering.window import Window

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))
ALLOCATIONS = "opencost:http /allocation/compute"
METRICS = """# HELP node_cpu_hourly_cost node_cpu_hourly_cost Hourly cost per vCPU on this node
# TYPE node_cpu_hourly_cost gauge
node_cpu_hourly_cost{arch="amd64",instance="one",instance_type="k3s",node="one",provider_id="k3s://one",region=""} 0.03719
node_cpu_hourly_cost{arch="amd64",instance="two",instance_type="k3s",node="two",provider_id="k3s://two",region=""} 0.04
node_ram_hourly_cost{arch="amd64",instance="one",instance_type="k3s",node="one",provider_id="k3s://one",region=""} 0.004673
node_total_hourly_cost{arch="amd64",instance="one",instance_type="k3s",node="one",provider_id="k3s://one",region=""} 0.2
kube_node_labels{node="one",label_a="b"} 1
"""  # noqa: E501 - as it is published


def opencost(said: Any) -> FakeMetering:
    return FakeMetering({ALLOCATIONS: lambda _: said})


# --- OpenCost


def test_allocations_are_of_the_window_and_by_what_was_asked_for() -> None:
    said = {"code": 200, "data": [{"default/nginx-1": allocation(0.5, 2**30, 0.02327)}]}
    fake = opencost(said)
    found = OpenCost(fake.cluster).allocations(WINDOW, "namespace", "pod")
    assert found == [Allocation(("default", "nginx-1"), 0.5, 1.0, 0.02327)]
    assert fake.asked == [
        (
            ALLOCATIONS,
            {
                "window": "2026-03-04T11:59:30Z,2026-03-04T12:10:00Z",
                "resolution": "30s",
                "aggregate": "namespace,pod",
            },
        )
    ]


@pytest.mark.parametrize("sets", [[], [{}], [None]])
def test_nothing_may_have_been_given(sets: list[Any]) -> None:
    assert OpenCost(opencost({"data": sets}).cluster).allocations(WINDOW, "label:owner") == []


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        {"code": 500, "message": "Error: context deadline exceeded"},
        {"data": None},
        {"data": [{"default": {"cpuCoreHours": 1}}]},
        {"data": [{"default": allocation(1, 1, 1) | {"cpuCoreHours": None}}]},
        {"data": ["default"]},
        {"data": [{"default/nginx-1": allocation(1, 1, 1)}]},
    ],
)
def test_what_is_no_allocation_is_an_error(said: Any) -> None:
    with pytest.raises(MeteringError, match="should"):
        OpenCost(opencost(said).cluster).allocations(WINDOW, "label:owner")


def test_nobody_behind_the_service_is_an_error_with_the_next_move() -> None:
    with pytest.raises(MeteringError, match=r"no endpoints.*Next: kubectl -n opencost logs svc/opencost"):
        OpenCost(FakeMetering({}).cluster).prices()


def test_prices_are_those_of_each_node() -> None:
    fake = FakeMetering({"opencost:http /metrics": lambda _: METRICS})
    assert OpenCost(fake.cluster).prices() == {"one": {"cpu": 0.03719, "memory": 0.004673}, "two": {"cpu": 0.04}}


def test_a_cost_is_not_rounded() -> None:
    one = Allocation(("x",), 0.125, 0.25, 0.00582)
    assert one.cost({"cpu": 0.03719, "memory": 0.004673}) == pytest.approx(0.00581700, abs=1e-12)


# --- Prometheus


def test_targets_say_why_they_are_down() -> None:
    active = [
        {"labels": {"job": "opencost", "instance": "opencost:9003"}, "health": "up", "lastError": ""},
        {"labels": {"job": "kubelet-cadvisor", "instance": "one"}, "health": "down", "lastError": "403 Forbidden"},
    ]
    fake = FakeMetering({"prometheus:http /api/v1/targets": lambda _: {"data": {"activeTargets": active}}})
    assert Prometheus(fake.cluster).targets() == [
        Target("opencost", "opencost:9003", "up"),
        Target("kubelet-cadvisor", "one", "down", "403 Forbidden"),
    ]


def prometheus(**found: list[Any]) -> FakeMetering:
    """One that answers queries that begin with a word."""

    def answer(query: Query) -> Any:
        (result,) = (values for word, values in found.items() if word in query["query"])
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    return FakeMetering({"prometheus:http /api/v1/query": answer})


def test_scrapes_are_counted_and_none_of_them_may_have_failed() -> None:
    one, two = {"job": "opencost", "instance": "a"}, {"job": "kubelet-cadvisor", "instance": "b"}
    fake = prometheus(
        count_over_time=[sample(40, **one), sample(39, **two)], min_over_time=[sample(1, **one), sample(0, **two)]
    )
    assert Prometheus(fake.cluster).scrapes(WINDOW) == {
        ("opencost", "a"): (40, True),
        ("kubelet-cadvisor", "b"): (39, False),
    }
    assert {query["query"] for _, query in fake.asked} == {"count_over_time(up[600s])", "min_over_time(up[600s])"}
    assert {query["time"] for _, query in fake.asked} == {"2026-03-04T12:10:00+00:00"}


def test_prices_of_a_window_are_the_same_on_each_node() -> None:
    fake = prometheus(cpu=[sample(0.03, node="one"), sample(0.03, node="two")], ram=[sample(0.004, node="one")])
    assert Prometheus(fake.cluster).prices(WINDOW) == {"cpu": 0.03, "memory": 0.004}


@pytest.mark.parametrize("cpu", [[], [sample(0.03, node="one"), sample(0.04, node="two")]])
def test_no_price_or_two_are_an_error(cpu: list[Any]) -> None:
    fake = prometheus(cpu=cpu, ram=[sample(0.004, node="one")])
    with pytest.raises(MeteringError, match="should have one price of cpu"):
        Prometheus(fake.cluster).prices(WINDOW)
