"""What the platform relies on: nodes, DNS, certificates, and the way in."""

from __future__ import annotations

import itertools
import re
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import ground
import pki
import pytest
from apiserver import ApiServer, merge
from cryptography.hazmat.primitives import serialization
from fixtures import captured, having

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import State, pending
from neuroscale.probes.certificates import ApiServerCertificateLasts, CertificatesLast, evaluate_lasting
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.probes.gateway import GatewayReached, PortsTaken
from neuroscale.probes.nodes import ClusterServicesReady, evaluate_nodes
from neuroscale.probes.workloads import evaluate_daemon_set

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TAINT = {"key": "dedicated", "value": "somebody", "effect": "NoSchedule"}
#: What a DNS has that is wrong about one Service.
RIGHT = {name: address for name, address in ground.SERVICES.items() if name != "forge/gitea"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def saying(kind: str, status: str) -> Object:
    """A node with another status of one condition."""
    obj = ground.node()
    others = [one for one in obj["status"]["conditions"] if one["type"] != kind]
    said = {"type": kind, "status": status, "message": "the kubelet says so"}
    return merge(obj, {"status": {"conditions": [*others, said]}})  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("nodes", "state", "words"),
    [
        ([ground.node()], "met", "1 of 1 fit"),
        ([], "pending", "there is no node"),
        ([saying("Ready", "False")], "pending", "node-0 is not Ready: the kubelet says so"),
        ([saying("Ready", "Unknown")], "pending", "is not Ready"),
        ([merge(ground.node(), {"status": {"conditions": None}})], "pending", "is not Ready: no such condition"),
        ([saying("MemoryPressure", "True")], "pending", "has MemoryPressure: the kubelet says so"),
        ([saying("DiskPressure", "True")], "pending", "has DiskPressure"),
        ([saying("PIDPressure", "Unknown")], "pending", "has PIDPressure"),
        ([saying("NetworkUnavailable", "True")], "pending", "has NetworkUnavailable"),
        ([ground.node(taints=[TAINT])], "pending", "is tainted dedicated=somebody:NoSchedule"),
        ([ground.node(taints=[TAINT]), ground.node()], "pending", "is tainted dedicated"),
        ([ground.node(taints=[CONTROL_PLANE])], "pending", "is tainted node-role.kubernetes.io/control-plane="),
        ([ground.node(taints=[CONTROL_PLANE]), ground.node()], "met", "2 of 2 fit"),
        (
            [ground.node(taints=[{**CONTROL_PLANE, "key": "node-role.kubernetes.io/master"}]), ground.node()],
            "met",
            "2 of",
        ),
    ],
)
def test_nodes(nodes: list[Object], state: State, words: str) -> None:
    verdict = evaluate_nodes(nodes)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


# --- DNS and add-ons


def test_dns_must_run_and_be_reached(api: ApiServer, cluster: Cluster) -> None:
    ground.put_ground(api)
    probe, add_on = ClusterServicesReady(), ground.COREDNS.replace("coredns", "metrics-server")
    assert probe.check(cluster).state == "met"
    whole = dict(api.objects)
    for path, obj, words in (
        (ground.COREDNS, captured("statefulset-scaled-away"), "coredns.*scaled to 0"),
        (ground.DNS, ground.endpoints("kube-dns"), "no ready endpoint, so no name is resolved"),
        (add_on, having(captured("statefulset-scaled-away"), name="metrics-server"), "metrics-server.*scaled to 0"),
    ):
        api.objects = {**whole, path: obj}
        verdict = probe.check(cluster)
        assert verdict.state == "pending"
        assert re.search(words, verdict.observed), verdict
    api.objects = whole
    api.ports[ground.DNS_POD] = ground.resolving("10.9.9.9")
    assert "answers 10.9.9.9 when it is asked for" in probe.check(cluster).observed
    api.ports[ground.DNS_POD] = ground.resolving(but=ground.SERVICES)
    api.objects = {**whole, add_on: having(captured("deployment-complete"), name="metrics-server")}
    assert "coredns, metrics-server" in probe.check(cluster).observed
    for path, words in ((ground.API_SERVER, "kubernetes"), (ground.COREDNS, "it does not exist")):
        del api.objects[path]
        assert words in probe.check(cluster).observed


@pytest.mark.parametrize(
    ("port", "seen"),
    [
        (ground.resolving(but=RIGHT), "SERVFAIL"),
        (ground.resolving("192.0.2.1", but=RIGHT), "192.0.2.1"),
        (ground.resolving("10.43.0.3", "192.0.2.1", but=RIGHT), "10.43.0.3, 192.0.2.1"),
        (lambda message: b"xx" + ground.resolving(but=RIGHT)(message)[2:], "nothing that is an answer"),
        (lambda _: b"HTTP/1.1 400 Bad Request", "nothing that is an answer"),
    ],
)
def test_dns_must_know_each_service(
    port: Callable[[bytes], bytes], seen: str, api: ApiServer, cluster: Cluster
) -> None:
    ground.put_ground(api)
    probe = ServicesResolved(("argocd", "forge"), area="gitops")
    assert probe.check(cluster).observed.endswith("have 2 addresses, 5 times each")
    api.ports[ground.DNS_POD] = port
    wrong = rf'10\.0\.0\.1 answers {seen} when it is asked for Service "forge/gitea", not 10\.43\.0\.3, 5 of 5 times'
    verdict = probe.check(cluster)
    assert verdict.state == "pending"
    assert re.search(wrong, verdict.observed), verdict


def test_each_answer_of_dns_counts(api: ApiServer, cluster: Cluster) -> None:
    ground.put_ground(api)
    right, wrong, asked = api.ports[ground.DNS_POD], ground.resolving("192.0.2.1"), itertools.count()

    def answer(message: bytes) -> bytes:
        return wrong(message) if next(asked) == 3 else right(message)

    api.ports[ground.DNS_POD] = answer
    verdict = ServicesResolved(("argocd", "forge"), area="gitops").check(cluster)
    assert verdict.state == "pending"
    assert re.fullmatch(r'\S+ answers 192\.0\.2\.1 [^;]*"forge/gitea"[^;]*, 1 of 5 times', verdict.observed)


def test_each_pod_of_dns_is_asked(api: ApiServer, cluster: Cluster) -> None:
    ground.put_ground(api)
    probe, whole = ServicesResolved(("argocd", "forge"), area="gitops"), ground.endpoints("kube-dns", "coredns-1")
    second = {"addresses": ["10.0.0.2"], "targetRef": {"kind": "Pod", "name": "coredns-2"}}
    for end, words in (
        (second, "10.0.0.2 answers nothing: port 53"),
        ({"addresses": ["10.9.9.9"]}, "10.9.9.9 is no pod"),
    ):
        api.objects[ground.DNS] = {**whole, "endpoints": [*whole["endpoints"], end]}
        assert probe.check(cluster).observed.startswith(words), probe.check(cluster)
    api.ports[ground.DNS_POD.replace("coredns-1", "coredns-2")] = api.ports[ground.DNS_POD]
    api.objects[ground.DNS] = {**whole, "endpoints": [*whole["endpoints"], second]}
    assert probe.check(cluster).observed.startswith("2 of 2 endpoints")


@pytest.mark.parametrize("address", [None, "", "None"])
def test_a_service_without_an_address_is_not_asked_for(address: str | None, api: ApiServer, cluster: Cluster) -> None:
    ground.put_ground(api)
    api.objects[ground.GITEA_SERVICE]["spec"]["clusterIP"] = address
    both, alone = (ServicesResolved(names, area="gitops").check(cluster) for names in (("argocd", "forge"), ("forge",)))
    assert both.observed.endswith("have 1 addresses, 5 times each")
    assert alone == pending("there is no Service with an address yet")


def test_an_address_of_ipv6_is_asked_for_as_such(api: ApiServer, cluster: Cluster) -> None:
    ground.put_services(api, {"forge/gitea": "fd00::3"})
    assert ServicesResolved(("forge",), area="gitops").check(cluster).state == "met"


# --- the way in


@pytest.mark.parametrize(
    ("balancer", "state", "words"),
    [
        (ground.balancer(), "met", "1 of 1 pods ready"),
        (ground.balancer(ready=0), "pending", "0 of 1 pods ready"),
        (ground.balancer(updated=0), "pending", "0 up to date"),
        (ground.balancer(wanted=0, ready=0, updated=0), "pending", "no node is meant for it"),
        (ground.balancer(seen=0), "pending", "has not yet seen"),
        ({"metadata": {}}, "pending", "no node is meant for it"),
        ({"metadata": {"generation": 1}}, "pending", "has not yet seen"),
        (merge(ground.balancer(), {"status": {"numberReady": None}}), "pending", "0 of 1 pods ready, 1 up to date"),
        (
            merge(ground.balancer(), {"status": {"updatedNumberScheduled": None}}),
            "pending",
            "1 pods ready, 0 up to date",
        ),
    ],
)
def test_a_daemon_set(balancer: Object, state: State, words: str) -> None:
    verdict = evaluate_daemon_set(balancer)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


BY_HAND: Object = merge(
    ground.endpoints("kourier"),
    {"metadata": {"name": "by-hand"}, "endpoints": [{"addresses": ["10.9.9.9"], "conditions": {}}]},
)
STRANGER: Object = {"kind": "Pod", "metadata": {"name": "stranger", "labels": {"app": "3scale-kourier-gateway"}}}


@pytest.mark.parametrize(
    ("path", "obj", "words"),
    [
        (ground.GATEWAY_SERVICE, None, "it does not exist"),
        (ground.GATEWAY_SERVICE, {"status": {"loadBalancer": None}}, "no address, and is of type LoadBalancer"),
        (ground.GATEWAY_ENDPOINTS, {"endpoints": None}, "it has no ready endpoint"),
        (ground.GATEWAY_ENDPOINTS, {"endpoints": [{"conditions": {"ready": False}}]}, "it has no ready endpoint"),
        (
            ground.GATEWAY_ENDPOINTS,
            ground.endpoints("kourier", "gateway-1-a", "stranger"),
            "1 of 2 endpoints are not the gateway's: stranger",
        ),
        (ground.GATEWAY_ENDPOINTS.replace("kourier-1", "by-hand"), BY_HAND, "not the gateway's: 10.9.9.9"),
        (ground.BALANCER, ground.balancer(ready=0), "its load balancer svclb-kourier-1: 0 of 1 pods ready"),
    ],
)
def test_the_way_in(path: str, obj: Object | None, words: str, api: ApiServer, cluster: Cluster) -> None:
    ground.put_way_in(api)
    api.objects["/api/v1/namespaces/kourier-system/pods/stranger"] = STRANGER
    assert GatewayReached().check(cluster).state == "met"
    if obj is None:
        del api.objects[path]
    else:
        api.objects[path] = merge(api.objects.get(path, {}), obj)
    verdict = GatewayReached().check(cluster)
    assert (verdict.state, words in verdict.observed) == ("pending", True), verdict


def _of_balancer(message: str) -> Object:
    """A pod of the gateway's load balancer, and what the scheduler says of it."""
    labels = ground.balancer()["metadata"]["labels"]
    said = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    status = {"conditions": [{"type": "Initialized"}, said]} if message else None
    return {
        "kind": "Pod",
        "metadata": {"name": "svclb-a", "namespace": "kube-system", "labels": labels},
        "status": status,
    }


NO_PORTS = "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."


@pytest.mark.parametrize(
    ("address", "message", "words"),
    [
        ("", NO_PORTS, f"met: its address: none; pod svclb-a: {NO_PORTS}"),
        ("10.0.0.7", NO_PORTS, "pending: its address: 10.0.0.7; pod svclb-a"),
        ("", "1 Insufficient cpu.", "pending: its address: none; none of 1 pods of its load balancer waits"),
        ("", "", "pending: its address: none; none of 1 pods of its load balancer waits"),
    ],
)
def test_ports_that_somebody_else_has(address: str, message: str, words: str, api: ApiServer, cluster: Cluster) -> None:
    ground.put_way_in(api)
    api.objects[ground.GATEWAY_SERVICE]["status"] = {"loadBalancer": {"ingress": [{"ip": address}]} if address else {}}
    api.objects["/api/v1/namespaces/kube-system/pods/svclb-a"] = _of_balancer(message)
    verdict = PortsTaken().check(cluster)
    assert f"{verdict.state}: {verdict.observed}".startswith(words)
    stranger = {**_of_balancer(NO_PORTS), "metadata": {"name": "svclb-a", "labels": {"app": "another"}}}
    api.objects["/api/v1/namespaces/kube-system/pods/svclb-a"] = stranger
    assert PortsTaken().check(cluster).state == "pending"
    del api.objects[ground.GATEWAY_SERVICE]
    assert PortsTaken().check(cluster).observed == "it does not exist"


def test_a_clouds_load_balancer_is_not_in_the_cluster(api: ApiServer, cluster: Cluster) -> None:
    ground.put_way_in(api)
    del api.objects[ground.BALANCER]
    assert GatewayReached().check(cluster).state == "met"


# --- certificates


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (30, "met", "valid until 2026-12-24"),
        (3.2, "met", "valid until 2026-11-27"),
        (3.1, "pending", "expires in 74.4 h, at 2026-11-27, and nobody has renewed it"),
        (-1, "pending", "has expired at 2026-11-23"),
        (3650, "met", "valid until 2036-11-21"),
    ],
)
def test_a_certificate_must_last(days: float, state: State, words: str) -> None:
    """Each is 60 days old: with 3.16 days more, a twentieth of its lifetime is left."""
    one, _ = pki.certificate("a.b", NOW, days=days)
    verdict = evaluate_lasting([one], NOW)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_of_a_long_lifetime_a_week_is_enough() -> None:
    one, _ = pki.certificate("a.b", NOW, days=3650)
    for left, state in ((7.1, "met"), (6.9, "pending")):
        assert evaluate_lasting([one], NOW + timedelta(days=3650 - left)).state == state


def test_the_shortest_of_a_chain_decides() -> None:
    authority = pki.certificate("authority", NOW, days=1)
    one, _ = pki.certificate("a.b", NOW, authority, days=300)
    assert evaluate_lasting([one], NOW).state == "met"
    assert "expires in 24.0 h" in evaluate_lasting([one, authority[0]], NOW).observed


def test_certificates_in_secrets(api: ApiServer, cluster: Cluster) -> None:
    probe, path = CertificatesLast(("argocd", "forge"), area="gitops"), "/api/v1/namespaces/{}/secrets/{}"
    api.objects[path.format("forge", "password")] = {"kind": "Secret", "metadata": {"name": "p"}, "data": {"p": "eA=="}}
    assert probe.check(cluster).observed == "there is no certificate yet"
    api.objects[path.format("argocd", "tls")] = ground.secret("argocd")
    api.objects[path.format("kube-system", "old")] = ground.secret("kube-system", days=-1)
    assert probe.check(cluster).observed == "1 Secrets with certificates that last"
    api.objects[path.format("forge", "old")] = ground.secret("forge", days=1, name="old")
    verdict = probe.check(cluster)
    assert verdict.state == "pending"
    assert re.match(r'Secret "forge/old": its certificate expires in (24.0|23.9) h', verdict.observed)


class _Silent(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.mark.parametrize(("days", "state", "words"), [(300, "met", "valid until"), (1, "pending", "expires in")])
def test_what_the_api_server_shows(days: float, state: State, words: str, tmp_path: Path) -> None:
    one, key = pki.certificate("localhost", datetime.now(UTC), days=days)
    file = tmp_path / "server.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + one.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Silent)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    verdict = ApiServerCertificateLasts().check(at(f"https://127.0.0.1:{server.server_port}"))
    server.shutdown()
    server.server_close()
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_an_api_server_without_tls_or_without_an_answer(cluster: Cluster) -> None:
    verdict = ApiServerCertificateLasts().check(cluster)
    assert verdict.state == "unrecoverable"
    assert verdict.observed == f"{cluster.server} is asked without TLS, and shows no certificate"
    assert "ConnectionRefusedError" in ApiServerCertificateLasts().check(at("https://127.0.0.1:1")).observed


def at(url: str) -> Cluster:
    return cast("Cluster", cast("Any", SimpleNamespace(server=url)))


def test_the_gateways_pods_are_those_that_it_controls(api: ApiServer, cluster: Cluster) -> None:
    """To name somebody as an owner is easy."""
    ground.put_way_in(api)
    path = "/api/v1/namespaces/kourier-system/pods/gateway-1-a"
    (reference,) = api.objects[path]["metadata"]["ownerReferences"]
    for other in ({**reference, "controller": False}, {**reference, "uid": "uid-of-somebody"}):
        api.objects[path] = having(api.objects[path], ownerReferences=[other])
        assert "not the gateway's: gateway-1-a" in GatewayReached().check(cluster).observed
