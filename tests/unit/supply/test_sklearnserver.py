"""The model server: which models it refuses to start with, and which input it refuses to predict.

KServe's SDK asks for older versions of what the suite itself runs on, so stand-ins of the few names that the server
takes from it are used here. The suite tries the real ones on the cluster.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest

from neuroscale.supply.artifacts import RECIPES

_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


class InvalidInput(ValueError):
    """What the SDK answers with 400."""


class InferRequest:
    """A request by the v2 protocol."""

    def __init__(self, *inputs: Any, id: Any = None, parameters: Any = None) -> None:  # noqa: A002 - the SDK's name
        self.inputs, self.id, self.parameters = inputs, id, parameters


class DataPlane:
    """Reads a request by calling it."""

    def __init__(self, *, model_registry: Any) -> None:
        self.model_registry = model_registry

    def decode(self, body: Callable[[], Any], headers: dict[str, str]) -> tuple[Any, dict[str, Any]]:
        return body(), headers


class Model:
    """What the server's model inherits."""

    def __init__(self, name: str) -> None:
        self.name, self.ready = name, False


class ModelServer:
    """Remembers what it would serve."""

    started: list[Any]
    readers: list[Any]

    def __init__(self, *, enable_grpc: bool) -> None:
        self.registered_models = object()
        self.dataplane = DataPlane(model_registry=self.registered_models)

    def start(self, models: list[Any]) -> None:
        assert self.dataplane.model_registry is self.registered_models
        self.started.extend(models)
        self.readers.append(self.dataplane)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--model_name")
    parser.add_argument("--log_config_file")
    for kept in ("started", "readers"):
        monkeypatch.setattr(ModelServer, kept, [], raising=False)
    names: dict[str, dict[str, Any]] = {
        "kserve": {
            "InferRequest": InferRequest, "InferResponse": dict, "Model": Model, "ModelServer": ModelServer,
        },
        "kserve.errors": {"InvalidInput": InvalidInput},
        "kserve.logging": {
            "configure_logging": lambda _: None,
            "logger": logging.getLogger("kserve"),
            "trace_logger": logging.getLogger("kserve.trace"),
        },
        "kserve.model_server": {"parser": parser},
        "kserve.protocol": {},
        "kserve.protocol.dataplane": {"DataPlane": DataPlane},
        "kserve.utils": {},
        "kserve.utils.utils": {
            "get_predict_input": lambda payload: np.array(payload.get("instances", payload.get("inputs"))),
            "get_predict_response": lambda _, result, name: {"predictions": result.tolist()},
        },
    }  # fmt: skip
    for name, content in names.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("sklearnserver", RECIPES / "sklearnserver" / "server.py")
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - a second, for each process that collects tests

    joblib.dump(DecisionTreeClassifier().fit(_ROWS, [0, 2]), tmp_path / "model.joblib")
    return tmp_path


def run(server: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["server.py", "--model_name", "iris", "--model_dir", str(folder)])
    return int(server.main())


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_a_model_is_served_once_it_is_loaded(
    server: ModuleType, folder: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(server, folder, monkeypatch) == 0
    (model,) = ModelServer.started
    assert (model.name, model.ready) == ("iris", True)
    assert model.predict({key: _ROWS}, {}) == {"predictions": [0, 2]}


class InferenceError(RuntimeError):
    """What the SDK answers with 500, also when it is the client's tensor that is wrong."""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("inputs"), "KeyError: 'inputs'"),
        (AttributeError("'int' object has no attribute 'upper'"), "AttributeError: 'int' object"),
        (TypeError("'NoneType' object is not iterable"), "TypeError: 'NoneType' object"),
        (ValueError("cannot reshape array of size 4 into shape (1,3)\nand more"), "into shape (1,3)"),
        (struct.error("unpack_from requires a buffer of at least 4 bytes"), "error: unpack_from requires"),
        (InferenceError("got unexpected numpy array shape"), "InferenceError: got unexpected"),
    ],
)
def test_a_request_that_the_sdk_cannot_read_is_the_clients_mistake(
    server: ModuleType, folder: Path, *, error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> None:
        raise error

    run(server, folder, monkeypatch)
    (reader,) = ModelServer.readers
    with pytest.raises(InvalidInput) as refused:
        reader.decode(body, {})
    assert str(refused.value).startswith("The request cannot be read by the protocol: ")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_reading_hands_on_requests_and_the_sdks_own_refusals(server: ModuleType) -> None:
    reader = server.Reader(model_registry=None)
    assert reader.decode(lambda: {"instances": _ROWS}, headers={"a": "b"}) == ({"instances": _ROWS}, {"a": "b"})

    def refused() -> None:
        raise InvalidInput("Unrecognized request format: unexpected end of data")

    with pytest.raises(InvalidInput, match=r"^Unrecognized request format: unexpected end of data$"):
        reader.decode(refused, {})


def no_file(folder: Path) -> None:
    (folder / "model.joblib").rename(folder / "model.onnx")


def two_files(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"")


def half_a_file(folder: Path) -> None:
    file = folder / "model.joblib"
    file.write_bytes(file.read_bytes()[:200])


def no_model(folder: Path) -> None:
    joblib.dump({"weights": [1]}, folder / "model.joblib")


@pytest.mark.parametrize(
    ("breaking", "reason"),
    [
        (no_file, "should hold one file *.joblib, *.pkl, *.pickle, but holds none"),
        (two_files, "but holds model.joblib, model.pkl"),
        (half_a_file, "model.joblib should hold a model, but cannot be read: "),
        (no_model, "model.joblib should hold a model, but holds a dict, which cannot predict"),
    ],
)
def test_a_model_that_cannot_be_loaded_ends_the_process_with_the_reason(
    server: ModuleType, folder: Path, *, breaking: Any, reason: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    breaking(folder)
    assert run(server, folder, monkeypatch) == 1
    assert not ModelServer.started
    (line,) = caplog.messages
    assert line.startswith("Model iris cannot be served. ")
    assert reason in line
    assert line.endswith("Correct the model or its storageUri.")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"instances": [[1.0, 2.0]]}, "X has 2 features, but DecisionTreeClassifier is expecting 4"),
        ({"instances": [["a", "b", "c", "d"]]}, "could not convert string to float"),
        ({"instances": [[1.0], [1.0, 2.0]]}, "inhomogeneous shape"),
        ({"instances": [1.0, 2.0, 3.0, 4.0]}, "Expected 2D array, got 1D array instead"),
        ({"instances": [None]}, "cannot take this input"),
        ({"instances": []}, "cannot take this input"),
        ({"instances": "rows"}, 'Expected "instances" to be a list of rows'),
        ({"rows": _ROWS}, 'Expected "instances" to be a list of rows'),
        (_ROWS, 'Expected a JSON object with "instances"'),
        (b"1,2,3,4", 'Expected a JSON object with "instances"'),
        (InferRequest(), 'Expected "inputs" to hold at least one tensor'),
        (InferRequest(1, id=5), 'Expected "id" to be a string'),
        (InferRequest(1, parameters=["pd"]), 'Expected "parameters" to be an object'),
    ],
)
def test_input_that_the_model_cannot_take_is_refused_in_one_line(
    server: ModuleType, folder: Path, payload: Any, reason: str
) -> None:
    model = server.SklearnModel("iris", folder)
    model.load()
    with pytest.raises(InvalidInput) as refused:
        model.predict(payload)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_the_sdk_refuses_keeps_its_own_words(
    server: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise InvalidInput("invalid datatype FP99 in the input")

    monkeypatch.setattr(server, "get_predict_input", refuse)
    model = server.SklearnModel("iris", folder)
    model.load()
    with pytest.raises(InvalidInput, match=r"^invalid datatype FP99 in the input$"):
        model.predict(InferRequest(SimpleNamespace()))
