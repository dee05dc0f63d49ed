"""When what tells costs is well: all is scraped, prices are Git's, and every pod is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fake_git_server import FakeGitServer
from fake_metering import FakeMetering, allocation

from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.refs import Object
from neuroscale.metering.opencost import Allocation
from neuroscale.metering.prometheus import Target
from neuroscale.prices import Prices, Thresholds
from neuroscale.probes import expected
from neuroscale.probes.cost import (
    AllFound,
    PricesAsInGit,
    TargetsUp,
    evaluate_found,
    evaluate_prices,
    evaluate_targets,
    running_since,
)
from neuroscale.settings import ROOT

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
UP = [
    Target("opencost", "opencost:9003", "up"),
    Target("prometheus", "localhost:9090", "up"),
    Target("kubelet-cadvisor", "one", "up"),
    Target("kubelet-cadvisor", "two", "up"),
]
PRICES = Prices("USD", {"cpu": Decimal("0.03719"), "memory": Decimal("0.004673")}, Thresholds(Decimal(2), Decimal(4)))
RIGHT = {"cpu": 0.03719, "memory": 0.004673}


def pod(name: str, minutes: float | None, namespace: str = "default") -> Object:
    """One whose container has run for so long, or does not run."""
    state: Object = {"waiting": {"reason": "ImagePullBackOff"}}
    if minutes is not None:
        state = {"running": {"startedAt": f"{NOW - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"}}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "status": {"containerStatuses": [{"name": "main", "state": state}]},
    }


def given(*keys: tuple[str, str]) -> list[Allocation]:
    return [Allocation(key, 0.1, 0.1, 0.0) for key in keys]


# --- targets


def test_all_targets_are_up_and_none_is_missing() -> None:
    assert evaluate_targets(UP, ["one", "two"]).state == "met"


@pytest.mark.parametrize(
    ("targets", "nodes", "seen"),
    [
        ([], ["one"], "it does not scrape the kubelet of one, opencost, prometheus"),
        (UP[:3], ["one", "two"], "it does not scrape the kubelet of two"),
        (UP[2:], ["one", "two"], "it does not scrape opencost, prometheus"),
        ([*UP[1:], Target("opencost", "a", "down", "refused")], ["one", "two"], "opencost a is down: refused"),
        ([*UP[1:], Target("opencost", "a", "unknown")], ["one", "two"], "opencost a is unknown: no reason"),
        (UP, [], "there is no node"),
    ],
)
def test_a_target_that_is_down_or_missing_is_named(targets: list[Target], nodes: list[str], seen: str) -> None:
    verdict = evaluate_targets(targets, nodes)
    assert verdict.state == "pending"
    assert verdict.observed == seen


# --- prices


def test_prices_are_gits_on_each_node() -> None:
    verdict = evaluate_prices({"one": RIGHT, "two": RIGHT}, PRICES, ["one", "two"])
    assert verdict.observed == "cpu 0.03719, memory 0.004673 USD an hour, on 2 nodes"
    assert verdict.state == "met"


@pytest.mark.parametrize(
    ("found", "nodes", "seen"),
    [
        ({}, ["one"], "one: cpu costs nothing, and not 0.03719; one: memory costs nothing, and not 0.004673"),
        ({"one": {**RIGHT, "cpu": 0.031611}}, ["one"], "one: cpu costs 0.031611, and not 0.03719"),
        ({"one": {**RIGHT, "memory": 0.0}}, ["one"], "one: memory costs 0.0, and not 0.004673"),
        ({"one": RIGHT}, ["one", "two"], "two: cpu costs nothing, and not 0.03719"),
        ({"one": RIGHT}, [], "there is no node"),
    ],
)
def test_another_price_or_none_is_named(found: dict[str, dict[str, float]], nodes: list[str], seen: str) -> None:
    verdict = evaluate_prices(found, PRICES, nodes)
    assert verdict.state == "pending"
    assert verdict.observed.startswith(seen)


def test_prices_that_git_has_are_those_of_its_file() -> None:
    text = (ROOT / "infrastructure" / "prices.toml").read_text(encoding="utf-8")
    git_server: Any = FakeGitServer({"infrastructure/prices.toml": text}, "")
    assert expected.prices(git_server).hourly["cpu"] == Decimal("0.03719")
    with pytest.raises(Inconclusive, match="does not say its currency"):
        expected.prices(FakeGitServer({}, ""))  # type: ignore[arg-type]


# --- what is found


def test_each_pod_that_has_run_for_a_while_is_found() -> None:
    pods = [pod("old", 5), pod("young", 1), pod("waits", None), pod("old", 5, "kyverno")]
    verdict = evaluate_found(given(("default", "old"), ("kyverno", "old")), pods, NOW)
    assert (verdict.state, verdict.observed) == ("met", "2 of 2 pods are in it")


def test_what_is_not_found_is_named_and_counted() -> None:
    pods = [pod(f"p{number}", 5) for number in range(7)]
    verdict = evaluate_found(given(("default", "p0")), pods, NOW)
    assert verdict.state == "pending"
    assert verdict.observed == (
        "6 of 7 pods are not in it: default/p1, default/p2, default/p3, default/p4, default/p5 and 1 more"
    )


def test_where_nothing_has_run_for_a_while_nothing_is_said() -> None:
    assert evaluate_found(given(("default", "old")), [pod("young", 1)], NOW).state == "pending"


def test_a_pod_runs_since_its_first_container_does() -> None:
    both = pod("a", 1)
    both["status"]["containerStatuses"] += pod("a", 3)["status"]["containerStatuses"]
    assert running_since(both) == NOW - timedelta(minutes=3)
    assert running_since(pod("a", None)) is None
    assert running_since({"metadata": {}}) is None


# --- asking


def test_who_does_not_answer_may_do_so_later() -> None:
    fake = FakeMetering({}, {"Node": [{"metadata": {"name": "one"}}], "Pod": [pod("old", 5)]})
    for probe in (TargetsUp(), PricesAsInGit(PRICES), AllFound()):
        verdict = probe.check(fake.cluster)
        assert verdict.state == "pending"
        assert "no endpoints available" in verdict.observed


def test_probes_ask_for_what_they_judge() -> None:
    metrics = 'node_cpu_hourly_cost{node="one"} 0.03719\nnode_ram_hourly_cost{node="one"} 0.004673\n'
    active = [
        {"labels": {"job": one.job, "instance": one.instance}, "health": one.health, "lastError": ""} for one in UP
    ]
    fake = FakeMetering(
        {
            "prometheus:http /api/v1/targets": lambda _: {"data": {"activeTargets": active}},
            "opencost:http /metrics": lambda _: metrics,
            "opencost:http /allocation/compute": lambda _: {"data": [{"default/old": allocation(1, 1, 1)}]},
        },
        {"Node": [{"metadata": {"name": "one"}}], "Pod": [pod("old", 5)]},
    )
    for probe in (TargetsUp(), PricesAsInGit(PRICES), AllFound()):
        assert probe.check(fake.cluster), probe.description
