"""The steady states, and the precondition of each scenario: on objects from a real cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform
from fixtures import captured, having

from neuroscale import milestones
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ExitCode, PreconditionFailed
from neuroscale.kubernetes.refs import Object
from neuroscale.milestones import MILESTONES, assert_steady_state, probes_of, reachable
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import argo
from neuroscale.settings import ROOT, ROOT_APPLICATION, Budgets

APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def application(name: str, commit: str | None) -> Object:
    change = {"reconciledAt": datetime.now(UTC).isoformat(), "sync": {"revision": commit}}
    return having(captured("application-good", {"status": change}), name=name)


@pytest.fixture
def platform(api: ApiServer, cluster: Cluster) -> Platform:
    """Two Applications in Git and in the cluster, and all of Argo CD's workloads; everything is well."""
    platform = fake_platform(cluster, {"apps/test-app/a.yaml": "", "infrastructure/apps/a.yaml": ""})
    for ref in argo.WORKLOADS:
        path = f"/apis/apps/v1/namespaces/argocd/{ref.kind.lower()}s/{ref.name}"
        api.objects[path] = having(captured("statefulset-complete"), name=ref.name)
    for name in (ROOT_APPLICATION, "test-app"):
        api.put(f"{APPLICATIONS}/{name}", application(name, platform.git_server.head()))
    return platform


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milestones, "BUDGETS", Budgets(settle=0.05))


def unmet(platform: Platform) -> list[Probe]:
    return [probe for probe in probes_of("a", platform) if not probe.check(platform.cluster)]


@pytest.mark.usefixtures("hasty")
def test_one_thing_amiss_fails_the_precondition(api: ApiServer, platform: Platform) -> None:
    assert unmet(platform) == []
    assert_steady_state("a", platform)

    healthy = api.objects[f"{APPLICATIONS}/test-app"]
    api.objects[f"{APPLICATIONS}/test-app"] = captured("application-out-of-sync")
    assert [type(probe) for probe in unmet(platform)] == [argo.EachApplication]
    with pytest.raises(
        PreconditionFailed, match=r"milestone A does not hold, so nothing was tried.*OutOfSync"
    ) as caught:
        assert_steady_state("a", platform)
    assert caught.value.exit_code == ExitCode.NOT_RUN
    api.objects[f"{APPLICATIONS}/test-app"] = healthy

    api.put(f"{APPLICATIONS}/made-by-hand", having(healthy, name="made-by-hand"))
    assert [type(probe) for probe in unmet(platform)] == [argo.ApplicationsExist]
    api.remove(f"{APPLICATIONS}/made-by-hand")

    api.objects["/apis/apps/v1/namespaces/argocd/deployments/argocd-redis"] = captured("statefulset-scaled-away")
    assert [probe.description for probe in unmet(platform)] == [argo.workloads_ready().description]


def test_what_git_says_is_asked_anew_each_time(api: ApiServer, platform: Platform) -> None:
    """Also the commit: yesterday's good state is no answer to today's commit."""
    platform.git_server.commit({"README.md": "Nothing to do with any Application"}, "Read me")
    (stale,) = unmet(platform)
    assert "Synced/Healthy" in stale.check(platform.cluster).observed
    assert "but at 00000000" in stale.check(platform.cluster).observed
    commit = platform.git_server.commit({"apps/newcomer/a.yaml": ""}, "A new folder")
    assert {type(probe) for probe in unmet(platform)} == {argo.ApplicationsExist, argo.EachApplication}
    for name in (ROOT_APPLICATION, "test-app", "newcomer"):
        api.put(f"{APPLICATIONS}/{name}", application(name, commit))
    assert unmet(platform) == []


def test_the_milestones_are_those_of_the_components() -> None:
    assert MILESTONES[0] == "a"
    command = [sys.executable, "-m", "neuroscale.milestones"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == list(MILESTONES)


def test_what_must_pass_brings_up_every_milestone() -> None:
    brought_up = re.findall(r"neuroscale up --milestones (\"[a-z ]+\"|[a-z])", (ROOT / ".ci" / "run").read_text())
    assert brought_up[-1].strip('"').split() == list(MILESTONES)


def test_reachable_asks_the_api_server_and_nothing_else(api: ApiServer, cluster: Cluster) -> None:
    api.answers["GET /readyz"] = (200, b"ok", {})
    reachable(fake_platform(cluster))
    api.answers["GET /readyz"] = (500, b"[-]etcd failed", {})
    with pytest.raises(ApiError, match="etcd failed"):
        reachable(fake_platform(cluster))
