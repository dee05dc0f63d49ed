"""Serving: its components, the InferenceServices that Git describes, and their answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuroscale.cluster.client import Cluster
from neuroscale.inference_client import IN_A_ROW, ask, endpoint_of, evaluate_classes, evaluate_in_a_row, in_a_row
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import ExpectedPredictions, expected_predictions, version_of
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.knative_resources import (
    STOPPED,
    condition,
    describe,
    evaluate_generated,
    fetch,
    fetch_generated,
    inference_service,
    inference_services,
    model_uri,
)
from neuroscale.probes.workloads import AllAvailable, pods_of

APPLICATION = "neuroscale-serving-stack"
#: Of all models' URLs; nobody else's, so that no request leaves the cluster (incident B4).
DOMAIN = "models.neuroscale.internal"
CRD = Ref("CustomResourceDefinition", "inferenceservices.serving.kserve.io")

KSERVE_CONTROLLER = Ref("Deployment", "kserve-controller-manager", "kserve")
WEBHOOK_CERTS = Ref("Deployment", "kserve-webhook-certs", "kserve")
KNATIVE_CONTROLLER = Ref("Deployment", "controller", "knative-serving")
ACTIVATOR = Ref("Deployment", "activator", "knative-serving")
AUTOSCALER = Ref("Deployment", "autoscaler", "knative-serving")
KNATIVE_WEBHOOK = Ref("Deployment", "webhook", "knative-serving")
NET_KOURIER = Ref("Deployment", "net-kourier-controller", "knative-serving")
GATEWAY = Ref("Deployment", "3scale-kourier-gateway", "kourier-system")
WORKLOADS = (
    KSERVE_CONTROLLER,
    WEBHOOK_CERTS,
    KNATIVE_CONTROLLER,
    ACTIVATOR,
    AUTOSCALER,
    KNATIVE_WEBHOOK,
    NET_KOURIER,
    GATEWAY,
)

#: Who of KServe's controllers works; the others stand by.
KSERVE_LEASE = Ref("Lease", "kserve-controller-manager-leader-lock", "kserve", "coordination.k8s.io/v1")

#: Conditions of an InferenceService in Knative mode. All of them say True of a good one.
_CONDITIONS = (
    "Ready",
    "PredictorReady",
    "PredictorConfigurationReady",
    "PredictorRouteReady",
    "LatestDeploymentReady",
    "RoutesReady",
    "IngressReady",
)


def workloads_ready() -> AllAvailable:
    """The components run."""
    return AllAvailable("serving", WORKLOADS, area="serving")


@dataclass(frozen=True)
class KServeLeads:
    """KServe's controller is at work, and not just ready.

    *Measured* with KServe 0.20: a new one is ready some 15 s before the lease of its predecessor ends. Then it looks at
    every model once, with the configuration of that moment, and not again when the configuration changes.
    """

    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return "KServe's controller holds the lease that lets it work"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch the lease and the pods."""
        deployment = cluster.get(KSERVE_CONTROLLER)
        return evaluate_leads(cluster.get(KSERVE_LEASE), pods_of(cluster, deployment) if deployment else [])


def evaluate_leads(lease: Object | None, pods: list[Object]) -> Verdict:
    """The lease is held by a pod that is there to stay."""
    holder = ((lease or {}).get("spec") or {}).get("holderIdentity") or "nobody"
    staying = [pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    seen = f"the lease is held by {holder}, the pods are {', '.join(staying) or 'none'}"
    return met(seen) if holder.split("_")[0] in staying else pending(seen)


# --- judgements on one object


def evaluate_service(isvc: Object | None) -> Verdict:
    """An InferenceService with every condition good, a URL, and no model that failed to load.

    Its ``observedGeneration`` is no witness: KServe copies it from the Knative Service. Whether what is served is what
    is specified is asked of what was generated (:func:`evaluate_generated`).
    """
    if isvc is None:
        return pending("it does not exist")
    if isvc["metadata"].get("deletionTimestamp"):
        return pending("it is being deleted")
    status = isvc.get("status") or {}
    url = status.get("url", "")
    trouble = _bad_conditions(isvc) or _leads_out(url) or _model_trouble(isvc, status)
    return pending(trouble) if trouble else met(f"Ready at {url}")


def _bad_conditions(isvc: Object) -> str:
    """Its conditions, when one is missing or not good; empty: all are."""
    missing = [kind for kind in _CONDITIONS if not condition(isvc, kind)]
    bad = [kind for kind in _CONDITIONS if condition(isvc, kind).get("status") != "True"]
    if not bad and condition(isvc, STOPPED).get("status", "False") == "False":
        return ""
    return f"without {', '.join(missing)}; {describe(isvc)}" if missing else describe(isvc)


def _leads_out(url: str) -> str:
    if urlsplit(url).netloc.endswith(f".{DOMAIN}"):
        return ""
    return f"its URL {url} leads out of the cluster: not below {DOMAIN}" if url else "it has no URL"


def _model_trouble(isvc: Object, status: Object) -> str:
    transition = (status.get("modelStatus") or {}).get("transitionStatus")
    if transition not in ("BlockedByFailedLoad", "InvalidSpec"):
        return ""
    return f"all its conditions are good, but its model is {transition}; {describe(isvc)}"


def evaluate_together(verdicts: Mapping[str, Verdict]) -> Verdict:
    """All of them, or those that are not; hopeless when there is nothing to judge."""
    if not verdicts:
        return unrecoverable("Git describes no InferenceService, so nothing can be said")
    bad = [f"{name}: {verdict.observed}" for name, verdict in verdicts.items() if not verdict]
    if not bad:
        return met("; ".join(f"{name}: {verdict.observed}" for name, verdict in verdicts.items()))
    return pending(f"{len(bad)} of {len(verdicts)} are not: {'; '.join(bad)}")


# --- probes


@dataclass(frozen=True)
class AllReady:
    """Each of these InferenceServices is Ready. One of two is not enough."""

    names: frozenset[str]
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"each of the {len(self.names)} InferenceServices that Git describes is Ready in every respect"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge each."""
        return evaluate_together(
            {name: evaluate_service(fetch(cluster, inference_service(name))) for name in sorted(self.names)}
        )


@dataclass(frozen=True)
class NoOtherModels:
    """No InferenceService runs beside these: one whose folder is gone from Git goes with it."""

    names: frozenset[str]
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"no InferenceService runs that is not among the {len(self.names)} that Git describes"

    def check(self, cluster: Cluster) -> Verdict:
        """Compare names."""
        return evaluate_no_others(inference_services(cluster), self.names)


def evaluate_no_others(found: Collection[str], names: Collection[str]) -> Verdict:
    """None beside these; whether each of these is there is asked elsewhere."""
    others = sorted(set(found) - set(names))
    return pending(f"not described by Git: {', '.join(others)}") if others else met(f"{len(found)}, all described")


@dataclass(frozen=True)
class AllGenerated:
    """What is made from each of these InferenceServices is whole and current."""

    names: frozenset[str]
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"what is made from each of {len(self.names)} InferenceServices is there, owned, ready and the latest"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge each."""
        return evaluate_together(
            {
                name: evaluate_generated(fetch(cluster, inference_service(name)), fetch_generated(cluster, name))
                for name in sorted(self.names)
            }
        )


@dataclass(frozen=True)
class AllAnswer:
    """Each InferenceService answers through the gateway what the version that Git names was trained to answer."""

    uris: Mapping[str, str]
    gateway: str
    rows: str = "the reference rows"
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        times = f"{IN_A_ROW} of {IN_A_ROW} times"
        return f"each of {len(self.uris)} models answers {self.rows} through the gateway as trained, {times}"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask each, so many times in a row."""
        return evaluate_together(
            {
                name: Answers(name, self.gateway, version_of(uri) or uri, self.rows).check(cluster)
                for name, uri in sorted(self.uris.items())
            }
        )


@dataclass(frozen=True)
class Answers:
    """An InferenceService answers an input as a version does, through the gateway with the host of its URL."""

    name: str
    gateway: str
    version: str
    rows: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'"{self.name}" answers {self.rows} through the gateway as version {self.version} does, each time'

    def check(self, cluster: Cluster) -> Verdict:
        """Ask so many times in a row; none is repeated."""
        known: ExpectedPredictions = expected_predictions()
        if self.version not in known.outputs:
            return unrecoverable(f"nobody wrote down what version {self.version} answers")
        endpoint = endpoint_of(fetch(cluster, inference_service(self.name)), self.gateway)
        if endpoint is None:
            return pending("it has no URL")
        wanted = known.outputs[self.version][self.rows]
        answers = in_a_row(lambda: ask(endpoint, known.inputs[self.rows]))
        return evaluate_in_a_row(answers, lambda answer: evaluate_classes(answer, wanted))


@dataclass(frozen=True)
class Serves:
    """One InferenceService serves one version: Ready, whole, and answering as that version and no other does."""

    name: str
    gateway: str
    version: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'"{self.name}" serves version {self.version}, and nothing else does'

    def check(self, cluster: Cluster) -> Verdict:
        """Judge the objects, then ask."""
        isvc = fetch(cluster, inference_service(self.name))
        if isvc is not None and version_of(model_uri(isvc)) != self.version:
            return pending(f"it asks for {model_uri(isvc)}")
        for verdict in (evaluate_service(isvc), evaluate_generated(isvc, fetch_generated(cluster, self.name))):
            if not verdict:
                return verdict
        return Answers(self.name, self.gateway, self.version, "the telling rows").check(cluster)


@dataclass(frozen=True)
class SaysWhyNotLoaded:
    """An InferenceService says that the model it asks for could not be loaded."""

    name: str
    version: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'"{self.name}" says that version {self.version} cannot be loaded'

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return evaluate_not_loaded(fetch(cluster, inference_service(self.name)), self.version)


def evaluate_not_loaded(isvc: Object | None, version: str) -> Verdict:
    """It asks for this version, its model is blocked by a failed load, and the failure has a reason."""
    if isvc is None:
        return pending("it does not exist")
    if version_of(model_uri(isvc)) != version:
        return pending(f"it asks for {model_uri(isvc)}")
    status = (isvc.get("status") or {}).get("modelStatus") or {}
    failure = status.get("lastFailureInfo") or {}
    seen = f"model {status.get('transitionStatus')}; {describe(isvc)}"
    blocked = status.get("transitionStatus") == "BlockedByFailedLoad" and failure.get("reason") == "ModelLoadFailed"
    return met(seen) if blocked else pending(seen)


@dataclass(frozen=True)
class Asleep:
    """No pod of an InferenceService runs, and it is Ready all the same."""

    name: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'"{self.name}" is asleep: Ready, and without a pod'

    def check(self, cluster: Cluster) -> Verdict:
        """Look at its status and at the pods of its deployment."""
        isvc, made = fetch(cluster, inference_service(self.name)), fetch_generated(cluster, self.name)
        pods = pods_of(cluster, made.deployment) if made.deployment else None
        return evaluate_asleep(isvc, made.deployment, pods)


def evaluate_asleep(isvc: Object | None, deployment: Object | None, pods: list[Object] | None) -> Verdict:
    """Ready, and the deployment of its latest revision wants no pod and has none, not even one on its way out.

    A pod that drains goes on answering: asked at that moment, a model wakes in 20 ms that needs seconds from its sleep.
    So does a model whose latest revision is a moment old: its first pod is on its way, and the one before is there.
    """
    if isvc is None or deployment is None or pods is None:
        return pending("it does not exist" if isvc is None else "it has no deployment")
    if condition(isvc, "Ready").get("status") != "True":
        return pending(describe(isvc))
    if wanted := deployment["spec"].get("replicas", 1):
        return pending(f"{wanted} pods wanted")
    if pods:
        return pending(f"{len(pods)} pods: {', '.join(sorted(pod['metadata']['name'] for pod in pods))}")
    return met("Ready, and no pod")
