"""Runs as the suite leaves them on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter

from neuroscale.results import Kill, Run, RunFolder, Sample, ScenarioResult

BASE = datetime(2026, 11, 20, 22, 4, 5, tzinfo=UTC)
FEATURE = "GitOps heals drift"


def sample(
    seconds: float, series: str = "first drift", *, censored: bool = False, claim: str = "drift-heal", at: int = 0
) -> Sample:
    phases = {
        "OutOfSync": seconds * 0.2,
        "operation started": seconds * 0.3,
        "recreated": seconds * 0.4,
        "Ready": None if censored else seconds,
    }
    return Sample(
        scenario="A deleted Deployment comes back",
        claim=claim,
        fault='Deployment "default/test-app" is deleted',
        subject="Deployment test-app",
        series=series,
        at=BASE + timedelta(seconds=at),
        phases={"OutOfSync": seconds * 0.01} if censored else phases,
        seconds=seconds,
        censored=censored,
        facts={"attempt": at, "revision": "0f3a9c1", "seconds since last sync": 31.5},
    )


def result(scenario: str, verdict: str = "passed", why: str = "", step: str = "") -> ScenarioResult:
    return ScenarioResult(
        nodeid=f"tests/e2e/test_gitops.py::{scenario}",
        feature=FEATURE,
        scenario=scenario,
        tags=["milestone_a"],
        verdict=verdict,
        seconds=12.5,
        why=why,
        step=step,  # type: ignore[arg-type]
    )


RESULTS = [
    result("A deleted Deployment comes back"),
    result(
        "A removed manifest is pruned",
        "failed",
        'Timed out after 60 s waiting for: ConfigMap "default/x" is <gone> (240 checks). '
        "Last seen: it is still there. Next: neuroscale check gitops",
        "Then it is pruned",
    ),
    result(
        "Repo-server down",
        "not run",
        'Application "serving-stack" should be Synced, but was OutOfSync. Next: neuroscale check gitops',
        "Given a gate that fails",
    ),
    result("Drift of image heals"),
    result("Drift of label heals"),
]
KILLS = [
    Kill(
        mutant="self-heal-off",
        title="Argo CD does not self-heal",
        scenario="A deleted Deployment comes back",
        verdict="killed",
        expected_step="Then it is Ready again",
        expected_reason="is missing",
        step="Then it is Ready again",
        reason='Deployment "default/test-app" is missing',
        seconds=64.2,
    ),
    Kill(
        mutant="prune-off",
        title="Argo CD does not prune",
        scenario="A removed manifest is pruned",
        verdict="survived",
        expected_step="Then it is pruned",
        expected_reason="still there",
        step="",
        reason="",
        seconds=12.0,
    ),
    Kill(
        mutant="zero-pods",
        title="The controller has no pods",
        scenario="Every workload is there",
        verdict="wrong reason",
        expected_step="Then all are Ready",
        expected_reason="0 of 1 pods",
        step="Given the platform is up",
        reason="timeout",
        seconds=31.0,
    ),
]
HEALS = (0.54, 0.47, 0.61, 0.72, 0.58, 1.9, 0.66, 0.52, 0.88, 1.4)


def make_run(reports: Path, name: str, shift: float = 0.0) -> RunFolder:
    """A run as the suite leaves it, without Allure results."""
    folder = RunFolder(reports / name)
    folder.path.mkdir(parents=True)
    started_at = datetime.strptime(name, "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC)
    folder.save_run(
        Run(
            name=name,
            kind="conformance",
            started_at=started_at,
            seconds=203.4,
            command="pytest -m milestone_a",
            results=RESULTS,
            versions={"k3s": "v1.31.1+k3s1", "argocd": "v3.2.1"},
            exit_code=1,
        )
    )
    for index, seconds in enumerate(HEALS):
        folder.add_sample(sample(seconds + shift, at=index * 17))
    for index, seconds in enumerate((2.83, 4.1, 9.7)):
        folder.add_sample(sample(seconds + shift, "repeated drift", at=200 + index * 40))
    folder.add_sample(sample(120, "repeated drift", censored=True, at=400))
    folder.add_sample(sample(41 + shift, "poll", claim="git-pick-up", at=500))
    folder.add_sample(sample(133 + shift, "poll", claim="git-pick-up", at=700))
    # An older version's: today such a figure would be refused.
    old = [*folder.samples, sample(3, "by hand", claim="no-longer-claimed", at=900)]
    (folder.path / "recovery.json").write_bytes(TypeAdapter(list[Sample]).dump_json(old))
    return folder
