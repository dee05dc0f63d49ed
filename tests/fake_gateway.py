"""A served model in its objects, shaped as KServe 0.20 and Knative Serving 0.48 make them, and a gateway before it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from apiserver import ApiServer, merge
from fixtures import captured
from local_server import LocalServer

from neuroscale.inference_client import BAD_INPUT
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import SERVED, expected_predictions, storage_uri
from neuroscale.probes.knative_resources import INGRESS_CLASS, Generated

NAME = "demo-iris-2"
ISVCS = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"
KNATIVE = "/apis/serving.knative.dev/v1/namespaces/default"
INGRESSES = "/apis/networking.internal.knative.dev/v1alpha1/namespaces/default/ingresses"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
#: For :data:`apiserver.KINDS`.
KINDS = {
    "/apis/coordination.k8s.io/v1": {"leases": ("Lease", True)},
    "/apis/serving.kserve.io/v1beta1": {"inferenceservices": ("InferenceService", True)},
    "/apis/serving.knative.dev/v1": {
        "services": ("Service", True),
        "configurations": ("Configuration", True),
        "routes": ("Route", True),
        "revisions": ("Revision", True),
    },
    "/apis/networking.internal.knative.dev/v1alpha1": {"ingresses": ("Ingress", True)},
    "/apis/apiextensions.k8s.io/v1": {"customresourcedefinitions": ("CustomResourceDefinition", False)},
}

#: What the gateway says of itself in each answer, and what it adds when it has the answer from a model.
GATEWAY = {"Server": "envoy"}
MODEL = {**GATEWAY, "Content-Type": "application/json", "X-Envoy-Upstream-Service-Time": "7"}
#: Body of an input that no model can take -> how it is refused.
REFUSALS = {
    BAD_INPUT[what].body: (status, json.dumps(content)) for what, (status, content) in captured("refusals").items()
}
NGINX_PAGE = "<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>"


def host_of(name: str) -> str:
    return f"{name}-predictor.default.models.neuroscale.internal"


def conditions(**statuses: str) -> list[Object]:
    return [{"type": kind, "status": status, "severity": "Info"} for kind, status in statuses.items()]


def isvc(name: str = NAME, version: str = SERVED, change: Object | None = None) -> Object:
    """An InferenceService that is Ready."""
    obj: Object = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-isvc-{name}",
            "generation": 3,
            "finalizers": ["inferenceservice.finalizers"],
            "labels": {"owner": "platform-team", "cost-center": "cc-demo"},
        },
        "spec": {
            "predictor": {
                "minReplicas": 1,
                "model": {"modelFormat": {"name": "sklearn"}, "storageUri": storage_uri(version)},
            }
        },
        "status": {
            "conditions": conditions(
                IngressReady="True",
                LatestDeploymentReady="True",
                PredictorConfigurationReady="True",
                PredictorReady="True",
                PredictorRouteReady="True",
                Ready="True",
                RoutesReady="True",
                Stopped="False",
            ),
            "url": f"http://{host_of(name)}",
            "observedGeneration": 1,
            "deploymentMode": "Knative",
            "modelStatus": {
                "copies": {"failedCopies": 0, "totalCopies": 1},
                "states": {"activeModelState": "Loaded", "targetModelState": "Loaded"},
                "transitionStatus": "UpToDate",
            },
        },
    }
    return merge(obj, change) if change else obj  # type: ignore[no-any-return]


def with_condition(obj: Object, kind: str, status: str, reason: str = "", message: str = "") -> Object:
    """The same object with another condition of this type."""
    said = {"type": kind, "status": status, "reason": reason, "message": message}
    others = [one for one in obj["status"]["conditions"] if one["type"] != kind]
    return merge(obj, {"status": {"conditions": [*others, said]}})  # type: ignore[no-any-return]


def made(name: str = NAME, version: str = SERVED, revision: str = "00001") -> Generated:
    """What is made from it, whole."""
    full = f"{name}-predictor"
    latest = f"{full}-{revision}"
    traffic = [{"latestRevision": True, "percent": 100, "revisionName": latest}]

    def obj(kind: str, api: str, own: str, owner: str, **more: Any) -> Object:
        meta = {
            "name": own,
            "namespace": "default",
            "uid": f"uid-{kind.lower()}-{own}",
            "generation": 2,
            "ownerReferences": [{"uid": owner, "controller": True, "kind": "x", "name": "x", "apiVersion": "x"}],
        }
        status = {"observedGeneration": 2, "conditions": conditions(Ready="True"), **more.pop("status", {})}
        return merge({"apiVersion": api, "kind": kind, "metadata": meta, "status": status}, more)  # type: ignore[no-any-return]

    names = {"latestCreatedRevisionName": latest, "latestReadyRevisionName": latest}
    serving = "serving.knative.dev/v1"
    return Generated(
        service=obj("Service", serving, full, f"uid-isvc-{name}", status={**names, "traffic": traffic}),
        configuration=obj("Configuration", serving, full, f"uid-service-{full}", status=names),
        route=obj("Route", serving, full, f"uid-service-{full}", status={"traffic": traffic}),
        revision=obj(
            "Revision",
            serving,
            latest,
            f"uid-configuration-{full}",
            metadata={
                "annotations": {"internal.serving.kserve.io/storage-initializer-sourceuri": storage_uri(version)}
            },
        ),
        ingress=obj(
            "Ingress",
            "networking.internal.knative.dev/v1alpha1",
            full,
            f"uid-route-{full}",
            metadata={"annotations": {"networking.knative.dev/ingress.class": INGRESS_CLASS}},
        ),
        deployment=obj(
            "Deployment",
            "apps/v1",
            f"{latest}-deployment",
            f"uid-revision-{latest}",
            spec={"replicas": 1, "selector": {"matchLabels": {"serving.knative.dev/revisionUID": "u"}}},
            status={"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1},
        ),
    )


def put(api: ApiServer, model: Object, generated: Generated) -> None:
    """Put a model and what is made from it into the API server, with the statuses as they are."""
    name = model["metadata"]["name"]
    api.objects[f"{ISVCS}/{name}"] = model
    places = {
        "service": f"{KNATIVE}/services",
        "configuration": f"{KNATIVE}/configurations",
        "route": f"{KNATIVE}/routes",
        "revision": f"{KNATIVE}/revisions",
        "ingress": INGRESSES,
        "deployment": DEPLOYMENTS,
    }
    for part, place in places.items():
        obj = getattr(generated, part)
        if obj is not None:
            api.objects[f"{place}/{obj['metadata']['name']}"] = obj


class Gateway(LocalServer):
    """Answers as the gateway and the models behind it.

    Attributes:
        versions: Host -> version of the model there; any other host is answered by the gateway itself.
        instead: Host -> status and body that are answered instead.
        strangers: How many somebodies are behind the gateway's Service as well: they take their turns with the gateway.
        asked: Number of requests.
    """

    def __init__(self) -> None:
        self.versions: dict[str, str] = {host_of(NAME): SERVED}
        self.instead: dict[str, tuple[int, str]] = {}
        self.strangers = 0
        self.asked = 0

    def make_handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, said, headers = gateway.answer(self.path, self.headers["Host"], body)
                self.send_response_only(status)
                for name, value in {**headers, "Content-Length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                pass

        return Handler

    def answer(self, path: str, host: str, body: bytes) -> tuple[int, str, dict[str, str]]:
        self.asked += 1
        if self.asked % (self.strangers + 1):
            return 404, NGINX_PAGE, {"Server": "nginx/1.27.5", "Content-Type": "text/html"}
        if host in self.instead:
            return *self.instead[host], GATEWAY
        if host not in self.versions:
            return 404, "", GATEWAY
        if body.decode() in REFUSALS:
            return *REFUSALS[body.decode()], MODEL
        return 200, json.dumps(self._predict(path, host, json.loads(body))), MODEL

    def _predict(self, path: str, host: str, body: Any) -> Any:
        name = path.split("/")[3].split(":", maxsplit=1)[0]
        assert host == host_of(name)
        if path == f"/v1/models/{name}:predict":
            return {"predictions": self._classes(host, body["instances"])}
        assert path == f"/v2/models/{name}/infer"
        tensor = body["inputs"][0]
        rows, columns = tensor["shape"]
        split = [tensor["data"][row * columns : (row + 1) * columns] for row in range(rows)]
        return {"model_name": name, "outputs": [{"name": "output-0", "data": self._classes(host, split)}]}

    def _classes(self, host: str, rows: Any) -> list[int]:
        known = next(name for name, found in expected_predictions().inputs.items() if found == rows)
        return expected_predictions().outputs[self.versions[host]][known]
