"""The model server: which models it refuses to start with, and which input it refuses to predict.

KServe's SDK asks for older versions of what the suite itself runs on, so stand-ins of the few names that the server
takes from it are used here. The suite tries the real ones on the cluster.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from neuroscale.supply.parts import RECIPES

_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


class InvalidInput(ValueError):
    """What the SDK answers with 400."""


class InferRequest:
    """A request by the v2 protocol."""

    def __init__(self, *inputs: Any) -> None:
        self.inputs = inputs


class Model:
    """What the server's model inherits."""

    def __init__(self, name: str) -> None:
        self.name, self.ready = name, False


class ModelServer:
    """Remembers what it would serve."""

    started: list[Any]

    def __init__(self, *, enable_grpc: bool) -> None:
        """Take the arguments that the server gives."""

    def start(self, models: list[Any]) -> None:
        self.started.extend(models)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--model_name")
    parser.add_argument("--log_config_file")
    monkeypatch.setattr(ModelServer, "started", [], raising=False)
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
