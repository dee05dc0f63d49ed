"""What the way through the gateway costs: latencies at rest, and the driver that runs in the cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from apiserver import NONCE, ApiServer, merge
from fake_gateway import DEPLOYMENTS, NAME, Gateway, host_of
from fake_git_server import fake_platform

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.inference_client import InferenceResponse
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.polling import State
from neuroscale.results import Recorder, Sample
from neuroscale.serving import gateway_load, load_generator
from neuroscale.serving.gateway_load import GATEWAY, POD, Load, evaluate_quick, evaluate_ratio, evaluate_right

PODS = "/api/v1/namespaces/default/pods"
ORDER = {
    "body": json.dumps({"instances": expected_predictions().inputs[TELLING]}),
    "expected": expected_predictions().outputs[SERVED][TELLING],
    "workers": 2,
    "seconds": 0.2,
    "rounds": 2,
}

# --- at rest


def quick(seconds: float, classes: tuple[int, ...] = (1, 1)) -> InferenceResponse:
    return InferenceResponse(200, seconds, classes, "")


QUICK: dict[str, tuple[list[InferenceResponse], State, str]] = {
    "quick": ([quick(0.005)] * 99 + [quick(0.04)], "met", "p50 5 ms, p99 5 ms of 100"),
    "slow for half": ([quick(0.02)] * 100, "unrecoverable", "p50 20 ms"),
    "slow for two in a hundred": ([quick(0.005)] * 98 + [quick(0.2)] * 2, "unrecoverable", "p99 200 ms"),
    "fast and wrong": ([quick(0.001, (1, 2))] * 100, "unrecoverable", "100 of 100 answers are wrong"),
    "no answers": ([], "unrecoverable", "0 of 0"),
}


@pytest.mark.parametrize("case", QUICK)
def test_quick(case: str) -> None:
    answers, state, words = QUICK[case]
    verdict = evaluate_quick(answers, 0.01, 0.05)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


@pytest.mark.usefixtures("world")
def test_requests_in_turn_are_kept_before_they_are_judged(cluster: Cluster, gateway: Gateway) -> None:
    platform, kept = fake_platform(cluster), list[Sample]()
    answers = gateway_load.ask_in_turn(20, platform, Recorder("scenario", kept.append))
    assert gateway.asked == 20
    assert [one.claim for one in kept] == ["prediction-median", "prediction-p99"]
    gateway_load.assert_quick(answers, (5, 5), platform)
    with pytest.raises(ConditionTimeout, match="p50"):
        gateway_load.assert_quick(answers, (0, 0), platform)


# --- under load


def measured(count: int = 1000, seconds: float = 10, failed: int = 0) -> Load:
    return Load(seconds=seconds, latencies=[0.01] * count, wrong=["503: no"] * failed, failed=failed)


def test_every_answer_counts_and_both_ways() -> None:
    assert evaluate_right({GATEWAY: measured(), POD: measured()}).state == "met"
    assert "load was measured" in evaluate_right({GATEWAY: measured()}).observed
    assert "1 through the gateway: 503: no" in evaluate_right({GATEWAY: measured(failed=1), POD: measured()}).observed
    assert "only 9 answers straight" in evaluate_right({GATEWAY: measured(), POD: measured(9)}).observed


def test_the_ratio_is_of_throughputs() -> None:
    loads = {GATEWAY: measured(400), POD: measured(1000)}
    assert evaluate_ratio(loads, 40).observed.startswith("40 %: ")
    assert evaluate_ratio(loads, 41).state == "unrecoverable"
    assert evaluate_ratio({GATEWAY: measured(), POD: measured(0)}, 1).state == "unrecoverable"


def test_the_driver_measures_what_it_is_pointed_at(gateway: Gateway) -> None:
    """As in the pod: from its source, on the command line, with nothing but the standard library."""
    address, port = gateway.url.removeprefix("http://").split(":")
    path = f"/v1/models/{NAME}:predict"
    there = {"address": address, "port": int(port), "path": path}
    targets = {
        "right": {**there, "host": host_of(NAME)},
        "nobody": {**there, "host": "nobody"},
        "nothing": {**there, "host": "x", "port": 1},
    }
    source = Path(load_generator.__file__).read_text(encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-c", source, json.dumps({**ORDER, "targets": targets})]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    loads = gateway_load._read(f"2026-11-23T00:00:00Z {done.stdout}")
    assert loads["right"].failed == 0
    assert loads["right"].throughput > 10
    assert loads["nobody"].latencies == []
    assert loads["nobody"].failed > 10
    assert "404" in loads["nobody"].wrong[0]
    assert "ConnectionRefusedError" in loads["nothing"].wrong[0]
    assert len(loads["nothing"].wrong) <= 10


def test_a_wrong_prediction_is_no_answer(gateway: Gateway) -> None:
    address, port = gateway.url.removeprefix("http://").split(":")
    target = {"address": address, "port": int(port), "host": host_of(NAME), "path": f"/v1/models/{NAME}:predict"}
    part = load_generator.drive(target, ORDER["body"], [0, 0, 0, 0], 1, 0.1)  # type: ignore[arg-type]
    assert part["latencies"] == []
    assert part["wrong"]


@pytest.mark.parametrize("log", ["", "2026-11-23T00:00:00Z Traceback", "no-timestamp"])
def test_a_driver_that_prints_no_figures(log: str) -> None:
    with pytest.raises(PreconditionFailed, match=r"should print what it measured.*Next: "):
        gateway_load._read(log)


@pytest.fixture
def breakage(world: ApiServer, cluster: Cluster, tmp_path: Path) -> Iterator[Breakage]:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "labels": {"serving.knative.dev/revisionUID": "u"}},
        "spec": {"containers": []},
        "status": {"podIP": "10.42.0.7"},
    }
    world.put(f"{PODS}/p", pod)
    with Breakage(fake_platform(cluster), Journal(tmp_path / "journal.jsonl", NONCE)) as broken:
        yield broken


def test_the_driver_runs_in_a_pod_of_its_own_and_goes(
    breakage: Breakage, world: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Sample] = []
    line = json.dumps({way: measured().model_dump() for way in (GATEWAY, POD)})
    path = f"{PODS}/load-driver"
    world.answers[f"GET {path}/log"] = (200, f"2026-11-23T00:00:00Z {line}\n".encode(), {})

    def finish(method: str, target: str) -> None:
        if method == "GET" and target == path and path in world.objects:
            world.objects[path] = merge(world.objects[path], {"status": {"phase": "Succeeded"}})

    world.before = finish
    loads = gateway_load.compare(breakage, Recorder("scenario", kept.append))
    pod = world.objects[path]
    order = json.loads(pod["spec"]["containers"][0]["command"][-1])
    assert order["targets"][POD]["address"] == "10.42.0.7"
    assert order["targets"][GATEWAY]["address"] == "kourier.kourier-system.svc.cluster.local"
    assert {target["host"] for target in order["targets"].values()} == {host_of(NAME)}
    assert {one.series for one in kept} == {
        f"{way}, 4 at once, p{share}" for way in (GATEWAY, POD) for share in (50, 99)
    }
    gateway_load.assert_right(loads, breakage.platform)
    gateway_load.assert_ratio(loads, 90, breakage.platform)
    with pytest.raises(ConditionTimeout, match="100 %"):
        gateway_load.assert_ratio(loads, 101, breakage.platform)
    breakage.roll_back()
    assert path not in world.objects


def test_a_driver_that_fails_is_not_waited_for(breakage: Breakage, world: ApiServer) -> None:
    path = f"{PODS}/load-driver"

    def fail(method: str, target: str) -> None:
        if method == "GET" and target == path and path in world.objects:
            world.objects[path] = merge(world.objects[path], {"status": {"phase": "Failed"}})

    world.before = fail
    with pytest.raises(ConditionTimeout, match="it failed; see its log"):
        gateway_load.compare(breakage, Recorder("scenario", lambda sample: None))


def test_without_a_pod_there_is_nothing_to_compare(breakage: Breakage, world: ApiServer) -> None:
    world.remove(f"{DEPLOYMENTS}/{NAME}-predictor-00001-deployment")
    with pytest.raises(PreconditionFailed, match="should have a URL and a pod"):
        gateway_load.compare(breakage, Recorder("scenario", lambda sample: None))
