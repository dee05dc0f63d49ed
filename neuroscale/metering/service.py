"""Programs behind a Service, asked as ``kubectl get --raw`` asks: through the API server, without a port of our own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, NeuroscaleError

NAMESPACE = "opencost"


class MeteringError(NeuroscaleError):
    """OpenCost or its Prometheus gave no answer that could be used."""


@dataclass(frozen=True)
class Service:
    """A Service of the namespace, with a port called ``http``.

    Attributes:
        cluster: Whose API server leads to it.
        name: Its name.
    """

    cluster: Cluster
    name: str

    def text(self, path: str, **parameters: str) -> str:
        """GET a path.

        Raises:
            MeteringError: Nobody answered, or it was a no.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        try:
            return self.cluster.text(f"/api/v1/namespaces/{NAMESPACE}/services/{self.name}:http/proxy{path}{query}")
        except ApiError as error:
            raise MeteringError(
                f"{self.name} should answer {path}, but: {error}. Next: kubectl -n {NAMESPACE} logs svc/{self.name}"
            ) from error

    def data(self, path: str, **parameters: str) -> Any:
        """GET a path whose answer has its content in ``data``, as both programs' have.

        Raises:
            MeteringError: Nobody answered, or it was a no, or something else.
        """
        answer = self.text(path, **parameters)
        try:
            return json.loads(answer)["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise MeteringError(
                f"{self.name} should answer {path} with data, but said {answer[:300]!r}. "
                f"Next: kubectl -n {NAMESPACE} logs svc/{self.name}"
            ) from error
