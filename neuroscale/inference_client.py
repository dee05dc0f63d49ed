"""Asking a model the way its users do: through the gateway, with the Host of its ``status.url``, values compared.

Nothing is tried twice: each request opens a connection of its own, and what went wrong with it is its answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import PreconditionFailed
from neuroscale.host import direct
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import Rows
from neuroscale.polling import Verdict, met, pending
from neuroscale.settings import BUDGETS

Protocol = Literal["v1", "v2"]
GATEWAY_SERVICE = Ref("Service", "kourier", "kourier-system")
#: A host that no model has.
NOBODY = "nobody.default.models.neuroscale.internal"
#: What is wrong with it -> protocol and body.
BAD_INPUT: dict[str, tuple[Protocol, str]] = {
    "a body that is not JSON": ("v1", '{"instances": [[6.8, 2.8'),
    "a body without rows": ("v1", "{}"),
    "no rows": ("v1", '{"instances": []}'),
    "rows of three numbers": ("v1", '{"instances": [[6.8, 2.8, 4.8]]}'),
    "words instead of numbers": ("v1", '{"instances": [["six", "two", "four", "one"]]}'),
    "a tensor of another shape": (
        "v2",
        '{"inputs": [{"name": "input-0", "shape": [1, 3], "datatype": "FP64", "data": [6.8, 2.8, 4.8]}]}',
    ),
    "a tensor without data": ("v2", '{"inputs": [{"name": "input-0", "shape": [1, 4], "datatype": "FP64"}]}'),
}


@dataclass(frozen=True)
class Endpoint:
    """Where a model is asked.

    Attributes:
        gateway: Base URL of the ingress gateway, as this machine reaches it.
        host: Host header, from the model's ``status.url``.
        model: Name in the request's path.
    """

    gateway: str
    host: str
    model: str


@dataclass(frozen=True)
class InferenceResponse:
    """What came of one request.

    Attributes:
        status: HTTP status; ``None`` when there was no answer at all.
        seconds: From the first packet to the last.
        classes: The predictions, when there were any.
        said: The beginning of the body, or what went wrong on the way.
    """

    status: int | None
    seconds: float
    classes: tuple[int, ...] | None
    said: str

    def __str__(self) -> str:
        return f"{self.status or 'no answer'}: {self.said}"


def gateway_url(cluster: Cluster) -> str:
    """Base URL of the ingress gateway: the mapped port on this machine, else the load balancer's address.

    Raises:
        PreconditionFailed: It has no address.
    """
    state = load_state()
    if state is not None and state.ports and "gateway" in state.ports:
        return f"http://127.0.0.1:{state.ports['gateway']}"
    service = cluster.get(GATEWAY_SERVICE) or {}
    for ingress in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []:
        if address := ingress.get("ip") or ingress.get("hostname"):
            return f"http://{address}"
    raise PreconditionFailed(f"{GATEWAY_SERVICE} should have an address, but has none. Next: neuroscale check serving")


def endpoint_of(isvc: Object | None, gateway: str) -> Endpoint | None:
    """Where an InferenceService says that it answers; ``None`` as long as it says nothing."""
    url = ((isvc or {}).get("status") or {}).get("url")
    host = urlsplit(url).netloc if url else ""
    return Endpoint(gateway, host, isvc["metadata"]["name"]) if isvc and host else None


def ask(
    endpoint: Endpoint, rows: Rows, protocol: Protocol = "v1", *, patience: float = BUDGETS.request
) -> InferenceResponse:
    """One prediction; ``patience`` is how long to wait for it, in seconds."""
    body = {"instances": rows} if protocol == "v1" else {"inputs": [_tensor(rows)]}
    return send(endpoint, json.dumps(body), protocol, patience=patience)


def send(
    endpoint: Endpoint, body: str, protocol: Protocol = "v1", *, patience: float = BUDGETS.request
) -> InferenceResponse:
    """One request with any body, good or bad."""
    path = {"v1": "/v1/models/{}:predict", "v2": "/v2/models/{}/infer"}[protocol].format(endpoint.model)
    headers = {"Host": endpoint.host, "Content-Type": "application/json"}
    start = time.monotonic()
    try:
        answer = _client().post(f"{endpoint.gateway}{path}", content=body, headers=headers, timeout=patience)
    except httpx.HTTPError as error:
        return InferenceResponse(None, time.monotonic() - start, None, f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - start
    return InferenceResponse(answer.status_code, seconds, _classes(answer, protocol), answer.text[:300])


@cache
def _client() -> httpx.Client:
    """One for all threads, since making one takes longer than a prediction; it keeps no connection for the next."""
    fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return direct.client(seconds=BUDGETS.request, transport=httpx.HTTPTransport(retries=0, limits=fresh))


def _tensor(rows: Rows) -> dict[str, Any]:
    flat = [value for row in rows for value in row]
    return {"name": "input-0", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": flat}


def _classes(answer: httpx.Response, protocol: Protocol) -> tuple[int, ...] | None:
    """The predictions in a good answer of the shape that the protocol prescribes, and in no other."""
    if answer.status_code != 200:
        return None
    try:
        content = answer.json()
        found = content["predictions"] if protocol == "v1" else content["outputs"][0]["data"]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    # Classes are JSON integers in both protocols: 1.9, "1" and true are none.
    return tuple(found) if isinstance(found, list) and all(type(value) is int for value in found) else None


# --- judgements on one answer


def evaluate_classes(answer: InferenceResponse, wanted: Sequence[int]) -> Verdict:
    """Exactly these predictions."""
    if answer.classes == tuple(wanted):
        return met(f"{answer.status}, {_few(answer.classes)} in {answer.seconds * 1000:.0f} ms")
    if answer.classes is None:
        return pending(f"no prediction, but {answer}")
    return pending(f"{_few(answer.classes)} instead of {_few(wanted)}")


def evaluate_refusal(answer: InferenceResponse) -> Verdict:
    """A client error that says why, in words and not with a traceback."""
    if answer.status is None or not 400 <= answer.status < 500:
        return pending(f"no client error, but {answer}")
    if not answer.said.strip() or "Traceback" in answer.said:
        return pending(f"{answer.status} without a reason for people: {answer.said!r}")
    return met(str(answer))


def evaluate_not_found(answer: InferenceResponse) -> Verdict:
    """The gateway knows no such host."""
    return met(str(answer)) if answer.status == 404 else pending(f"not 404, but {answer}")


def _few(classes: Sequence[int]) -> str:
    shown = ", ".join(map(str, classes[:8]))
    return f"[{shown}{f', … {len(classes)} in all' if len(classes) > 8 else ''}]"
