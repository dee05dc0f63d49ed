"""Asking a model the way its users do: through the gateway, with the Host of its ``status.url``, values compared.

Nothing is tried twice: each request opens a connection of its own, and what went wrong with it is its answer. Where
one answer could be luck, several are asked for in a row, and each counts.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import httpx

from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import load_state
from neuroscale.errors import PreconditionFailed
from neuroscale.host import direct
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import Rows
from neuroscale.polling import Verdict, duration, met, pending
from neuroscale.settings import BUDGETS

Protocol = Literal["v1", "v2"]
_Answer = TypeVar("_Answer")
GATEWAY_SERVICE = Ref("Service", "kourier", "kourier-system")
#: A host that no model has.
NOBODY = "nobody.default.models.neuroscale.internal"
#: Right answers in a row that the steady state wants: with a stranger behind the gateway every other one is wrong, and
#: so many right ones in a row would be one chance in a million.
IN_A_ROW = 20


@dataclass(frozen=True)
class BadInput:
    """An input that no model can take, and how it is rejected.

    Attributes:
        status: HTTP status of the rejection.
        reason: Regular expression for what the model server must say: what is wrong with this input.
    """

    protocol: Protocol
    body: str
    status: int
    reason: str


_FOUR_NUMBERS = r"3 features, but \w+ is expecting 4 features"
#: What is wrong with it -> the input.
BAD_INPUT: dict[str, BadInput] = {
    "a body that is not JSON": BadInput("v1", '{"instances": [[6.8, 2.8', 400, "Unrecognized request format"),
    "a body without rows": BadInput("v1", "{}", 400, 'Expected "instances" to be a list'),
    "no rows": BadInput("v1", '{"instances": []}', 400, "Expected 2D array, got 1D array"),
    "rows of three numbers": BadInput("v1", '{"instances": [[6.8, 2.8, 4.8]]}', 400, _FOUR_NUMBERS),
    "words instead of numbers": BadInput(
        "v1", '{"instances": [["six", "two", "four", "one"]]}', 400, "could not convert string to float.*six"
    ),
    "a tensor of another shape": BadInput(
        "v2",
        '{"inputs": [{"name": "input-0", "shape": [1, 3], "datatype": "FP64", "data": [6.8, 2.8, 4.8]}]}',
        400,
        _FOUR_NUMBERS,
    ),
    # The server's own schema of the protocol rejects it, before any model is asked.
    "a tensor without data": BadInput(
        "v2",
        '{"inputs": [{"name": "input-0", "shape": [1, 4], "datatype": "FP64"}]}',
        422,
        r"inputs\.0\.data: Field required",
    ),
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
        reason: Why KServe's model server rejects the request, when it does so in its own format.
        by: Who answered: the ``server`` header.
        routed: Whether the gateway had it from somebody behind it; its own answers do not say how long that took.
        location: Where it was redirected to; no redirect is followed.
    """

    status: int | None
    seconds: float
    classes: tuple[int, ...] | None
    said: str
    reason: str | None = None
    by: str = ""
    routed: bool = False
    location: str = ""

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
    return InferenceResponse(
        answer.status_code,
        seconds,
        _classes(answer, protocol),
        answer.text[:300],
        reason=_reason(answer),
        by=answer.headers.get("server", ""),
        routed="x-envoy-upstream-service-time" in answer.headers,
        location=answer.headers.get("location", ""),
    )


def in_a_row(once: Callable[[], InferenceResponse], count: int = IN_A_ROW) -> list[InferenceResponse]:
    """So many requests, one after the other; one without any answer is the last, since the next would wait as long."""
    answers: list[InferenceResponse] = []
    while len(answers) < count and (not answers or answers[-1].status is not None):
        answers.append(once())
    return answers


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


def _reason(answer: httpx.Response) -> str | None:
    """KServe rejects with ``{"error": …}``, and by its schema of v2 with ``{"detail": [{"loc": …, "msg": …}, …]}``."""
    if answer.headers.get("content-type", "").partition(";")[0] != "application/json":
        return None
    try:
        content = answer.json()
        if isinstance(error := content.get("error"), str):
            return error
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in content["detail"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


# --- judgements


def evaluate_classes(answer: InferenceResponse, wanted: Sequence[int]) -> Verdict:
    """Exactly these predictions."""
    if answer.classes == tuple(wanted):
        return met(f"{answer.status}, {_few(answer.classes)} in {duration(answer.seconds)}")
    if answer.classes is None:
        return pending(f"no prediction, but {answer}")
    return pending(f"{_few(answer.classes)} instead of {_few(wanted)}")


def evaluate_in_a_row(
    answers: Sequence[_Answer], evaluate: Callable[[_Answer], Verdict], count: int = IN_A_ROW
) -> Verdict:
    """Each of so many answers is as it should be."""
    verdicts = [evaluate(answer) for answer in answers]
    wrong = [(number, verdict) for number, verdict in enumerate(verdicts, 1) if not verdict]
    if wrong:
        number, first = wrong[0]
        return pending(
            f"{len(wrong)} of {len(answers)} answers in a row are wrong, first no. {number}: {first.observed}"
        )
    if not verdicts or len(verdicts) < count:
        return pending(f"{len(verdicts)} answers instead of {count}")
    return met(f"{len(verdicts)} of {count} in a row: {verdicts[-1].observed}")


def evaluate_refusal(answer: InferenceResponse, bad: BadInput) -> Verdict:
    """The model server rejects it as KServe does, with the status for it, and names what is wrong with it."""
    if answer.status is None or not 400 <= answer.status < 500:
        return pending(f"no client error, but {answer}")
    if answer.reason is None or not answer.routed:
        return pending(f"not rejected by KServe's model server, but by {answer.by or 'somebody'}: {answer}")
    if answer.status != bad.status:
        return pending(f"not {bad.status}, but {answer}")
    if not re.search(bad.reason, answer.reason) or "Traceback" in answer.reason:
        return pending(f"{answer.status} with a reason that does not name the fault ({bad.reason}): {answer.reason!r}")
    return met(f"{answer.status}: {answer.reason}")


def evaluate_not_found(answer: InferenceResponse) -> Verdict:
    """The gateway knows no such host, and says so itself: Envoy's 404 has no body, and nobody behind it was asked."""
    if answer.status != 404:
        return pending(f"not 404, but {answer}")
    if answer.by != "envoy" or answer.routed or answer.said:
        return pending(f"not the gateway's own 404, but that of {answer.by or 'somebody'}: {answer.said!r}")
    return met("404, of the gateway itself")


def _few(classes: Sequence[int]) -> str:
    shown = ", ".join(map(str, classes[:8]))
    return f"[{shown}{f', … {len(classes)} in all' if len(classes) > 8 else ''}]"
