"""Which earlier verdict stands for a mutant's control."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neuroscale.results import RunFolder, ScenarioResult, ScenarioVerdict
from suite import commits, controls
from suite.controls import Control

COMMIT, CLUSTER = "c0ffee", "nonce"


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROSCALE_REPORTS", str(tmp_path))
    monkeypatch.setattr(commits, "whole_commit", lambda: COMMIT)


def record(
    verdict: ScenarioVerdict, *, commit: str = COMMIT, cluster: str = CLUSTER, hours: float = 0, step: str = "it is"
) -> str:
    folder, run = RunFolder.begin("conformance", "pytest")
    run.commit, run.cluster = commit, cluster
    run.started_at = datetime.now(UTC) - timedelta(hours=hours)
    run.results = [
        ScenarioResult(
            nodeid="n",
            feature="f",
            scenario="s",
            tags=[],
            verdict=verdict,
            seconds=1,
            steps={step: 0.5} if step else {},
        )
    ]
    folder.save_run(run)
    return run.name


def test_the_latest_verdict_counts() -> None:
    assert controls.known(CLUSTER) == {}
    record("passed")
    second = record("passed", step="it was")
    assert controls.known(CLUSTER) == {"s": Control(second, {"it was": 0.5})}
    record("failed")
    assert controls.known(CLUSTER) == {}
    third = record("passed", cluster="")
    assert controls.known(CLUSTER) == {"s": Control(third, {"it is": 0.5})}
    record("not run")
    assert controls.known(CLUSTER) == {}


def test_what_says_nothing_of_the_present_checkout_and_cluster_is_no_control(monkeypatch: pytest.MonkeyPatch) -> None:
    record("passed", commit="another")
    record("passed", commit="")
    record("passed", cluster="another")
    record("passed", hours=13)
    record("passed", step="")
    assert controls.known(CLUSTER) == {}
    record("passed")
    assert set(controls.known(CLUSTER)) == {"s"}
    assert controls.known("third") == {}
    monkeypatch.setattr(commits, "whole_commit", lambda: "")
    assert controls.known(CLUSTER) == {}


def test_a_run_that_cannot_be_read_is_no_control(tmp_path: Path) -> None:
    (tmp_path / record("passed") / "run.json").write_text("{", encoding="utf-8")
    assert controls.known(CLUSTER) == {}
    record("passed")
    assert set(controls.known(CLUSTER)) == {"s"}
