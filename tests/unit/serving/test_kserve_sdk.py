"""The KServe client's answers, and the fault that lets a program of somebody else create an object."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import creating_program
import httpx
import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform
from fakes import FAULTS

from neuroscale.chaos.faults import CreatedByProgram
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ExitCode, Unrecoverable, WriteForbidden
from neuroscale.kserve_client import PROGRAM, SdkAnswer
from neuroscale.kubernetes.refs import Ref
from neuroscale.serving.kserve_sdk import evaluate_predictions
from suite.mutants import by_slug

_CREATES = Path(creating_program.__file__).read_text(encoding="utf-8")


_REQUEST = httpx.Request("POST", "http://a.b")
_NOT_FOUND = httpx.Response(404)
_ASKED = {"rows": [[1.0]], "protocol": "v1", "gateway": "http://a.b", "host": "a", "model": "m", "within": 1.0}
STRAY = Ref.to(FAULTS["object-created"].manifest)


def created_by(program: str) -> CreatedByProgram:
    return CreatedByProgram(
        manifest=FAULTS["object-created"].manifest,
        program=(sys.executable, "-c", program),
        python_path="",
        by="a program",
    )


@pytest.mark.parametrize(
    ("predictions", "state"),
    [
        ([1, 1], "met"),
        ([1.0, 1], "pending"),
        (["1", "1"], "pending"),
        ([1.9, 1], "pending"),
        ([True, 1], "pending"),
        ([1], "pending"),
        ([], "pending"),
    ],
)
def test_predictions_are_compared_as_the_protocol_types_them(predictions: list[object], state: str) -> None:
    """One such answer among good ones decides, wherever it is."""
    for place in (0, 7, 19):
        answers = [{"predictions": predictions if number == place else [1, 1]} for number in range(20)]
        verdict = evaluate_predictions(SdkAnswer({"answers": answers}, "", 1.0), [1, 1])
        assert verdict.state == state
        words = (
            "20 of 20 in a row: [1, 1]"
            if state == "met"
            else f"1 of 20 answers in a row are wrong, first no. {place + 1}"
        )
        assert verdict.observed.startswith(words), verdict


def test_a_client_that_failed_says_why() -> None:
    verdict = evaluate_predictions(SdkAnswer({}, "httpx.ConnectError: rejected", 1.0), [1, 1])
    assert (verdict.state, verdict.observed) == ("pending", "httpx.ConnectError: rejected")


@pytest.mark.parametrize(
    ("status", "said", "killed"),
    [
        ("405 Not Allowed", "", True),
        ("404 Not Found", "", True),
        ("404 Not Found", "Model with name iris does not exist.", False),
        ("503 Service Unavailable", "", False),
    ],
)
def test_a_strangers_page_is_told_from_what_the_model_server_says(status: str, said: str, killed: bool) -> None:
    """In the client's own words, which hold what an answer in JSON says."""
    error = httpx.HTTPStatusError(f"{said}, '{status}' for url 'http://a/b'", request=_REQUEST, response=_NOT_FOUND)
    answers = [{"error": f"{type(error).__name__}: {error}"}, *[{"predictions": [1, 1]}] * 19]
    verdict = evaluate_predictions(SdkAnswer({"answers": answers}, "", 1.0), [1, 1])
    mutant = by_slug("stranger-answers-the-client")
    assert mutant.matches(f"Then {mutant.red_step}", verdict.observed) is killed


def test_too_few_predictions_are_none() -> None:
    for answers in ([], [{"predictions": [1, 1]}] * 19):
        verdict = evaluate_predictions(SdkAnswer({"answers": answers}, "", 1.0), [1, 1])
        assert (verdict.state, verdict.observed) == ("pending", f"{len(answers)} answers instead of 20")


@pytest.mark.parametrize(
    ("scripted", "asked", "last"),
    [
        ([{"predictions": [1]}] * 20, 20, {"predictions": [1]}),
        ([httpx.HTTPStatusError("404", request=_REQUEST, response=_NOT_FOUND), *[{"predictions": [1]}] * 19], 20, None),
        ([{"predictions": [1]}, {}, *[{"predictions": [1]}] * 18], 20, {"predictions": [1]}),
        ([{"predictions": [1]}, ValueError("no JSON"), *[{"predictions": [1]}] * 18], 20, {"predictions": [1]}),
        # Who waits for an answer in vain would wait for the next as long.
        ([{"predictions": [1]}, httpx.ReadTimeout("slow")], 2, {"error": "ReadTimeout: slow"}),
        ([httpx.ConnectError("refused")], 1, {"error": "ConnectError: refused"}),
    ],
)
def test_the_program_asks_so_many_times_and_repeats_none(
    scripted: list[Any], asked: int, last: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, coming = _program(monkeypatch), iter(scripted)

    class Client:
        def __init__(self, config: SimpleNamespace) -> None:
            assert config.retries == 0

        async def infer(self, *_: object, **__: object) -> Any:
            one = next(coming)
            if isinstance(one, Exception):
                raise one
            return one

    monkeypatch.setattr(program, "InferenceRESTClient", Client)
    answers = program.infer({**_ASKED, "times": 20})["answers"]
    assert len(answers) == asked
    assert answers[-1] == (last or answers[-1])
    good = [one for one in answers if one == {"predictions": [1]}]
    assert len(good) == sum(one == {"predictions": [1]} for one in scripted)


def _program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program, with a stand-in for the client's package, which has an environment of its own."""
    kserve: Any = ModuleType("kserve")
    for name in (
        "InferenceRESTClient", "InferInput", "InferRequest", "KServeClient", "V1beta1InferenceService",
        "V1beta1InferenceServiceSpec", "V1beta1ModelFormat", "V1beta1ModelSpec", "V1beta1PredictorSpec",
    ):  # fmt: skip
        setattr(kserve, name, object)
    kserve.RESTConfig = SimpleNamespace
    monkeypatch.setitem(sys.modules, "kserve", kserve)
    spec = importlib.util.spec_from_file_location("kserve_program", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_a_program_creates_is_rolled_back(cluster: Cluster) -> None:
    platform, fault = fake_platform(cluster), created_by(_CREATES)
    snapshot = fault.snapshot(platform)
    fault.inject(platform, snapshot)
    assert cluster.get(STRAY) is not None
    fault.revert(platform, snapshot)
    assert cluster.get(STRAY) is None


def test_a_program_that_fails_is_the_platforms_failure(cluster: Cluster) -> None:
    fault = created_by("import sys; sys.exit('admission webhook denied the request')")
    with pytest.raises(Unrecoverable, match="admission webhook denied the request") as caught:
        fault.inject(fake_platform(cluster), {"before": None})
    assert caught.value.exit_code == ExitCode.FAILED


def test_no_program_is_started_on_a_cluster_that_is_not_ours(api: ApiServer, tmp_path: Path, cluster: Cluster) -> None:
    api.objects.clear()
    started = tmp_path / "started"
    with pytest.raises(WriteForbidden):
        created_by(f"open({str(started)!r}, 'w')").inject(fake_platform(cluster), {"before": None})
    assert not started.exists()
