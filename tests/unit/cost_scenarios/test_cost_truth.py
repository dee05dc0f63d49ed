"""The API server's account of what ran, and when the showback is taken for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from neuroscale.cost_scenarios.cost_truth import (
    TEAM,
    Account,
    Used,
    asked_for,
    evaluate_models,
    evaluate_one,
    evaluate_shown,
    evaluate_workloads,
)
from neuroscale.cost_scenarios.shapes import load
from neuroscale.guardrails.oracle import evaluate as evaluate_by_oracle
from neuroscale.kubernetes.refs import Object
from neuroscale.metering.opencost import UNALLOCATED
from neuroscale.metering.showback import Payer, Showback
from neuroscale.metering.window import Window
from neuroscale.prices import Prices, Thresholds

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=10))
PRICES = Prices("USD", {"cpu": Decimal("0.03"), "memory": Decimal("0.004")}, Thresholds(Decimal(2), Decimal(4)))
MODEL = {"owner": "platform-team", "cost-center": "cc-demo", "serving.kserve.io/inferenceservice": "iris"}


def pod(name: str, since: float, labels: dict[str, str], restarts: int = 0) -> Object:
    """One that runs since so many minutes after the window began, with 300m and 1Gi."""
    started = f"{NOON + timedelta(minutes=since):%Y-%m-%dT%H:%M:%SZ}"
    requests = {"cpu": "300m", "memory": "1Gi"}
    return {
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels},
        "spec": {"containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": {
            "containerStatuses": [
                {"name": "main", "restartCount": restarts, "state": {"running": {"startedAt": started}}}
            ]
        },
    }


def used(*seen: tuple[Object, float]) -> Used:
    """Pods, and how many minutes after the window began each was seen last."""
    account = Account()
    for one, minutes in seen:
        account.note([one], NOON + timedelta(minutes=minutes))
    return Used(WINDOW, account, PRICES)


# --- the account


@pytest.mark.parametrize(
    ("since", "until", "share"),
    [(-2, 12, 1), (4, 12, Decimal("0.6")), (-2, 5, Decimal("0.5")), (4, 5, Decimal("0.1")), (11, 12, 0), (-5, -1, 0)],
)
def test_what_is_asked_for_is_requests_by_price_by_the_time_that_it_ran(
    since: float, until: float, share: Decimal
) -> None:
    hour = Decimal("0.3") * Decimal("0.03") + Decimal("0.004")
    for label in TEAM:
        assert asked_for(used((pod("a", since, TEAM), until)), label) == pytest.approx(
            hour * share / 6, abs=Decimal("1e-25")
        )


def test_each_pod_of_the_team_counts_and_no_other() -> None:
    both = used((pod("a", -1, TEAM), 12), (pod("b", -1, TEAM), 12), (pod("c", -1, MODEL), 12))
    one = asked_for(used((pod("a", -1, TEAM), 12)), "owner")
    assert asked_for(both, "owner") == pytest.approx(2 * one, abs=Decimal("1e-30"))


def test_a_pod_that_does_not_run_is_in_no_account() -> None:
    waiting = pod("a", 0, TEAM)
    waiting["status"]["containerStatuses"][0]["state"] = {"waiting": {}}
    assert used((waiting, 12)).account.pods == {}


def test_what_was_made_anew_is_found_out() -> None:
    one = pod("a", 0, TEAM)
    assert evaluate_one([]).state == "pending"
    assert evaluate_one([one]).state == "met"
    assert evaluate_one([one, pod("b", 1, TEAM)]).state == "unrecoverable"
    assert evaluate_one([pod("a", 0, TEAM, restarts=1)]).state == "unrecoverable"


# --- shown back


def shown(cost: float, name: str = "new") -> Showback:
    return Showback(WINDOW, "owner", {"cpu": 0.03, "memory": 0.004}, (Payer(name, 0, 0, cost),), {})


@pytest.mark.parametrize(
    ("cost", "state"),
    [
        (0.1, "met"),
        (0.10499, "met"),
        (0.09501, "met"),
        (0.1051, "unrecoverable"),
        (0.0949, "unrecoverable"),
        (0, "unrecoverable"),
    ],
)
def test_a_twentieth_more_or_less_is_the_same(cost: float, state: str) -> None:
    verdict = evaluate_shown(shown(cost), "new", Decimal("0.1"), 5)
    assert verdict.state == state
    assert "owner new" in verdict.observed


def test_a_team_that_is_not_shown_pays_nothing() -> None:
    assert evaluate_shown(shown(0.1, "another"), "new", Decimal("0.1"), 5).state == "unrecoverable"


def test_nothing_is_no_share_of_nothing() -> None:
    assert evaluate_shown(shown(0), "new", Decimal(0), 5).state == "unrecoverable"


# --- found


NEW, IRIS = ("a", "ml-platform", "cc-ml", UNALLOCATED), ("m", "platform-team", "cc-demo", "iris")
RAN = ((pod("a", -1, TEAM), 12), (pod("m", -1, MODEL), 12), (pod("late", 5, TEAM), 12))
LATE = ("late", "ml-platform", "cc-ml", UNALLOCATED)


@pytest.mark.parametrize("found", [{NEW, IRIS}, {NEW, IRIS, LATE}])
def test_what_ran_all_the_time_is_found_and_what_ran_for_some_of_it_may_be(found: set[tuple[str, ...]]) -> None:
    assert evaluate_workloads(found, used(*RAN)).state == "met"


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (set(), "a/ml-platform/cc-ml/__unallocated__ ran and is not found"),
        ({NEW}, "m/platform-team/cc-demo/iris ran and is not found"),
        (
            {NEW, IRIS, ("z", "ml-platform", "cc-ml", UNALLOCATED)},
            "z/ml-platform/cc-ml/__unallocated__ is found and did not run",
        ),
        ({NEW, ("m", UNALLOCATED, "cc-demo", "iris")}, "m is nobody's"),
        ({NEW, ("m", "platform-team", UNALLOCATED, "iris")}, "m is nobody's"),
        ({NEW, ("m", "another", "cc-demo", "iris")}, "m/another/cc-demo/iris is found and did not run"),
    ],
)
def test_whoever_is_missing_or_is_somebody_elses_is_named(found: set[tuple[str, ...]], seen: str) -> None:
    verdict = evaluate_workloads(found, used(*RAN))
    assert verdict.state == "unrecoverable"
    assert seen in verdict.observed


def test_a_pod_without_an_owner_is_nobodys_though_the_api_server_says_the_same() -> None:
    nobodys = {"cost-center": "cc-ml"}
    verdict = evaluate_workloads({("m", UNALLOCATED, "cc-ml", UNALLOCATED)}, used((pod("m", -1, nobodys), 12)))
    assert (verdict.state, verdict.observed) == ("unrecoverable", "m is nobody's")


def test_where_nothing_ran_all_the_time_nothing_is_shown() -> None:
    assert evaluate_workloads({LATE}, used(RAN[2])).state == "unrecoverable"


def test_models_are_found_both_ways() -> None:
    assert evaluate_models({NEW, IRIS}, ["iris"]).state == "met"
    for found, models, seen in (
        ({NEW}, ["iris"], "iris is not found"),
        ({IRIS}, ["iris", "other"], "other is not found"),
        ({IRIS}, ["other"], "iris is found and not in Git"),
        (set[tuple[str, ...]](), [], "Git describes no model"),
    ):
        verdict = evaluate_models(found, models)
        assert verdict.state == "unrecoverable"
        assert seen in verdict.observed


# --- the workload


def test_the_load_breaks_no_policy_and_asks_for_what_it_says() -> None:
    made = load("cost-1", TEAM, "200m", "256Mi")
    assert evaluate_by_oracle(made) == {}
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "200m", "memory": "256Mi"}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "cost-1", **TEAM}
    assert made["spec"]["selector"]["matchLabels"] == {"app": "cost-1"}
