"""The KServe client's answers, and the fault that lets a program of somebody else create an object."""

from __future__ import annotations

import sys
from pathlib import Path

import creating_program
import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform
from fakes import FAULTS

from neuroscale.chaos.faults import CreatedByProgram
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ExitCode, Unrecoverable, WriteForbidden
from neuroscale.kserve_client import SdkAnswer
from neuroscale.kubernetes.refs import Ref
from neuroscale.serving.kserve_sdk import evaluate_predictions

_CREATES = Path(creating_program.__file__).read_text(encoding="utf-8")


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
        ([1.0, 1], "unrecoverable"),
        (["1", "1"], "unrecoverable"),
        ([1.9, 1], "unrecoverable"),
        ([True, 1], "unrecoverable"),
        ([1], "unrecoverable"),
        ([], "unrecoverable"),
    ],
)
def test_predictions_are_compared_as_the_protocol_types_them(predictions: list[object], state: str) -> None:
    assert evaluate_predictions(SdkAnswer({"predictions": predictions}, "", 1.0), [1, 1]).state == state


def test_a_client_that_failed_says_why() -> None:
    verdict = evaluate_predictions(SdkAnswer({}, "httpx.ConnectError: rejected", 1.0), [1, 1])
    assert (verdict.state, verdict.observed) == ("unrecoverable", "httpx.ConnectError: rejected")


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
