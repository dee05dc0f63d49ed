"""The steady state of milestone B: one thing amiss, and it does not hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ground
import pytest
import yaml
from apiserver import ApiServer, merge
from fake_gateway import ISVCS, NAME, Gateway, host_of, isvc, made, put
from fake_git_server import fake_platform
from fakes import pod
from fixtures import captured, having

from neuroscale.cluster.client import Cluster
from neuroscale.milestones import parse_milestones, probes_of
from neuroscale.model_store import SWAPPED
from neuroscale.platform import Platform
from neuroscale.probes import applications, serving
from neuroscale.settings import ROOT_APPLICATION

APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kserve/leases/kserve-controller-manager-leader-lock"
OTHER = "sklearn-iris"


@pytest.fixture
def platform(world: ApiServer, cluster: Cluster, gateway: Gateway) -> Platform:
    """Git describes two models; both are served, and so is everything below them."""
    for ref in serving.WORKLOADS:
        path = f"/apis/apps/v1/namespaces/{ref.namespace}/deployments/{ref.name}"
        world.objects[path] = having(captured("deployment-complete"), name=ref.name, namespace=ref.namespace)
    ground.put_way_in(world)
    ground.put_webhook(world, "kserve")
    selected = {"metadata": {"labels": captured("deployment-complete")["spec"]["selector"]["matchLabels"]}}
    manager = having(merge(pod("manager", "20m"), selected), namespace="kserve")
    world.put("/api/v1/namespaces/kserve/pods/manager", manager)
    lease = {"kind": "Lease", "metadata": {"name": serving.KSERVE_LEASE.name}}
    world.put(LEASE, {**lease, "spec": {"holderIdentity": "manager_4711"}})
    put(world, isvc(OTHER), made(OTHER))
    gateway.versions[host_of(OTHER)] = gateway.versions[host_of(NAME)]
    files = {f"apps/{name}/isvc.yaml": yaml.safe_dump(isvc(name)) for name in (NAME, OTHER)}
    platform = fake_platform(cluster, files)
    for name in (ROOT_APPLICATION, NAME, OTHER):
        # Of late, however long a busy machine takes for a test.
        change = {
            "reconciledAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
            "sync": {"revision": platform.git_server.head()},
        }
        world.put(f"{APPLICATIONS}/{name}", having(captured("application-good", {"status": change}), name=name))
    return platform


def unmet(platform: Platform) -> list[str]:
    return [type(probe).__name__ for probe in probes_of("b", platform) if not probe.check(platform.cluster)]


def test_one_thing_amiss(platform: Platform, world: ApiServer, gateway: Gateway) -> None:
    assert unmet(platform) == []

    whole = dict(world.objects)
    world.objects[f"{APPLICATIONS}/{NAME}"] = captured("application-out-of-sync")
    assert unmet(platform) == [applications.EachApplication.__name__]
    world.objects = dict(whole)

    scaler = "/apis/apps/v1/namespaces/knative-serving/deployments/autoscaler"
    world.objects[scaler] = merge(whole[scaler], {"spec": {"replicas": 0}})
    assert unmet(platform) == ["AllAvailable"]
    world.objects = dict(whole)

    world.objects[LEASE] = merge(whole[LEASE], {"spec": {"holderIdentity": "predecessor_4711"}})
    assert unmet(platform) == ["KServeLeads"]
    world.objects = dict(whole)

    world.objects[ground.GATEWAY_ENDPOINTS] = ground.endpoints("kourier", "gateway-1-a", "stranger")
    assert unmet(platform) == ["GatewayReached"]
    world.objects = dict(whole)

    world.objects[ground.GATEWAY_SERVICE] = merge(whole[ground.GATEWAY_SERVICE], {"spec": {"clusterIP": "10.43.9.9"}})
    assert unmet(platform) == ["ServicesResolved"]
    world.objects = dict(whole)

    ground.put_webhook(world, "kserve", days=1)
    assert unmet(platform) == ["CertificatesLast", "CanBeAnswered"]
    world.objects = dict(whole)

    # It leads elsewhere: not this milestone's business.
    ground.put_webhook(world, "somebody", days=1)
    assert unmet(platform) == []
    world.objects = dict(whole)

    gateway.strangers = 1
    assert unmet(platform) == ["AllAnswer"]
    gateway.strangers = 0

    gateway.versions[host_of(OTHER)] = SWAPPED
    assert unmet(platform) == ["AllAnswer"]
    gateway.versions[host_of(OTHER)] = gateway.versions[host_of(NAME)]

    del world.objects[f"{ISVCS}/{OTHER}"]
    assert unmet(platform) == ["AllReady", "AllGenerated", "AllAnswer"]


def test_it_has_a_name() -> None:
    assert parse_milestones("serving") == parse_milestones("b") == ["b"]
    assert parse_milestones("all") == ["a", "b", "c", "d", "f"]
