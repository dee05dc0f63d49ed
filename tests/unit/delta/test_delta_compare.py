"""What differs between two trees, and who pays for it."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_delta_shapes import MI, OWNED, PRICES, config, container, deployment, model, obj, runtime

from neuroscale import prices
from neuroscale.delta.compare import Delta, compare
from neuroscale.delta.demand import Demand
from neuroscale.delta.workloads import Places, survey
from neuroscale.errors import Inconclusive
from neuroscale.kubernetes.refs import Object
from neuroscale.prices import Prices, Thresholds
from neuroscale.settings import ROOT

HIGH = Thresholds(Decimal(2), Decimal(4 * 1024 * MI))


def delta(before: Places, after: Places, thresholds: Thresholds = HIGH) -> Delta:
    return compare(*(survey(one, PRICES, pod_level=False) for one in (before, after)), PRICES, thresholds)


def app(name: str = "a", image: str = "i:1.0.0", owner: str = "ml-platform", **spec: Any) -> Object:
    one = deployment({**container("1", "1Gi"), "image": image}, **spec)
    labels = {**OWNED, "owner": owner}
    one["metadata"] |= {"name": name, "labels": labels}
    one["spec"]["template"]["metadata"]["labels"] = labels
    return one


def words(found: Delta) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(one.workload), one.what) for one in found.changes]


def cpu(demand: Demand) -> Decimal:
    return demand.least.get("requests.cpu", Decimal(0))


def test_nothing_differs() -> None:
    found = delta({"apps/a": [app()]}, {"apps/a": [app()]})
    assert (found.changes, found.owners, found.cost_centers) == ((), {}, {})
    assert found.total.by.is_none
    assert cpu(found.total.after) == 1


@pytest.mark.parametrize(
    ("demand", "none"),
    [(Demand(), True), (Demand({"a": Decimal(0)}, {"a": Decimal(0)}), True), (Demand(unbounded=1), False),
     (Demand({"a": Decimal(1), "b": Decimal(0)}), False), (Demand({}, {"a": Decimal(-1), "b": Decimal(0)}), False)],
)  # fmt: skip
def test_a_demand_of_anything_is_one(demand: Demand, none: bool) -> None:
    assert demand.is_none == none


def test_what_came_went_and_grew() -> None:
    before = {"apps/a": [app("same"), app("gone", "x:1.0.0")]}
    found = delta(before, {"apps/a": [app("same", replicas=3), app("new", "y:1.0.0", replicas=2)]})
    assert words(found) == [
        ("Deployment n/gone", ("removed",)),
        ("Deployment n/new", ("added",)),
        ("Deployment n/same", ("changed",)),
    ]
    assert [cpu(one.by) for one in found.changes] == [-1, 2, 2]
    assert (cpu(found.total.before), cpu(found.total.after), cpu(found.total.by)) == (2, 5, 3)
    assert {who: cpu(row.by) for who, row in found.owners.items()} == {"ml-platform": 3}
    assert {who: cpu(row.by) for who, row in found.cost_centers.items()} == {"cc-ml": 3}


def test_a_new_name_is_the_same_workload() -> None:
    found = delta({"apps/a": [app("old")]}, {"apps/a": [app("new", replicas=2)]})
    assert words(found) == [("Deployment n/new", ("renamed from Deployment n/old", "changed"))]
    assert cpu(found.changes[0].by) == 1
    assert words(delta({"apps/a": [app("old")]}, {"apps/b": [app("new")]})) == [
        ("Deployment n/new", ("renamed from Deployment n/old", "moved from apps/a"))
    ]


def test_another_name_in_another_folder_goes_behind_one_in_the_same() -> None:
    before = {"apps/a": [app("a")], "apps/b": [app("b")]}
    found = delta(before, {"apps/b": [app("c")]})
    assert [one.was and one.was.name for one in found.changes] == ["a", "b"]
    assert words(found)[1] == ("Deployment n/c", ("renamed from Deployment n/b",))


@pytest.mark.parametrize(
    "other",
    [app("b", "other:1.0.0"), {**app("b"), "kind": "StatefulSet"}],
)
def test_what_runs_something_else_is_another_workload(other: Object) -> None:
    assert [what for _, what in words(delta({"x": [app("a")]}, {"x": [other]}))] == [("removed",), ("added",)]
    elsewhere = {**app("a"), "metadata": {"name": "b", "namespace": "m", "labels": OWNED}}
    assert sorted(what for _, what in words(delta({"x": [app("a")]}, {"x": [elsewhere]}))) == [("added",), ("removed",)]


def test_what_runs_nobody_knows_what_is_found_by_name_alone() -> None:
    one, other = ({**deployment({"name": "c"}), "metadata": {"name": name}} for name in ("a", "b"))
    assert [what for _, what in words(delta({"x": [one]}, {"x": [other]}))] == [("removed",), ("added",)]


def test_a_model_is_known_by_where_it_comes_from() -> None:
    one, other = (model({"sklearn": {"storageUri": "pvc://a/b"}, "minReplicas": count}) for count in (1, 2))
    other["metadata"]["name"] = "b"
    assert words(delta({"x": [one]}, {"x": [other]})) == [
        ("InferenceService n/b", ("renamed from InferenceService n/a", "changed"))
    ]


def test_the_same_name_in_another_folder_is_the_same_workload() -> None:
    found = delta({"apps/a": [app()]}, {"apps/b": [app()]})
    assert words(found) == [("Deployment n/a", ("moved from apps/a",))]
    assert found.changes[0].by.is_none
    assert found.changes[0].workload.place == "apps/b"


def test_one_name_twice_stays_where_it_is() -> None:
    both = {"apps/a": [app()], "apps/b": [app(replicas=2)]}
    assert words(delta(both, both)) == []


def test_another_team_pays_and_the_total_stays() -> None:
    found = delta({"x": [app()]}, {"x": [app(owner="platform-team")]})
    assert words(found) == [("Deployment n/a", ("taken over from ml-platform",))]
    assert {who: cpu(row.by) for who, row in found.owners.items()} == {"ml-platform": -1, "platform-team": 1}
    assert found.cost_centers == {}
    assert found.total.by.is_none
    charged = app()
    charged["spec"]["template"]["metadata"]["labels"] = {**OWNED, "cost-center": "cc-demo"}
    found = delta({"x": [app()]}, {"x": [charged]})
    assert words(found) == [("Deployment n/a", ("charged to cc-ml before",))]
    assert set(found.cost_centers) == {"cc-demo", "cc-ml"}


def test_what_is_around_changes_what_is_asked_for() -> None:
    found = delta({"x": [runtime(cpu="1"), model({"sklearn": {}})]}, {"x": [runtime(cpu="2"), model({"sklearn": {}})]})
    assert words(found) == [("InferenceService n/a", ("changed",))]
    assert cpu(found.total.by) == 1


def test_a_difference_is_open_where_nobody_bounds_what_differs() -> None:
    endless, other = model({"containers": [container()]}), app()
    larger = model({"containers": [container("2")]})
    found = delta({"x": [endless, other]}, {"x": [larger, app(replicas=2)]})
    assert [one.open for one in found.changes] == [False, True]
    assert found.total.open
    assert found.owners["ml-platform"].open
    calm = delta({"x": [endless, other]}, {"x": [endless, app(replicas=2)]})
    assert not calm.total.open
    assert not calm.owners["ml-platform"].open
    renamed = {**endless, "metadata": {**endless["metadata"], "name": "b"}}
    assert not delta({"x": [endless]}, {"x": [renamed]}).changes[0].open
    moved = copy.deepcopy(endless)
    moved["metadata"]["labels"] = {**OWNED, "owner": "platform-team"}
    taken = delta({"x": [endless]}, {"x": [moved]})
    assert {who: row.open for who, row in taken.owners.items()} == {"ml-platform": False, "platform-team": True}
    assert not delta({"x": [endless]}, {"x": []}).total.open


def test_what_has_no_price_is_counted_and_said_when_it_is_new() -> None:
    claim = obj("PersistentVolumeClaim", {"resources": {"requests": {"storage": "5Gi"}}}, "v1")
    job = obj("Job", {"template": {"spec": {"containers": [container()]}}}, "batch/v1", name="j")
    found = delta({"x": [claim]}, {"x": [claim, job]})
    assert ([one.name for one in found.unpriced], found.without_price) == (["Job n/j"], 2)
    assert delta({"x": [claim, job]}, {"x": [job]}).unpriced == ()
    rollout = obj("Rollout", {"containers": [{"name": "a"}]}, "argoproj.io/v1", name="r")
    turned = obj("Rollout", {"containers": [{"image": "i", "name": "a"}]}, "argoproj.io/v1", name="r")
    again = obj("Rollout", {"containers": [{"name": "a", "image": "i"}]}, "argoproj.io/v1", name="r")
    assert delta({"x": [turned]}, {"x": [again]}).unpriced == ()
    other = obj("Rollout", {"containers": [{"name": "b"}]}, "argoproj.io/v1", name="r")
    assert [one.name for one in delta({"x": [rollout]}, {"x": [other]}).unpriced] == ["Rollout n/r"]


# --- thresholds


@pytest.mark.parametrize(
    ("cores", "memory", "flagged"),
    [("2", "1Gi", ["requests.cpu"]), ("1999m", "1Gi", []), ("1", "4Gi", ["requests.memory"]), ("1", "4095Mi", []),
     ("3", "5Gi", ["requests.cpu", "requests.memory"])],
)  # fmt: skip
def test_from_a_threshold_on_a_workload_is_pointed_out(cores: str, memory: str, flagged: list[str]) -> None:
    found = delta({"x": [config("a")]}, {"x": [deployment(container(cores, memory))]})
    assert [one.split()[6].strip(";") for one in found.flags if one.startswith("Deployment n/a ")] == flagged
    assert len(found.flags) == 2 * len(flagged)
    assert not found.blocks


def test_many_small_ones_are_a_large_change() -> None:
    found = delta({"x": []}, {"x": [app("a", "a:1.0.0"), app("b", "b:1.0.0")]})
    assert found.flags == ("the whole change asks for 2 more requests.cpu; the threshold is 2",)


def test_what_an_autoscaler_may_do_counts() -> None:
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}
    scaler = obj("HorizontalPodAutoscaler", {**target, "maxReplicas": 3}, "autoscaling/v2")
    assert delta({"x": [app()]}, {"x": [app(), scaler]}).flags[0].startswith("Deployment n/a asks for 2 more")
    assert delta({"x": [app(), scaler]}, {"x": [app()]}).flags == ()


def test_it_blocks_where_the_repository_says_so() -> None:
    strict = Thresholds(HIGH.cpu, HIGH.memory, block=True)
    assert delta({"x": []}, {"x": [app(replicas=2)]}, strict).blocks
    assert not delta({"x": []}, {"x": [app()]}, strict).blocks
    both = (survey(one, PRICES, pod_level=False) for one in ({}, {"x": [app(replicas=9)]}))
    assert not compare(*both, PRICES).blocks


# --- prices

GOOD = 'currency = "USD"\nhourly = {cpu = 0.03719, memory = 1}\nthresholds = {cpu = "2", memory = "4Gi"}\n'


def test_prices_are_taken_as_they_are_written() -> None:
    found = prices.parse(f"nodes = 3\n{GOOD}")
    assert found.hourly == {"cpu": Decimal("0.03719"), "memory": Decimal(1)}
    assert (found.currency, found.nodes) == ("USD", 3)
    assert found.thresholds == Thresholds(Decimal(2), Decimal(4 * 1024**3), block=False)
    assert prices.parse(GOOD.replace('"4Gi"}', '"4Gi", block = true}')).thresholds.block
    assert prices.parse(GOOD).nodes is None
    assert prices.parse(GOOD.replace("memory = 1}", "memory = 0}")).hourly["memory"] == 0


def test_a_month_of_a_core_and_a_byte_is_exact() -> None:
    assert PRICES.monthly({"requests.cpu": Decimal(1)}) == Decimal("27.1487")
    assert PRICES.monthly({"requests.memory": Decimal(1)}) * 1024**3 == Decimal("0.004673") * 730
    assert PRICES.monthly({"requests.memory": Decimal(3), "limits.cpu": Decimal(9)}) * 2**30 == Decimal("10.23387")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "is no TOML"),
        (f"month = 720\n{GOOD}", "has month, which nobody reads"),
        (GOOD.replace('currency = "USD"', ""), "does not say its currency"),
        (GOOD.replace('"USD"', "1"), "does not say its currency"),
        (f"nodes = 0\n{GOOD}", "has 0 nodes"),
        (f"nodes = true\n{GOOD}", "has True nodes"),
        (f"nodes = 1.5\n{GOOD}", "nodes"),
        (GOOD.replace("cpu = 0.03719, ", ""), "does not say what cpu and memory cost"),
        (GOOD.replace(", memory = 1}", "}"), "does not say what cpu and memory cost"),
        (GOOD.replace("hourly", "daily"), "has daily"),
        (GOOD.replace("0.03719", '"0.03719"'), "as the price of cpu"),
        (GOOD.replace("0.03719", "-1"), "as the price of cpu"),
        (GOOD.replace("0.03719", "nan"), "as the price of cpu"),
        (GOOD.replace("0.03719", "true"), "as the price of cpu"),
        (GOOD.replace('cpu = "2", ', ""), "does not say thresholds"),
        (GOOD.replace('"4Gi"}', '"4Gi", block = 1}'), "does not say thresholds"),
        (GOOD.replace('"2"', '"two"'), "should be a quantity"),
    ],
)
def test_prices_that_cannot_be_used(text: str, said: str) -> None:
    with pytest.raises(Inconclusive, match=said):
        prices.parse(text)


def test_no_prices_are_no_free_lunch(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match=r"prices\.toml should say what resources cost, but cannot be read"):
        prices.load(tmp_path)


def test_the_platforms_own_prices_are_nobodys_list_prices() -> None:
    """OpenCost's built-in ones are 0.031611 and 0.004237: who left the file unread would say the same."""
    own = prices.load(ROOT)
    assert own.hourly["cpu"] != Decimal("0.031611")
    assert own.hourly["memory"] != Decimal("0.004237")
    assert own.thresholds == HIGH
    assert isinstance(own, Prices)
