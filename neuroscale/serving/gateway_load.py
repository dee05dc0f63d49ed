"""What the way through the gateway costs: latencies at rest, and the same load through it and straight to the pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.errors import PreconditionFailed
from neuroscale.inference_client import GATEWAY_SERVICE, InferenceResponse, ask, endpoint_of, evaluate_classes
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import SERVED, TELLING, expected_predictions
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes.knative_resources import fetch, fetch_generated, inference_service
from neuroscale.probes.probe_function import assert_met
from neuroscale.probes.workloads import pods_of
from neuroscale.quantile import quantile
from neuroscale.results import Recorder
from neuroscale.serving import load_generator
from neuroscale.serving.inference_requests import endpoint
from neuroscale.serving.model_rollouts import MODEL
from neuroscale.settings import APPS_NAMESPACE

GATEWAY, POD = "through the gateway", "straight to the pod"
_DRIVER = Ref("Pod", "load-driver", APPS_NAMESPACE)
#: The server's own image: it has Python, and every node that runs a model has it.
_IMAGE = "docker.io/kserve/sklearnserver:v0.20.0"
_PYTHON = "/usr/bin/python3.11"
_SERVER_PORT = 8080
_WORKERS, _SECONDS, _ROUNDS = 4, 3.0, 2
#: Start of the pod and all rounds, in seconds.
_WITHIN = 60.0
_LOG_BYTES = 4_000_000


# --- at rest


def ask_in_turn(count: int, platform: Platform, recorder: Recorder, name: str = MODEL) -> list[InferenceResponse]:
    """So many requests, one after the other; p50 and p99 are kept.

    Raises:
        PreconditionFailed: The model has no URL.
    """
    where = endpoint(platform, name)
    answers = [ask(where, expected_predictions().inputs["the reference rows"]) for _ in range(count)]
    took = sorted(answer.seconds for answer in answers)
    for share, claim in ((0.5, "prediction-median"), (0.99, "prediction-p99")):
        series = f"{count} requests in turn, p{share * 100:.0f}"
        _keep(recorder, claim=claim, series=series, seconds=quantile(took, share))
    return answers


def assert_quick(answers: list[InferenceResponse], limits: tuple[float, float], platform: Platform) -> None:
    """All right, and p50 and p99 at most these (seconds).

    Raises:
        ConditionTimeout: One answer was wrong, or a percentile is higher.
    """
    assert_met("an idle model answers fast", evaluate_quick(answers, *limits), platform)


def evaluate_quick(answers: list[InferenceResponse], p50: float, p99: float) -> Verdict:
    """Every answer right, half of them within ``p50`` seconds and 99 of 100 within ``p99``."""
    wanted = expected_predictions().outputs[SERVED]["the reference rows"]
    wrong = [verdict.observed for verdict in (evaluate_classes(answer, wanted) for answer in answers) if not verdict]
    took = sorted(answer.seconds for answer in answers)
    if wrong or not took:
        return unrecoverable(f"{len(wrong)} of {len(answers)} answers are wrong: {'; '.join(wrong[:3])}")
    half, most = quantile(took, 0.5) or 0, quantile(took, 0.99) or 0
    seen = f"p50 {duration(half)}, p99 {duration(most)} of {len(took)} answers"
    return met(seen) if half <= p50 and most <= p99 else unrecoverable(seen)


# --- under load


class Load(BaseModel):
    """What the driver measured of one target.

    Attributes:
        seconds: Of load.
        latencies: Seconds, of right answers.
        wrong: What some of the others said.
        failed: How many others there were.
    """

    seconds: float
    latencies: list[float]
    wrong: list[str]
    failed: int

    @property
    def throughput(self) -> float:
        """Right answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float | None:
        """Seconds."""
        return quantile(sorted(self.latencies), share)


def compare(breakage: Breakage, recorder: Recorder, name: str = MODEL) -> dict[str, Load]:
    """Run the same load against the gateway and against the model server's own port, from a pod in the cluster.

    Raises:
        PreconditionFailed: The model has no pod, or no URL.
        ConditionTimeout: The driver did not come to an end.
    """
    cluster = breakage.platform.cluster
    breakage.inject(ObjectCreated(manifest=_pod(_order(cluster, name))))
    eventually(_Done(_DRIVER), cluster, within=_WITHIN)
    loads = _read(cluster.logs(_DRIVER, "driver", since_seconds=int(_WITHIN) * 2, limit_bytes=_LOG_BYTES))
    for way, load in loads.items():
        for share in (0.5, 0.99):
            series = f"{way}, {_WORKERS} at once, p{share * 100:.0f}"
            facts = {"throughput": round(load.throughput, 1), "answers": len(load.latencies), "failed": load.failed}
            _keep(recorder, claim="load", series=series, seconds=load.percentile(share), facts=facts)
    return loads


def assert_right(loads: Mapping[str, Load], platform: Platform) -> None:
    """Every answer was right, either way.

    Raises:
        ConditionTimeout: One was not.
    """
    assert_met("every request of the load is answered right", evaluate_right(loads), platform)


def assert_ratio(loads: Mapping[str, Load], percent: int, platform: Platform) -> None:
    """The gateway carries so many per cent of what the pod carries.

    Raises:
        ConditionTimeout: It carries less.
    """
    assert_met(f"the gateway carries {percent} % of what the pod carries", evaluate_ratio(loads, percent), platform)


def evaluate_right(loads: Mapping[str, Load]) -> Verdict:
    """Both ways were used, and every answer was right."""
    if set(loads) != {GATEWAY, POD}:
        return unrecoverable(f"load was measured {', '.join(loads) or 'nowhere'}")
    bad = [f"{load.failed} {way}: {'; '.join(load.wrong[:3])}" for way, load in loads.items() if load.failed]
    few = [f"only {len(load.latencies)} answers {way}" for way, load in loads.items() if len(load.latencies) < 100]
    return unrecoverable("; ".join(bad + few)) if bad or few else met(_summary(loads))


def evaluate_ratio(loads: Mapping[str, Load], percent: int) -> Verdict:
    """Through the gateway, at least so many per cent of what the pod itself carries."""
    straight = loads[POD].throughput
    if not straight:
        return unrecoverable(f"the pod itself answered nothing: {_summary(loads)}")
    carried = 100 * loads[GATEWAY].throughput / straight
    seen = f"{carried:.0f} %: {_summary(loads)}"
    return met(seen) if carried >= percent else unrecoverable(seen)


def _summary(loads: Mapping[str, Load]) -> str:
    return "; ".join(
        f"{way} {load.throughput:.0f}/s, p50 {duration(load.percentile(0.5) or 0)}, "
        f"p99 {duration(load.percentile(0.99) or 0)}"
        for way, load in loads.items()
    )


@dataclass(frozen=True)
class _Done:
    """A pod ran to its end."""

    ref: Ref
    area: str = "serving"

    @property
    def description(self) -> str:
        return f"{self.ref} runs to its end"

    def check(self, cluster: Cluster) -> Verdict:
        phase = ((cluster.get(self.ref) or {}).get("status") or {}).get("phase", "absent")
        if phase == "Succeeded":
            return met(phase)
        return unrecoverable("it failed; see its log") if phase == "Failed" else pending(f"it is {phase}")


def _order(cluster: Cluster, name: str) -> Object:
    """What the driver shall do."""
    isvc, made = fetch(cluster, inference_service(name)), fetch_generated(cluster, name)
    where = endpoint_of(isvc, "")
    pods = pods_of(cluster, made.deployment) if made.deployment else []
    addresses = [address for pod in pods if (address := (pod.get("status") or {}).get("podIP"))]
    if where is None or not addresses:
        raise PreconditionFailed(f'"{name}" should have a URL and a pod, but has not. Next: neuroscale check serving')
    asked = {"host": where.host, "path": f"/v1/models/{name}:predict"}
    gateway = f"{GATEWAY_SERVICE.name}.{GATEWAY_SERVICE.namespace}.svc.cluster.local"
    return {
        "targets": {
            GATEWAY: {**asked, "address": gateway, "port": 80},
            POD: {**asked, "address": addresses[0], "port": _SERVER_PORT},
        },
        "body": json.dumps({"instances": expected_predictions().inputs[TELLING]}),
        "expected": expected_predictions().outputs[SERVED][TELLING],
        "workers": _WORKERS,
        "seconds": _SECONDS,
        "rounds": _ROUNDS,
    }


def _pod(order: Object) -> Object:
    source = Path(load_generator.__file__).read_text(encoding="utf-8")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": _DRIVER.name,
            "namespace": _DRIVER.namespace,
            "labels": {"owner": "platform-team", "cost-center": "cc-platform"},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "driver",
                    "image": _IMAGE,
                    "command": [_PYTHON, "-c", source, json.dumps(order)],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "64Mi"},
                        "limits": {"cpu": "1", "memory": "256Mi"},
                    },
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def _read(log: str) -> dict[str, Load]:
    """The last line of the log, behind its timestamp.

    Raises:
        PreconditionFailed: The driver did not print its figures.
    """
    lines = log.strip().splitlines()
    try:
        found = json.loads(lines[-1].split(" ", 1)[1])
        return {name: Load.model_validate(load) for name, load in found.items()}
    except (IndexError, ValueError) as error:
        raise PreconditionFailed(
            f"{_DRIVER} should print what it measured, but its log ends with {lines[-1:]}. Next: the scenario again"
        ) from error


def _keep(
    recorder: Recorder,
    *,
    claim: str,
    series: str,
    seconds: float | None,
    facts: Mapping[str, str | int | float | None] = MappingProxyType({}),
) -> None:
    rounded = None if seconds is None else round(seconds, 4)
    recorder.recovery(
        claim=claim,
        fault="none: the platform at work",
        subject=MODEL,
        series=series,
        at=datetime.now(UTC),
        phases={"answered": rounded},
        seconds=rounded,
        within=_WITHIN,
        facts=facts,
    )
