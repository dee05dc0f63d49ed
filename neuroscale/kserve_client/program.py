"""What a user of the official KServe client writes. It runs in an environment of its own and imports nothing of ours.

``python program.py create|wait|delete|infer``: a JSON object on standard input, one on standard output. Whatever the
client raises ends the program with a traceback and exit code 1.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
from kserve import (
    InferenceRESTClient,
    InferInput,
    InferRequest,
    KServeClient,
    RESTConfig,
    V1beta1InferenceService,
    V1beta1InferenceServiceSpec,
    V1beta1ModelFormat,
    V1beta1ModelSpec,
    V1beta1PredictorSpec,
)
from kubernetes import client

Asked = dict[str, Any]


def create(asked: Asked) -> Asked:
    """Create an InferenceService from typed objects, as the client's own examples do."""
    manifest = asked["manifest"]
    predictor = manifest["spec"]["predictor"]
    model = predictor["model"]
    meta = {key: manifest["metadata"].get(key) for key in ("name", "namespace", "labels", "annotations")}
    service = V1beta1InferenceService(
        api_version=manifest["apiVersion"],
        kind=manifest["kind"],
        metadata=client.V1ObjectMeta(**meta),
        spec=V1beta1InferenceServiceSpec(
            predictor=V1beta1PredictorSpec(
                min_replicas=predictor["minReplicas"],
                model=V1beta1ModelSpec(
                    model_format=V1beta1ModelFormat(name=model["modelFormat"]["name"]),
                    storage_uri=model["storageUri"],
                    resources=client.V1ResourceRequirements(**model["resources"]),
                ),
            )
        ),
    )
    made = _cluster(asked).create(service, namespace=meta["namespace"])
    return {"uid": made["metadata"]["uid"]}


def wait(asked: Asked) -> Asked:
    """Wait until the InferenceService is Ready; the client gives up by itself."""
    _cluster(asked).wait_isvc_ready(
        asked["name"], namespace=asked["namespace"], timeout_seconds=asked["within"], polling_interval=1
    )
    return {}


def delete(asked: Asked) -> Asked:
    """Delete the InferenceService."""
    _cluster(asked).delete(asked["name"], namespace=asked["namespace"])
    return {}


def infer(asked: Asked) -> Asked:
    """Predictions by the REST client, one after the other: no retries, neither the client's nor the transport's."""
    return {"answers": asyncio.run(_infer(asked))}


async def _infer(asked: Asked) -> list[Asked]:
    """Each on a connection of its own, as users who ask now and then; after one without any answer none is asked."""
    fresh = httpx.Limits(max_keepalive_connections=0)
    config = RESTConfig(
        protocol=asked["protocol"],
        retries=0,
        timeout=asked["within"],
        transport=httpx.AsyncHTTPTransport(retries=0, limits=fresh),
    )
    rest, answers = InferenceRESTClient(config), list[Asked]()
    for _ in range(asked["times"]):
        try:
            answers.append({"predictions": await _predictions(rest, asked)})
        except Exception as error:  # noqa: BLE001 - whatever the client makes of an answer counts against this one
            answers.append({"error": f"{type(error).__name__}: {error}"})
            if isinstance(error, httpx.TransportError):
                break
    return answers


async def _predictions(rest: InferenceRESTClient, asked: Asked) -> Any:
    rows, protocol = asked["rows"], asked["protocol"]
    if protocol == "v1":
        data: Any = {"instances": rows}
    else:
        data = InferRequest(
            model_name=asked["model"],
            infer_inputs=[
                InferInput("input-0", [len(rows), len(rows[0])], "FP64", [one for row in rows for one in row])
            ],
        )
    answer = await rest.infer(asked["gateway"], data=data, model_name=asked["model"], headers={"Host": asked["host"]})
    return answer["predictions"] if protocol == "v1" else list(answer.outputs[0].data)


def _cluster(asked: Asked) -> KServeClient:
    return KServeClient(config_dict=asked["kubeconfig"], persist_config=False)


if __name__ == "__main__":
    doing = {verb.__name__: verb for verb in (create, wait, delete, infer)}[sys.argv[1]]
    print(json.dumps(doing(json.load(sys.stdin))))
