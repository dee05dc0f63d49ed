"""The steady states, and the precondition of each scenario: on objects from a real cluster."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import ground
import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform
from fixtures import captured, having

from neuroscale import milestones
from neuroscale.cluster.client import Cluster
from neuroscale.components import COMPONENTS
from neuroscale.errors import ApiError, ClusterUnreachable, ExitCode, NeuroscaleError, SteadyStateLost, WriteForbidden
from neuroscale.kubernetes.refs import Object
from neuroscale.milestones import MILESTONES, SteadyState, assert_steady_state, probes_of, reachable
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, met
from neuroscale.probes import applications, argo, progress_reporter
from neuroscale.probes.certificates import ApiServerCertificateLasts
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import ROOT, ROOT_APPLICATION, Budgets

APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


def application(name: str, commit: str | None) -> Object:
    # Of late, however long a busy machine takes for a test.
    change = {"reconciledAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(), "sync": {"revision": commit}}
    return having(captured("application-good", {"status": change}), name=name)


@pytest.fixture
def platform(api: ApiServer, cluster: Cluster) -> Platform:
    """Two Applications in Git and in the cluster, and all of Argo CD's workloads; everything is well."""
    ground.put_ground(api)
    platform = fake_platform(cluster, {"apps/test-app/a.yaml": "", "infrastructure/apps/a.yaml": ""})
    for ref in argo.WORKLOADS:
        path = f"/apis/apps/v1/namespaces/argocd/{ref.kind.lower()}s/{ref.name}"
        api.objects[path] = having(captured("statefulset-complete"), name=ref.name)
    for name in (ROOT_APPLICATION, "test-app"):
        api.put(f"{APPLICATIONS}/{name}", application(name, platform.git_server.head()))
    return platform


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milestones, "BUDGETS", Budgets(recover=0.05))


def unmet(platform: Platform) -> list[Probe]:
    return [probe for probe in probes_of("a", platform) if not probe.check(platform.cluster)]


@pytest.mark.usefixtures("hasty")
def test_one_thing_amiss_fails_the_precondition(api: ApiServer, platform: Platform) -> None:
    assert unmet(platform) == []
    assert_steady_state("a", platform)

    healthy = api.objects[f"{APPLICATIONS}/test-app"]
    api.objects[f"{APPLICATIONS}/test-app"] = captured("application-out-of-sync")
    assert [type(probe) for probe in unmet(platform)] == [applications.EachApplication]
    with pytest.raises(SteadyStateLost, match=r"milestone A does not hold, so nothing was tried.*OutOfSync") as caught:
        assert_steady_state("a", platform)
    assert caught.value.exit_code == ExitCode.NOT_RUN
    api.objects[f"{APPLICATIONS}/test-app"] = healthy

    api.put(f"{APPLICATIONS}/made-by-hand", having(healthy, name="made-by-hand"))
    assert [type(probe) for probe in unmet(platform)] == [applications.ApplicationsExist]
    api.remove(f"{APPLICATIONS}/made-by-hand")

    api.objects["/apis/apps/v1/namespaces/argocd/deployments/argocd-redis"] = captured("statefulset-scaled-away")
    assert [probe.description for probe in unmet(platform)] == [argo.workloads_ready().description]


AWAY = captured("statefulset-scaled-away")


@pytest.mark.parametrize(
    ("path", "obj", "words"),
    [
        (ground.NODE, ground.node(taints=[{"key": "a", "effect": "NoSchedule"}]), "node-0 is tainted a="),
        (ground.COREDNS, AWAY, r"coredns.*scaled to 0"),
        (ground.DNS, ground.endpoints("kube-dns"), "no ready endpoint, so no name is resolved"),
        (ground.GITEA_SERVICE, ground.service("forge", "gitea", "10.43.9.9"), r'"forge/gitea", not 10\.43\.9\.9'),
        (ground.GITEA, ground.gitea(replicas=0), r"forge/gitea.*scaled to 0"),
        ("/api/v1/namespaces/argocd/secrets/tls", ground.secret("argocd", days=1), "its certificate expires in"),
        ("/apis/apps/v1/namespaces/argocd/deployments/argocd-redis", AWAY, r"argocd-redis.*scaled to 0"),
    ],
)
def test_what_the_platform_relies_on_belongs_to_the_steady_state(
    path: str, obj: Object, words: str, api: ApiServer, platform: Platform
) -> None:
    api.objects[path] = obj
    wrong = [probe.check(platform.cluster).observed for probe in unmet(platform)]
    assert wrong
    assert [seen for seen in wrong if not re.search(words, seen)] == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_api_servers_certificate_is_asked_for_where_there_is_one(
    scheme: str, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "server", property(lambda _: f"{scheme}://127.0.0.1:1"))
    asked = any(isinstance(probe, ApiServerCertificateLasts) for probe in probes_of("a", platform))
    assert asked == (scheme == "https")


def test_a_git_server_that_does_not_answer_belongs_to_the_steady_state(api: ApiServer, platform: Platform) -> None:
    api.answers["GET /api/v1/version"] = (503, b"", {})
    (wrong,) = unmet(platform)
    assert "20 of 20 answers in a row are wrong, first no. 1: HTTP 503" in wrong.check(platform.cluster).observed


def test_everything_that_is_amiss_is_named(api: ApiServer, platform: Platform) -> None:
    steady = SteadyState.as_git_describes("a", platform)
    assert steady.check(platform.cluster) == met("11 of 11 expectations are met")
    api.objects[ground.COREDNS] = AWAY
    api.objects[ground.NODE] = ground.node(taints=[{"key": "a", "effect": "NoSchedule"}])
    verdict = steady.check(platform.cluster)
    assert verdict.state == "pending"
    assert re.match(r"2 of 11 expectations are not met: .*node-0 is tainted.*; .*coredns", verdict.observed)


def test_a_recovery_is_not_kept_waiting_by_what_comes_after_the_first_thing_amiss(
    api: ApiServer, platform: Platform
) -> None:
    probes = probes_of("a", platform)
    api.objects[ground.COREDNS] = AWAY
    api.objects[ground.NODE] = ground.node(taints=[{"key": "a", "effect": "NoSchedule"}])
    verdict = SteadyState("a", lambda: probes, first_only=True).check(platform.cluster)
    assert re.match(r"at least 1 of 11 expectations are not met: [^;]*node-0 is tainted[^;]*$", verdict.observed)


def test_a_steady_state_of_nothing_does_not_hold(platform: Platform) -> None:
    assert SteadyState("z", list).check(platform.cluster).state == "unrecoverable"


def test_without_git_the_rest_is_asked_all_the_same(
    api: ApiServer, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(folder: str) -> dict[str, str]:
        raise ClusterUnreachable(f"The Git server should give {folder}, but does not answer")

    monkeypatch.setattr(platform.git_server, "files", unreachable)
    api.objects[ground.GITEA] = ground.gitea(replicas=0)
    assert [probe.description for probe in unmet(platform)] == [
        "all 1 workloads of the Git server have all containers ready",
        "what Git describes can be read",
    ]
    assert "does not answer" in unmet(platform)[-1].check(platform.cluster).observed
    assert len(probes_of("a", platform)) == 10


def test_what_git_refuses_while_something_is_asked_hides_nothing_else(api: ApiServer, platform: Platform) -> None:
    """Every other connection may come to a stranger, who has no repository."""

    def refused() -> Verdict:
        raise NeuroscaleError("git ls-remote should succeed, but git exited with 128")

    api.objects[ground.COREDNS] = AWAY
    probes = [ProbeFunction("the commit is known", refused), *probes_of("a", platform)]
    verdict = SteadyState("a", lambda: probes).check(platform.cluster)
    assert verdict.state == "pending"
    assert re.match(r"2 of 12 .*the commit is known: git ls-remote should .*; .*coredns", verdict.observed)


@pytest.mark.parametrize(
    "error",
    [ClusterUnreachable("no answer"), ApiError("no", status=403, reason="Forbidden"), WriteForbidden("was not sent")],
)
def test_what_the_api_server_or_the_guard_refuses_is_no_thing_amiss(error: NeuroscaleError, platform: Platform) -> None:
    def refused() -> Verdict:
        raise error

    with pytest.raises(type(error)):
        SteadyState("a", lambda: [ProbeFunction("anything", refused)]).check(platform.cluster)


def test_what_sleeps_after_an_error_is_asked_to_look_again_before_a_scenario(
    api: ApiServer, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ApplicationSet, for instance: it would look again only after three minutes."""

    def refresh(platform: Platform) -> list[str]:
        api.objects.pop(ground.COREDNS)
        ground.put_ground(api)
        return ["it is asked to look again"]

    (gitops,) = (component for component in COMPONENTS if component.name == "gitops")
    awake = replace(gitops, stages=(replace(gitops.stages[0], refresh=refresh),))
    monkeypatch.setattr(milestones, "COMPONENTS", (awake,))
    monkeypatch.setattr(progress_reporter, "_TELL_SECONDS", 0)
    api.objects[ground.COREDNS] = AWAY
    assert_steady_state("a", platform)


def test_what_git_says_is_asked_anew_each_time(api: ApiServer, platform: Platform) -> None:
    """Also the commit: yesterday's good state is no answer to today's commit."""
    platform.git_server.commit({"README.md": "Nothing to do with any Application"}, "Read me")
    (stale,) = unmet(platform)
    assert "Synced/Healthy" in stale.check(platform.cluster).observed
    assert "but at 00000000" in stale.check(platform.cluster).observed
    commit = platform.git_server.commit({"apps/newcomer/a.yaml": ""}, "A new folder")
    assert {type(probe) for probe in unmet(platform)} == {applications.ApplicationsExist, applications.EachApplication}
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
