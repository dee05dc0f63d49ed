"""Models under Pod Security's level "restricted", and what fetches them, which nobody writes and KServe injects."""

from __future__ import annotations

from copy import deepcopy

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.errors import PreconditionFailed
from neuroscale.fresh_names import fresh_name
from neuroscale.guardrails.admission import AdmissionResponse, assert_met, submit_repeatedly
from neuroscale.guardrails.running import Running, evaluate_unprivileged, look_once
from neuroscale.inference_client import (
    IN_A_ROW,
    ask,
    endpoint_of,
    evaluate_classes,
    evaluate_in_a_row,
    gateway_url,
    in_a_row,
)
from neuroscale.kubernetes.objects import namespace
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import FILE, SERVED, expected_predictions, storage_uri
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import expected
from neuroscale.probes.knative_resources import MODEL_LABEL, describe, fetch, inference_service
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import APPS_NAMESPACE, BUDGETS

_LIKE, FETCHER = "demo-iris-2", "storage-initializer"
_NAMESPACE = "restricted-models"
_LEVEL = "pod-security.kubernetes.io/enforce"
_ROWS = "the reference rows"
#: Seconds: a pod, its image that the node has, and one process.
_SEEN_WITHIN = 60.0
#: It accepts whoever connects, since a kernel does so by itself, and says nothing: what fetches from it waits.
_SILENT, _PORT = Ref("Pod", "silent-store", APPS_NAMESPACE), 8080
_SAYS_NOTHING = f"import signal, socket; store = socket.create_server(('', {_PORT})); signal.pause()"


def create_in_restricted_namespace(breakage: Breakage) -> Ref:
    """Make a namespace of that level, with the limits of tenants' containers, and in it a model like one in Git.

    Returns:
        The model.
    """
    home = namespace(_NAMESPACE)
    home["metadata"]["labels"] = {_LEVEL: "restricted"}
    breakage.inject(ObjectCreated(manifest=home))
    limits = expected.limit_range(breakage.platform.git_server, _NAMESPACE)
    breakage.inject(ObjectCreated(manifest=limits))
    return _create(breakage, _NAMESPACE, storage_uri(SERVED))


def create_waiting(breakage: Breakage) -> Ref:
    """Make a model whose store never answers: what fetches it runs for as long as anybody looks.

    Returns:
        The model.

    Raises:
        PreconditionFailed: The model that it is made like does not exist, or the store is gone at once.
    """
    cluster = breakage.platform.cluster
    breakage.inject(ObjectCreated(manifest=_silent_store(_labels(_alike(cluster))), ready=True))
    store = cluster.get(_SILENT)
    if store is None:
        raise PreconditionFailed(f"{_SILENT} was Ready, and is gone. Next: neuroscale check guardrails")
    return _create(breakage, APPS_NAMESPACE, f"http://{store['status']['podIP']}:{_PORT}/{FILE}")


def _silent_store(labels: Object) -> Object:
    container = {
        "name": "store",
        "image": "docker.io/kserve/sklearnserver:v0.20.0",
        "command": ["/usr/bin/python3.11", "-c", _SAYS_NOTHING],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {"runAsNonRoot": True},
    }
    meta = {"name": _SILENT.name, "namespace": _SILENT.namespace, "labels": labels}
    spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": _SILENT.kind, "metadata": meta, "spec": spec}


def _alike(cluster: Cluster) -> Object:
    like = cluster.get(inference_service(_LIKE))
    if like is None:
        raise PreconditionFailed(f"The model {_LIKE} should be there, but is not. Next: neuroscale check serving")
    return like


def _labels(like: Object) -> Object:
    return {key: like["metadata"]["labels"][key] for key in ("owner", "cost-center")}


def _create(breakage: Breakage, where: str, uri: str) -> Ref:
    like = _alike(breakage.platform.cluster)
    # A name that was never used: what was generated for an earlier one may still be on its way out.
    meta = {"name": fresh_name("like-another"), "namespace": where, "labels": _labels(like)}
    spec = deepcopy(like["spec"])
    spec["predictor"]["model"]["storageUri"] = uri
    manifest = {"apiVersion": like["apiVersion"], "kind": like["kind"], "metadata": meta, "spec": spec}
    breakage.inject(ObjectCreated(manifest=manifest))
    return Ref.to(manifest)


# --- what is demanded


def assert_answers(model: Ref, platform: Platform) -> None:
    """It comes up and answers as trained, and then so many times in a row.

    Raises:
        ConditionTimeout: It does not, and says why.
    """
    wanted, cluster = expected_predictions(), platform.cluster

    def answer_to(times: int) -> Verdict:
        isvc = fetch(cluster, model)
        where = endpoint_of(isvc, gateway_url(cluster))
        if where is None:
            return pending(f"{model} has no URL: {describe(isvc) if isvc else 'it does not exist'}")
        answers = in_a_row(lambda: ask(where, wanted.inputs[_ROWS]), times)
        verdict = evaluate_in_a_row(answers, lambda one: evaluate_classes(one, wanted.outputs[SERVED][_ROWS]), times)
        return verdict or pending(f"{verdict.observed}; {describe(isvc or {})}")

    eventually(
        ProbeFunction(f"{model} answers {_ROWS} as trained", lambda: answer_to(1)), cluster, within=BUDGETS.recover
    )
    assert_met(f"{model} answers {_ROWS} {IN_A_ROW} times in a row", answer_to(IN_A_ROW), platform)


def assert_upstreams_refused(model: Ref, platform: Platform) -> None:
    """The model's own pod is refused in its namespace, once what fetches the model is as upstream has it.

    Raises:
        ConditionTimeout: It is admitted, or refused for something else.
        PreconditionFailed: The model has no pod.
    """
    pod = as_upstream(_pod_of(model, platform))
    answer = submit_repeatedly(platform.cluster, pod, str(model.namespace))
    assert_met(f"a pod with upstream's {FETCHER} is refused", evaluate_refused(answer), platform)


def _pod_of(model: Ref, platform: Platform) -> Object:
    for pod in platform.cluster.list("Pod", model.namespace, labels=f"{MODEL_LABEL}={model.name}"):
        if "deletionTimestamp" not in pod["metadata"]:
            return pod
    raise PreconditionFailed(f"{model} should have a pod, but has none. Next: neuroscale check serving")


def as_upstream(pod: Object) -> Object:
    """The same pod under another name, but for what the platform says of what fetches the model: upstream says nothing.

    Raises:
        PreconditionFailed: Nothing fetches a model in it, or nothing was said.
    """
    labels = {key: pod["metadata"]["labels"][key] for key in ("owner", "cost-center")}
    spec = {key: value for key, value in deepcopy(pod["spec"]).items() if key != "nodeName"}
    for container in spec.get("initContainers") or []:
        if container["name"] == FETCHER and container.pop("securityContext", None):
            # Without the model's labels: KServe's webhook shall not have another look.
            return {
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "as-upstream", "labels": labels}, "spec": spec,
            }  # fmt: skip
    raise PreconditionFailed(f"The pod should have a bounded {FETCHER}, but has none. Next: neuroscale check serving")


def evaluate_refused(answer: AdmissionResponse) -> Verdict:
    """By Pod Security, for what fetches the model, and for nothing else in the pod."""
    blamed = f'container "{FETCHER}"'
    if 'violates PodSecurity "restricted' in answer.said and blamed in answer.said:
        return met(answer.said)
    return unrecoverable(f"{answer.outcome}: {answer.said or 'nothing was said'}")


def assert_fetcher_unprivileged(model: Ref, platform: Platform) -> None:
    """What fetches a model is seen to run, and its processes are nobody's who could do harm.

    Raises:
        ConditionTimeout: It is not seen, is root's, or has or could have a capability.
    """
    found = list[Running]()

    def evaluate() -> Verdict:
        now = look_once(platform)
        fetchers = tuple(
            one
            for one in now.containers
            if one.spec["name"] == FETCHER
            and one.processes
            and (one.pod["metadata"].get("labels") or {}).get(MODEL_LABEL) == model.name
        )
        if not fetchers:
            return pending(f"no {FETCHER} of {model} runs at this moment")
        found.append(Running(fetchers))
        return met(f"{FETCHER} runs")

    eventually(
        ProbeFunction(f"{FETCHER} of {model} is seen to run", evaluate),
        platform.cluster,
        within=_SEEN_WITHIN,
        every=0.5,
    )
    assert_met(f"{FETCHER} runs unprivileged", evaluate_unprivileged(found[-1], ()), platform)
