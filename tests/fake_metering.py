"""OpenCost and Prometheus on paper: what each answers to a path, behind a cluster's API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Object

#: Query of a request, each parameter once.
Query = Mapping[str, str]
_PROXY = "/api/v1/namespaces/opencost/services/"


class FakeMetering:
    """A cluster that has two Services, nodes and pods.

    Attributes:
        answers: ``"prometheus:http /path"`` -> what is answered to a query; text as it is, all else as JSON.
        objects: Kind -> those that there are.
        asked: What was asked for, in order.
    """

    def __init__(
        self, answers: Mapping[str, Callable[[Query], Any]], objects: Mapping[str, Sequence[Object]] | None = None
    ) -> None:
        self.answers, self.objects = answers, objects or {}
        self.asked: list[tuple[str, Query]] = []

    @property
    def cluster(self) -> Cluster:
        return cast("Cluster", self)

    def text(self, path: str) -> str:
        parts = urlsplit(path)
        service, _, rest = parts.path.removeprefix(_PROXY).partition("/proxy")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((f"{service} {rest}", query))
        if f"{service} {rest}" not in self.answers:
            raise ApiError("no endpoints available for service", status=503, reason="ServiceUnavailable")
        said = self.answers[f"{service} {rest}"](query)
        return said if isinstance(said, str) else json.dumps(said)

    def list(self, kind: str, namespace: str | None = None) -> Sequence[Object]:
        return [
            one
            for one in self.objects.get(kind, ())
            if namespace in (None, one["metadata"].get("namespace", namespace))
        ]


def allocation(cpu_hours: float, memory_bytes: float, cost: float) -> Object:
    """One, as OpenCost sends it."""
    return {"properties": {}, "cpuCoreHours": cpu_hours, "ramByteHours": memory_bytes, "totalCost": cost}


def sample(value: float, **labels: str) -> Object:
    """One, as Prometheus sends it."""
    return {"metric": labels, "value": [0, str(value)]}
