"""Serve one scikit-learn model over KServe's v1 and v2 (open inference) protocols.

Takes the arguments of upstream's sklearnserver: ``--model_name NAME --model_dir FOLDER --http_port PORT`` and those of
KServe's model server. A model that cannot be loaded ends the process with a line that says why, so that its pod never
becomes ready; input that the model cannot take is answered with 400 and the reason.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import joblib
from kserve import InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput
from kserve.logging import configure_logging, logger, trace_logger
from kserve.model_server import parser as server_arguments
from kserve.protocol.dataplane import DataPlane
from kserve.utils.utils import get_predict_input, get_predict_response

SUFFIXES = (".joblib", ".pkl", ".pickle")


class Unusable(Exception):
    """The folder holds no model that can be served."""


class Reader(DataPlane):
    """The SDK's way from requests to models, but what it cannot read is answered as the client's mistake.

    Left alone, most malformed requests of the v2 protocol's binary extension end as errors of the server.
    """

    def decode(self, *arguments: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Read one request.

        Raises:
            InvalidInput: It is not of the protocol.
        """
        try:
            decoded: tuple[Any, dict[str, Any]] = super().decode(*arguments, **options)
        except InvalidInput:
            raise
        except Exception as error:  # nothing but the client's bytes is at work here, and they fail in as many ways
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise InvalidInput(f"The request cannot be read by the protocol: {reason}") from error
        return decoded


class SklearnModel(Model):
    """A model that is ready once it is loaded.

    Args:
        name: Its name in the URLs.
        folder: Where the storage initializer put its file.
    """

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self._folder = folder
        self._estimator: Any = None

    def load(self) -> bool:
        """Load the only model file in the folder.

        Raises:
            Unusable: There is none, there are several, or it holds no model.
        """
        self._estimator = read(self._folder)
        self.ready = True
        return True

    def predict(
        self,
        payload: dict[str, Any] | InferRequest,
        headers: dict[str, str] | None = None,  # noqa: ARG002 - the SDK passes it
    ) -> dict[str, Any] | InferResponse:
        """Predict each row.

        Raises:
            InvalidInput: The payload is not of the protocol, or not of the shape or type that the model was trained on.
        """
        check(payload)
        try:
            result = self._estimator.predict(get_predict_input(payload))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, InvalidInput):
                raise
            reason = str(error).partition("\n")[0]
            raise InvalidInput(f"Model {self.name} cannot take this input: {reason}") from error
        return get_predict_response(payload, result, self.name)


def read(folder: Path) -> Any:
    """The estimator in a folder.

    Raises:
        Unusable: There is no model file, there are several, or it cannot be read.
    """
    found = sorted(file for file in folder.glob("*") if file.suffix in SUFFIXES)
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise Unusable(f"{folder} should hold one file *{', *'.join(SUFFIXES)}, but holds {names}")
    try:
        estimator = joblib.load(found[0])
    except Exception as error:  # unpickling a damaged file fails in as many ways as there are bytes
        reason = f"{type(error).__name__}: {error}"
        raise Unusable(f"{found[0]} should hold a model, but cannot be read: {reason}") from error
    if not hasattr(estimator, "predict"):
        raise Unusable(f"{found[0]} should hold a model, but holds a {type(estimator).__name__}, which cannot predict")
    return estimator


def check(payload: Any) -> None:
    """Refuse what the SDK hands on without having looked at it.

    Raises:
        InvalidInput: With the reason for the client.
    """
    if isinstance(payload, InferRequest):
        if not payload.inputs:
            raise InvalidInput('Expected "inputs" to hold at least one tensor')
        if not isinstance(payload.id or "", str):
            raise InvalidInput('Expected "id" to be a string')
        if not isinstance(payload.parameters or {}, dict):
            raise InvalidInput('Expected "parameters" to be an object')
    elif not isinstance(payload, dict):
        raise InvalidInput('Expected a JSON object with "instances" and the content type application/json')
    elif not isinstance(payload.get("instances", payload.get("inputs")), list):
        raise InvalidInput('Expected "instances" to be a list of rows')


def main() -> int:
    """Serve until told to stop; returns the exit code."""
    parser = argparse.ArgumentParser(parents=[server_arguments], description=__doc__)
    parser.add_argument("--model_dir", type=Path, required=True, help="Folder that holds the model file.")
    arguments = parser.parse_args()
    configure_logging(arguments.log_config_file)
    # Three lines per request, of which most are the kubelet's probes.
    trace_logger.setLevel("WARNING")
    model = SklearnModel(arguments.model_name, arguments.model_dir)
    try:
        model.load()
    except Unusable as error:
        logger.error("Model %s cannot be served. %s. Correct the model or its storageUri.", model.name, error)
        return 1
    # Without gRPC: the ingress leads to the HTTP port alone.
    server = ModelServer(enable_grpc=False)
    server.dataplane = Reader(model_registry=server.registered_models)
    server.start([model])
    return 0


if __name__ == "__main__":
    sys.exit(main())
