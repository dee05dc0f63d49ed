"""Mutants of what tells costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.faults import FieldsEdited, FunctionPatched, ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.guardrails.enforcement import AUDIT_ONLY, AUTOMATED_SYNC_OFF, KYVERNO_AUDIT_ONLY
from neuroscale.kubernetes.refs import Object
from neuroscale.metering.opencost import OpenCost
from neuroscale.metering.service import NAMESPACE
from neuroscale.metering.showback import Showback, showback
from neuroscale.metering.window import Window
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, met, pending
from neuroscale.prices import Prices
from neuroscale.probes import cost, expected
from neuroscale.probes.knative_resources import MODEL_LABEL, inference_service
from neuroscale.probes.reference_app import IMAGE
from neuroscale.settings import APPS_NAMESPACE
from suite.mutants.mutant import Mutant

_TRUTH = "A team is shown what it asked for, as long as it ran, at the prices in Git"
_WELL = "What tells costs is well, and so is everything that it relies on"
_RUNS = "a workload of a team without others asks for 200m of CPU and 256Mi of memory and runs for 5 min"
_WINDOWS = "that of its last 2, 5, 10 and 20 min, at steps of 30 and 60 s, is off by half a step at most"
_SHOWN = "the showback of that time by owner and by cost-center is within 5 % of what it asked for"
_FOUND = "every workload and every model of that time is found, and nobody's costs nothing"
_HOLDS = "it holds in every respect"
_SYNC_OFF = disable_automated_sync(cost.APPLICATION)
_MODEL = "demo-iris-2"

#: Says nothing and is Ready. What the API server would add is written out, so that the edit can be proven.
_STUB = {
    "name": "opencost",
    "image": IMAGE,
    "imagePullPolicy": "IfNotPresent",
    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
    "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
    "securityContext": {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_NO_PRICES = [{"name": "prices", "emptyDir": {}}]
#: Scrapes OpenCost and itself, and no node.
_HALF_BLIND = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "prometheus-half-blind", "namespace": NAMESPACE},
    "data": {
        "prometheus.yml": (
            "global: {scrape_interval: 15s}\n"
            "scrape_configs:\n"
            "  - job_name: opencost\n"
            "    honor_labels: true\n"
            '    static_configs: [{targets: ["opencost.opencost.svc.cluster.local:9003"]}]\n'
            "  - job_name: prometheus\n"
            '    static_configs: [{targets: ["localhost:9090"]}]\n'
        )
    },
}
_OTHER_CONFIG = [
    {"name": "config", "configMap": {"name": "prometheus-half-blind", "defaultMode": 420}},
    {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}},
]


def a_step_short(cluster: Cluster, window: Window, label: str) -> Showback:
    """Of a window that begins one step later."""
    return showback(cluster, replace(window, start=window.start + timedelta(seconds=window.step)), label)


def _pods(**spec: object) -> Object:
    """A patch of a Deployment's pods."""
    return {"spec": {"template": {"spec": spec}}}


@dataclass(frozen=True)
class OtherPrices:
    """OpenCost answers, and has other prices than Git."""

    prices: Prices
    area: str = cost.AREA
    description: str = "OpenCost has other prices than Git"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask it."""
        return cost.heard(lambda: self._evaluate(OpenCost(cluster).prices()))

    def _evaluate(self, found: dict[str, dict[str, float]]) -> Verdict:
        if not found or cost.evaluate_prices(found, self.prices, list(found)):
            return pending(f"its prices are {found}")
        return met(f"its prices are {found}")


def _other_prices(platform: Platform) -> Probe:
    return OtherPrices(expected.prices(platform.git_server))


@dataclass(frozen=True)
class ModelUnlabelled:
    """The pods of a model have no owner."""

    area: str = cost.AREA
    description: str = f"no pod of {_MODEL} has an owner"

    def check(self, cluster: Cluster) -> Verdict:
        """Look at each."""
        pods = cluster.list("Pod", APPS_NAMESPACE, labels=f"{MODEL_LABEL}={_MODEL}")
        owned = [pod["metadata"]["name"] for pod in pods if "owner" in pod["metadata"]["labels"]]
        return met(f"{len(pods)} pods without") if pods and not owned else pending(f"{owned} of {len(pods)} have one")


MILESTONE = "f"
MUTANTS = (
    Mutant(
        "opencost-is-a-stub",
        "A web server is in the place of OpenCost: it is Ready, and knows nothing",
        scenario=_WELL,
        before=_HOLDS,
        faults=(*_SYNC_OFF, FieldsEdited(target=cost.OPENCOST, patch=_pods(containers=[_STUB]))),
        red_step=_HOLDS,
        reason=r"opencost should answer /metrics|opencost \S+ is down: server returned HTTP status 404",
    ),
    Mutant(
        "price-file-ignored",
        "OpenCost does not find the price file, and bills its built-in prices",
        scenario=_TRUTH,
        before=_RUNS,
        faults=(*_SYNC_OFF, FieldsEdited(target=cost.OPENCOST, patch=_pods(volumes=_NO_PRICES))),
        red_step=_SHOWN,
        reason=r"owner ml-platform: \S+ shown, \S+ asked for, -[34]\d\.\d\d %",
        in_place=_other_prices,
    ),
    Mutant(
        "model-without-an-owner",
        "A model has lost its owner while no policy was enforced: what it costs is nobody's",
        scenario=_TRUTH,
        before=_RUNS,
        faults=(
            *AUTOMATED_SYNC_OFF,
            *AUDIT_ONLY,
            *KYVERNO_AUDIT_ONLY,
            *disable_automated_sync(_MODEL),
            FieldsEdited(target=inference_service(_MODEL), patch={"metadata": {"labels": {"owner": None}}}),
        ),
        red_step=_FOUND,
        reason=rf"{_MODEL}\S* is nobody's",
        in_place=lambda _: ModelUnlabelled(),
    ),
    Mutant(
        "prometheus-half-blind",
        "Prometheus scrapes OpenCost and no node: what containers use is unknown",
        scenario=_WELL,
        before=_HOLDS,
        faults=(
            *_SYNC_OFF,
            ObjectCreated(manifest=_HALF_BLIND),
            FieldsEdited(target=cost.PROMETHEUS, patch=_pods(volumes=_OTHER_CONFIG)),
        ),
        red_step=_HOLDS,
        reason=r"it does not scrape the kubelet of",
    ),
    Mutant(
        "window-a-step-short",
        "OpenCost counts from the second step on, as it does when it is asked for the window itself",
        scenario="The longer a window is, the truer is its showback",
        before=_WINDOWS,
        faults=(
            FunctionPatched(
                wire="neuroscale.cost_scenarios.windows:showback", replacement="suite.mutants.cost:a_step_short"
            ),
        ),
        red_step=_WINDOWS,
        reason=r"8 of 8: 2 min at 30 s: -25\.\d\d %",
    ),
)
