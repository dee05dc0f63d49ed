"""A workload of each shape that decides otherwise over what its pods ask for, small enough for the namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED, storage_uri
from neuroscale.probes.reference_app import IMAGE
from neuroscale.settings import APPS_NAMESPACE

_LABELS = {"owner": "ml-platform", "cost-center": "cc-ml"}
_STAYS = ["tail", "-f", "/dev/null"]


def workload(shape: str, name: str) -> Object:
    """A workload of a shape, in the words of features."""
    return SHAPES[shape](name)


def load(name: str, team: Mapping[str, str], cpu: str, memory: str) -> Object:
    """A workload that requests so much and uses next to nothing of it.

    Args:
        name: Its name.
        team: Labels of its pods.
        cpu: What it requests.
        memory: What it requests, in ``Mi``.
    """
    made = _deployment(name, _container("main", cpu, memory))
    made["metadata"] |= {"namespace": APPS_NAMESPACE, "labels": {"app": name, **team}}
    made["spec"]["template"]["metadata"]["labels"] = {"app": name, **team}
    return made


def _container(name: str, cpu: str, memory: str, **more: object) -> Object:
    """One that may take twice the CPU that it asks for, and 64 MiB more than its memory."""
    limits = {"cpu": f"{2 * int(cpu.removesuffix('m'))}m", "memory": f"{64 + int(memory.removesuffix('Mi'))}Mi"}
    return {
        "name": name,
        "image": IMAGE,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": limits},
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        **more,
    }


def _deployment(name: str, main: Object, *first: Object, replicas: int = 1) -> Object:
    spec = {
        "automountServiceAccountToken": False,
        "priorityClassName": "gives-way",
        # Who waits for ever hears no signal.
        "terminationGracePeriodSeconds": 1,
        **({"initContainers": list(first)} if first else {}),
        "containers": [main],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name, **_LABELS}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name, **_LABELS}}, "spec": spec},
        },
    }


def _two_replicas(name: str) -> Object:
    return _deployment(name, _container("main", "20m", "32Mi"), replicas=2)


def _large_init_containers(name: str) -> Object:
    """One decides over CPU, another over memory."""
    processor = _container("processor", "60m", "32Mi", command=["true"])
    memory = _container("memory", "20m", "96Mi", command=["true"])
    return _deployment(name, _container("main", "20m", "48Mi"), processor, memory)


def _native_sidecar(name: str) -> Object:
    """It stays beside the init container after it, and those two together are the most there ever is."""
    sidecar = _container("sidecar", "20m", "48Mi", command=_STAYS, restartPolicy="Always")
    after = _container("after", "30m", "40Mi", command=["true"])
    return _deployment(name, _container("main", "15m", "32Mi"), sidecar, after)


def _service(name: str, predictor: Object) -> Object:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "labels": dict(_LABELS)},
        "spec": {"predictor": {"minReplicas": 1, "maxReplicas": 1, **predictor}},
    }


def _server(cpu_limit: str) -> Object:
    resources = {"requests": {"cpu": "60m", "memory": "160Mi"}, "limits": {"cpu": cpu_limit, "memory": "512Mi"}}
    return {"storageUri": storage_uri(SERVED), "resources": resources}


def _model(name: str) -> Object:
    """Less CPU, with its sidecar, than what fetches it may take."""
    return _service(name, {"model": {"modelFormat": {"name": "sklearn"}, **_server("600m")}})


def _older_model(name: str) -> Object:
    return _service(name, {"sklearn": _server("1")})


#: In the words of features -> what makes one, given its name.
SHAPES: Mapping[str, Callable[[str], Object]] = {
    "a Deployment with 2 replicas": _two_replicas,
    "a Deployment with large init containers": _large_init_containers,
    "a Deployment with a native sidecar": _native_sidecar,
    "a model": _model,
    "a model in the older form": _older_model,
}
