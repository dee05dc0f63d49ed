"""What Knative makes from an InferenceService, and whether it is whole, owned, ready and the latest.

Facts about the objects are from ``pkg/apis/serving`` of KServe 0.20 and of Knative Serving 0.48.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.workloads import evaluate_workload
from neuroscale.settings import APPS_NAMESPACE

#: The label by which KServe's pods name their model.
MODEL_LABEL = "serving.kserve.io/inferenceservice"
KSERVE, KNATIVE = "serving.kserve.io/v1beta1", "serving.knative.dev/v1"
NETWORKING = "networking.internal.knative.dev/v1alpha1"
INGRESS_CLASS = "kourier.ingress.networking.knative.dev"
#: A condition that says False of a good InferenceService; all others say True.
STOPPED = "Stopped"
_SOURCE = "internal.serving.kserve.io/storage-initializer-sourceuri"
_CLASS = "networking.knative.dev/ingress.class"


def inference_service(name: str) -> Ref:
    """The InferenceService of that name."""
    return Ref("InferenceService", name, APPS_NAMESPACE, KSERVE)


def knative_service(name: str) -> Ref:
    """The Knative Service that KServe makes for an InferenceService."""
    return Ref("Service", f"{name}-predictor", APPS_NAMESPACE, KNATIVE)


def fetch(cluster: Cluster, ref: Ref) -> Object | None:
    """An object, or ``None`` when it does not exist, nor perhaps its kind."""
    try:
        return cluster.get(ref)
    except ApiError as error:
        if error.status == 404:
            return None
        raise


def fetch_generated(cluster: Cluster, name: str) -> Generated:
    """What was made from the InferenceService of that name."""

    def knative(kind: str, which: str, api_version: str = KNATIVE) -> Object | None:
        return fetch(cluster, Ref(kind, which, APPS_NAMESPACE, api_version)) if which else None

    ref = knative_service(name)
    service = fetch(cluster, ref)
    latest = ((service or {}).get("status") or {}).get("latestCreatedRevisionName", "")
    return Generated(
        service=service,
        configuration=knative("Configuration", ref.name),
        route=knative("Route", ref.name),
        revision=knative("Revision", latest),
        ingress=knative("Ingress", ref.name, NETWORKING),
        deployment=fetch(cluster, Ref("Deployment", f"{latest}-deployment", APPS_NAMESPACE)) if latest else None,
    )


# --- judgements


def condition(obj: Object, kind: str) -> Object:
    """A condition of an object; empty when it has none of this type."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == kind), {})


def describe(obj: Object) -> str:
    """Each condition that is not as it should be, with its reason and message."""
    bad = [
        f"{one['type']}={one['status']}"
        + (f" ({one.get('reason', '')}: {one.get('message', '')[:300]})" if one.get("reason") else "")
        for one in (obj.get("status") or {}).get("conditions") or []
        if one["status"] != ("False" if one["type"] == STOPPED else "True")
    ]
    model = (obj.get("status") or {}).get("modelStatus") or {}
    failure = model.get("lastFailureInfo")
    # It stays there after the model was loaded.
    if failure and model.get("transitionStatus") != "UpToDate":
        bad.append(f"{failure.get('reason')}: {failure.get('message', '')[:300]}")
    return "; ".join(bad) or "all its conditions are good"


@dataclass(frozen=True)
class Generated:
    """What is made from one InferenceService, as far as it is there; each is owned by the one named behind it.

    Attributes:
        service: Knative Service (InferenceService).
        configuration: Configuration (Knative Service).
        route: Route (Knative Service).
        revision: The latest Revision that was created (Configuration).
        ingress: Knative's internal Ingress (Route).
        deployment: Deployment (Revision).
    """

    service: Object | None = None
    configuration: Object | None = None
    route: Object | None = None
    revision: Object | None = None
    ingress: Object | None = None
    deployment: Object | None = None

    @property
    def owners(self) -> Mapping[str, str]:
        """Part -> part that owns it; the InferenceService is not among the parts."""
        return {
            "configuration": "service",
            "route": "service",
            "revision": "configuration",
            "ingress": "route",
            "deployment": "revision",
        }


def evaluate_generated(isvc: Object | None, made: Generated) -> Verdict:
    """Everything is there, owned in an unbroken chain, ready as of its latest spec, and the latest revision serves."""
    if isvc is None:
        return pending("it does not exist")
    parts: dict[str, Object | None] = {name: getattr(made, name) for name in ("service", *made.owners)}
    if missing := [name for name, obj in parts.items() if obj is None]:
        return pending(f"missing: {', '.join(missing)}")
    there = {name: obj for name, obj in parts.items() if obj is not None}
    trouble = [
        *_orphans(isvc, there, made.owners),
        *_unready(there),
        *_stale(isvc, there["service"], there["revision"]),
        *(_stray(name, there[name], there["revision"]["metadata"]["name"]) for name in ("service", "route")),
        _misrouted(there["ingress"]),
    ]
    if found := [what for what in trouble if what]:
        return pending("; ".join(found))
    return met(f"complete, revision {there['revision']['metadata']['name']} takes all traffic")


def _orphans(isvc: Object, parts: Mapping[str, Object], owners: Mapping[str, str]) -> list[str]:
    chain = {"service": isvc, **{child: parts[owner] for child, owner in owners.items()}}
    return [
        f"the {child} {parts[child]['metadata']['name']} is not owned by {owner['metadata']['name']}"
        for child, owner in chain.items()
        if not any(
            reference.get("controller") and reference["uid"] == owner["metadata"]["uid"]
            for reference in parts[child]["metadata"].get("ownerReferences") or []
        )
    ]


def _unready(parts: Mapping[str, Object]) -> list[str]:
    trouble = []
    for name, obj in parts.items():
        if name == "deployment":
            verdict = evaluate_workload(obj, ())
            trouble += [] if verdict else [f"the deployment: {verdict.observed}"]
        elif condition(obj, "Ready").get("status") != "True":
            trouble.append(f"the {name} is not Ready: {describe(obj)}")
        elif (obj.get("status") or {}).get("observedGeneration") != obj["metadata"].get("generation"):
            trouble.append(f"the {name}'s status is of an older spec")
    return trouble


def _stale(isvc: Object, service: Object, revision: Object) -> list[str]:
    """The revision was made from what the InferenceService asks for, and it is the latest that is ready."""
    wanted, name = model_uri(isvc), revision["metadata"]["name"]
    serves = (revision["metadata"].get("annotations") or {}).get(_SOURCE)
    status = service.get("status") or {}
    trouble = [] if serves == wanted else [f"revision {name} serves {serves}, asked for is {wanted}"]
    if not name == status.get("latestCreatedRevisionName") == status.get("latestReadyRevisionName"):
        trouble.append(
            f"latest created is {status.get('latestCreatedRevisionName')}, "
            f"latest ready {status.get('latestReadyRevisionName')}"
        )
    return trouble


def _stray(name: str, obj: Object, revision: str) -> str:
    """Traffic that goes to any revision but the given one; empty for none."""
    traffic = (obj.get("status") or {}).get("traffic") or []
    shares = {target.get("revisionName", "nothing"): target.get("percent", 0) for target in traffic}
    return "" if shares == {revision: 100} else f"the {name} sends traffic to {shares or 'nothing'}, not to {revision}"


def _misrouted(ingress: Object) -> str:
    found = (ingress["metadata"].get("annotations") or {}).get(_CLASS)
    return "" if found == INGRESS_CLASS else f"the ingress is for class {found}, not {INGRESS_CLASS}"


def model_uri(isvc: Object) -> str:
    """The storage URI that an InferenceService asks for; empty when it has none."""
    return str((isvc["spec"]["predictor"].get("model") or {}).get("storageUri", ""))


def inference_services(cluster: Cluster) -> set[str]:
    """Names of all InferenceServices where models run; none while there is no such kind."""
    try:
        found = cluster.list("InferenceService", APPS_NAMESPACE, api_version=KSERVE)
    except ApiError as error:
        if error.status == 404:
            return set()
        raise
    return {isvc["metadata"]["name"] for isvc in found}


def evaluate_quiet(cluster: Cluster) -> Verdict:
    """No pod in the models' namespace is being deleted, or will be as the model that it was made for is gone."""
    pods = [pod["metadata"] for pod in cluster.list("Pod", APPS_NAMESPACE)]
    models: set[str] = set()
    if any(MODEL_LABEL in pod.get("labels", {}) for pod in pods):  # without KServe there is not even the kind
        models = inference_services(cluster)
    leaving = sorted(pod["name"] for pod in pods if _leaves(pod, models))
    return pending(f"on its way out: {', '.join(leaving)}") if leaving else met(f"{len(pods)} pods stay")


def _leaves(pod: Object, models: Collection[str]) -> bool:
    model = pod.get("labels", {}).get(MODEL_LABEL)
    return bool(pod.get("deletionTimestamp")) or (model is not None and model not in models)
