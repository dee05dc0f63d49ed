"""No write reaches a cluster that this suite did not make. Each refusal stands beside a control that is let through."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from apiserver import NONCE, ApiServer, kubeconfig_for
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from repository import git

from neuroscale.cluster import guard
from neuroscale.cluster.adopt import mark
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.guard import MARKER_PATH, DenyWrites, MarkerGuard, docker_networks, is_local
from neuroscale.cluster.state import ClusterState, kubeconfig_file, load_state
from neuroscale.errors import (
    ApiError,
    ApiServerSlow,
    ClusterUnreachable,
    NeuroscaleError,
    UsageError,
    WriteForbidden,
)
from neuroscale.git_server import GitServer
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.settings import CLUSTER_NAME

NAMESPACE = Ref("Namespace", "scratch")
OBJECT: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "scratch"}}

#: Every verb of the client that writes.
VERBS: dict[str, Callable[[Cluster], object]] = {
    "create": lambda cluster: cluster.create(OBJECT),
    "dry run": lambda cluster: cluster.create(OBJECT, dry_run=True),
    "apply": lambda cluster: cluster.apply(OBJECT),
    "patch": lambda cluster: cluster.patch(NAMESPACE, {"metadata": {"labels": {"a": "b"}}}),
    "delete": lambda cluster: cluster.delete(NAMESPACE),
}

#: Every door of the Git server that writes.
DOORS: dict[str, Callable[[GitServer, Path], object]] = {
    "ensure_repository": lambda git_server, tmp: git_server.ensure_repository(),
    "fill": lambda git_server, tmp: git_server.fill(_folder(tmp), "m"),
    "commit": lambda git_server, tmp: git_server.commit({"a.txt": "a"}, "m"),
    "revert": lambda git_server, tmp: git_server.revert(git_server.head() or ""),
}


def _folder(tmp: Path) -> Path:
    (tmp / "tree").mkdir()
    (tmp / "tree" / "a.txt").write_text("a", encoding="utf-8")
    return tmp / "tree"


def _state(server: str, nonce: str = NONCE, *, adopted: bool = False) -> ClusterState:
    return ClusterState(
        name=CLUSTER_NAME,
        nonce=nonce,
        server=server,
        adopted=adopted,
        created_at=datetime.now(UTC),
        forge_url="http://x",
    )


def _connect(
    file: Path, server: str, state: ClusterState | None, proxy: str = "", context: str | None = None
) -> Cluster:
    """A client as the suite makes it; everything that is not on loopback is really sent, to ``proxy``."""
    content = kubeconfig_for(server)
    if proxy:
        content["clusters"][0]["cluster"]["proxy-url"] = proxy
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return Cluster.from_kubeconfig(file, state, context)


def assert_refused(
    cluster: Cluster, *servers: ApiServer, unreadable: bool = False, by: type[NeuroscaleError] = WriteForbidden
) -> str:
    """Every verb is refused and nothing arrives; hands back the guard's sentence.

    ``unreadable`` is for addresses at which nobody answers, where a verb fails before it comes to the guard.
    """
    for verb in VERBS.values():
        with pytest.raises((WriteForbidden, ClusterUnreachable, ApiError) if unreadable else by):
            verb(cluster)
    with pytest.raises(by) as caught:
        cluster.assert_writable("git push")
    said = str(caught.value)
    assert "was not sent" in said
    assert "Next: " in said
    assert [write for server in servers for write in server.writes] == []
    return said


def assert_lawful(cluster: Cluster, server: ApiServer) -> None:
    """Every verb arrives."""
    for verb in VERBS.values():
        server.objects.pop("/api/v1/namespaces/scratch", None)
        before = len(server.writes)
        if verb not in (VERBS["create"], VERBS["dry run"], VERBS["apply"]):
            server.put("/api/v1/namespaces/scratch", OBJECT)
        verb(cluster)
        assert len(server.writes) == before + 1
    cluster.assert_writable("git push")


# --- the marker

ABSENT = (404, b'{"kind": "Status", "reason": "NotFound", "message": "no"}', {})
MARKERS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "absent": ABSENT,
    "forbidden": (403, b'{"kind": "Status", "reason": "Forbidden", "message": "no"}', {}),
    "unauthorized": (401, b"Unauthorized", {}),
    "bad gateway": (502, b"oops", {}),
    "of another run": (200, b'{"data": {"nonce": "ffffffffffffffffffffffffffffffff"}}', {}),
    "without data": (200, b'{"metadata": {"name": "neuroscale-marker"}}', {}),
    "with null data": (200, b'{"data": null}', {}),
    "with empty data": (200, b'{"data": {}}', {}),
    "with empty nonce": (200, b'{"data": {"nonce": ""}}', {}),
    "with null nonce": (200, b'{"data": {"nonce": null}}', {}),
    "with half the nonce": (200, b'{"data": {"nonce": "%s"}}' % NONCE[:16].encode(), {}),
    "with a longer nonce": (200, b'{"data": {"nonce": "%s0"}}' % NONCE.encode(), {}),
    "with a newline after the nonce": (200, b'{"data": {"nonce": "%s\\n"}}' % NONCE.encode(), {}),
    "with the nonce in capitals": (200, b'{"data": {"nonce": "%s"}}' % NONCE.upper().encode(), {}),
    "with the nonce as a list": (200, b'{"data": {"nonce": ["%s"]}}' % NONCE.encode(), {}),
    "with the nonce elsewhere": (
        200,
        b'{"data": {"Nonce": "%s"}, "nonce": "%s"}' % (NONCE.encode(), NONCE.encode()),
        {},
    ),
    "that is a page": (200, b"<html>Sign in</html>", {}),
    "that is a list": (200, b"[]", {}),
    "that is a redirect": (307, b"", {"Location": "http://127.0.0.1:1/"}),
    "that is empty": (200, b"", {}),
}


@pytest.mark.parametrize("answer", MARKERS.values(), ids=list(MARKERS))
def test_a_cluster_without_our_marker_is_not_written_to(
    answer: tuple[int, bytes, dict[str, str]], api: ApiServer, cluster: Cluster
) -> None:
    lawful = dict(api.answers)
    api.answers[f"GET {MARKER_PATH}"] = answer
    assert_refused(cluster, api)
    api.answers = lawful
    assert_lawful(cluster, api)


def test_a_marker_that_never_comes_is_no_marker(api: ApiServer, cluster: Cluster) -> None:
    def hang_up(method: str, path: str) -> None:
        if path == MARKER_PATH:
            raise ConnectionAbortedError

    api.before = hang_up
    assert "cannot be read" in assert_refused(cluster, api, by=ClusterUnreachable)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_a_busy_api_server_forbids_nothing_and_nothing_is_written(
    status: int, api: ApiServer, cluster: Cluster
) -> None:
    api.answers[f"GET {MARKER_PATH}"] = (status, b"oops", {})
    assert "cannot be read" in assert_refused(cluster, api, by=ApiError)


def test_an_api_server_that_is_slow_to_say_whose_it_is_is_asked_again(cluster: Cluster) -> None:
    """A wait goes on after it, as after any read that took too long; a guard's refusal would end it."""

    def slow(path: str) -> Object:
        raise ApiServerSlow(f"{path}: Read timed out")

    with pytest.raises(ApiServerSlow, match=r"was not sent.*cannot be read.*timed out"):
        MarkerGuard(cluster.server, NONCE).allow("POST", "/api/v1/namespaces", cluster.server, slow)


@pytest.mark.parametrize("nonce", ["", " "])
def test_an_empty_nonce_matches_nothing(nonce: str, api: ApiServer, tmp_path: Path) -> None:
    for data in ({"nonce": ""}, {}, None):
        api.objects[MARKER_PATH]["data"] = data
        assert_refused(_connect(tmp_path / "k", api.url, _state(api.url, nonce)), api)


@given(nonce=st.text(max_size=40))
@hypothesis_settings(max_examples=40)
def test_only_the_very_nonce_opens(nonce: str) -> None:
    lock, read = MarkerGuard("http://127.0.0.1:1", NONCE), {"data": {"nonce": nonce}}
    if nonce == NONCE:
        return
    with pytest.raises(WriteForbidden):
        lock.allow("POST", "/api/v1/namespaces", "http://127.0.0.1:1", lambda _: read)
    lock.allow("POST", "/api/v1/namespaces", "http://127.0.0.1:1", lambda _: {"data": {"nonce": NONCE}})


def test_a_cluster_replaced_behind_the_same_address_is_left_alone(api: ApiServer, cluster: Cluster) -> None:
    cluster.create(OBJECT)
    assert api.writes == ["POST /api/v1/namespaces"]
    api.objects[MARKER_PATH]["data"] = {"nonce": "f" * 32}
    api.writes.clear()
    assert "another run" in assert_refused(cluster, api)


def test_a_marker_is_asked_for_at_each_write(api: ApiServer, cluster: Cluster) -> None:
    asked: list[str] = []
    api.before = lambda method, path: asked.append(path) if path == MARKER_PATH else None
    for number in range(3):
        cluster.create({**OBJECT, "metadata": {"name": f"n{number}"}})
    assert len(asked) == len(api.writes) == 3


# --- the kubeconfig

CONTEXTS = [
    "k3d-neuroscale",
    "k3d-production",
    "prod-eu-west-1",
    "kind-kind",
    "docker-desktop",
    "default",
    "neuroscale",
]


@pytest.mark.parametrize("server", ["", "127.0.0.1:6443", "https://", "https://[::1", "https://a:b", "ftp://a"])
def test_a_kubeconfig_whose_server_is_no_address_is_a_usage_error(server: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(kubeconfig_for(server)), encoding="utf-8")
    with pytest.raises(UsageError, match="should name a cluster, but"):
        Cluster.from_kubeconfig(file, None)


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_name_of_a_context_means_nothing(context: str, api: ApiServer, tmp_path: Path) -> None:
    """Neither does a local-looking name open another server, nor a foreign-looking one close ours."""
    file = tmp_path / "kubeconfig"
    with ApiServer(NONCE) as foreign:
        file.write_text(yaml.safe_dump(kubeconfig_for(foreign.url, context)), encoding="utf-8")
        assert "cluster is at" in assert_refused(Cluster.from_kubeconfig(file, _state(api.url), context), api, foreign)
    file.write_text(yaml.safe_dump(kubeconfig_for(api.url, context)), encoding="utf-8")
    assert_lawful(Cluster.from_kubeconfig(file, _state(api.url), context), api)


def test_the_current_context_of_a_kubeconfig_with_two(api: ApiServer, tmp_path: Path) -> None:
    with ApiServer(NONCE) as foreign:
        content, other = kubeconfig_for(api.url, "k3d-neuroscale"), kubeconfig_for(foreign.url, "other")
        content["clusters"].append({**other["clusters"][0], "name": "d"})
        content["contexts"].append({"name": "other", "context": {"cluster": "d", "user": "u"}})
        content["current-context"] = "other"
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        assert_refused(Cluster.from_kubeconfig(file, _state(api.url)), api, foreign)
        assert_lawful(Cluster.from_kubeconfig(file, _state(api.url), "k3d-neuroscale"), api)
        assert foreign.writes == []


def test_a_kubeconfig_switched_between_connecting_and_writing(
    api: ApiServer, cluster: Cluster, kubeconfig: Path
) -> None:
    with ApiServer(NONCE) as foreign:
        kubeconfig.write_text(yaml.safe_dump(kubeconfig_for(foreign.url)), encoding="utf-8")
        assert_lawful(cluster, api)
        assert foreign.writes == []


def test_a_kubeconfig_switched_between_guard_and_write(api: ApiServer, cluster: Cluster, kubeconfig: Path) -> None:
    with ApiServer(NONCE) as foreign:
        switched = yaml.safe_dump(kubeconfig_for(foreign.url))

        def switch(method: str, path: str) -> None:
            if path == MARKER_PATH:
                kubeconfig.write_text(switched, encoding="utf-8")

        api.before = switch
        assert_lawful(cluster, api)
        assert kubeconfig.read_text(encoding="utf-8") == switched
        assert foreign.writes == []


def test_a_machine_that_made_no_cluster_only_reads(api: ApiServer, kubeconfig: Path) -> None:
    cluster = Cluster.from_kubeconfig(kubeconfig, None)
    assert "made no such cluster" in assert_refused(cluster, api)
    assert cluster.get(Ref("ConfigMap", "neuroscale-marker", "kube-system")) is not None


def test_a_redirect_does_not_carry_a_write_away(api: ApiServer, cluster: Cluster) -> None:
    with ApiServer(NONCE) as foreign:
        for status in (301, 302, 307, 308):
            api.answers["POST /api/v1/namespaces"] = (status, b"", {"Location": f"{foreign.url}/api/v1/namespaces"})
            with pytest.raises(Exception, match=str(status)):
                cluster.create(OBJECT)
        assert foreign.writes == []
        assert foreign.objects.keys() == {MARKER_PATH}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "just words",
        "clusters: 3",
        "current-context: gone\ncontexts: []\nclusters: []\nusers: []",
        "{",
        "\x00",
    ],
)
def test_what_is_no_kubeconfig_is_said_to_be_none(content: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="should name a cluster"):
        Cluster.from_kubeconfig(file, None)


# --- the address

#: Servers that are not ours, with names that would like to be taken for local ones.
FOREIGN = [
    "http://prod.example.com:6443",
    "http://k3d-neuroscale.prod.example.com:6550",
    "http://localhost.example.com:6550",
    "http://127.0.0.1.example.com:6550",
    "http://127.0.0.1.nip.io:6550",
    "http://localhost.:6550",
    "http://127.0.0.1@prod.example.com:6443",
    "http://localhost:6550@prod.example.com",
    "http://prod.example.com\\@127.0.0.1:6550",
    "http://kubernetes.docker.internal:6443",
    "http://host.docker.internal:6443",
    "http://10.0.0.1:6443",
    "http://192.168.1.10:6443",
    "http://172.16.0.1:6443",
    "http://172.19.0.5:6443",
    "http://100.64.0.1:6443",
    "http://169.254.169.254",
    "http://0.0.0.0:6550",
    "http://203.0.113.7:6550",
    "http://128.0.0.1:6550",
    "http://126.255.255.255:6550",
    "http://[2001:db8::1]:6443",
    "http://[fe80::1]:6443",
    "http://[::ffff:10.0.0.1]:6443",
    "http://[::]:6443",
    "http://2130706433:6550",
    "http://0x7f000001:6550",
    "http://127.1:6550",
    "http://prod:6443/127.0.0.1",
    "http://prod.example.com:6443?h=127.0.0.1",
]


@pytest.fixture(scope="module")
def wire() -> Iterator[ApiServer]:
    """Where everything that is sent to a foreign name arrives; it answers with the right marker."""
    with ApiServer(NONCE) as server:
        yield server


@pytest.fixture
def one_docker_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "docker_networks", lambda: [ipaddress.IPv4Network("172.18.0.0/16")])


@pytest.mark.usefixtures("one_docker_network")
@pytest.mark.parametrize("server", FOREIGN)
def test_a_server_that_is_not_local_is_not_written_to(server: str, wire: ApiServer, tmp_path: Path) -> None:
    """Even if the state file names it and it has the marker."""
    cluster = _connect(tmp_path / "k", server, _state(server), wire.url)
    wire.writes.clear()
    odd = "\\" in server or server.count("/") > 2 or "?" in server
    assert "neither loopback" in assert_refused(cluster, wire, unreadable=odd)


@pytest.mark.usefixtures("one_docker_network")
def test_a_server_on_a_docker_network_is_written_to(wire: ApiServer, tmp_path: Path) -> None:
    server = "http://172.18.0.5:6443"
    wire.writes.clear()
    assert_lawful(_connect(tmp_path / "k", server, _state(server), wire.url), wire)


def test_a_server_that_was_adopted_is_written_to(wire: ApiServer, tmp_path: Path) -> None:
    server = "http://lab.example.com:6443"
    wire.writes.clear()
    assert_lawful(_connect(tmp_path / "k", server, _state(server, adopted=True), wire.url), wire)


@pytest.mark.parametrize(
    "other", ["http://lab2.example.com:6443", "http://lab.example.com:6444", "http://lab.example.com"]
)
def test_adoption_is_of_one_server_only(other: str, wire: ApiServer, tmp_path: Path) -> None:
    wire.writes.clear()
    cluster = _connect(tmp_path / "k", other, _state("http://lab.example.com:6443", adopted=True), wire.url)
    assert_refused(cluster, wire)


def test_adoption_needs_the_marker_too(wire: ApiServer, tmp_path: Path) -> None:
    server = "http://lab.example.com:6443"
    wire.writes.clear()
    assert_refused(_connect(tmp_path / "k", server, _state(server, "f" * 32, adopted=True), wire.url), wire)
    assert_lawful(_connect(tmp_path / "k", server, _state(server, adopted=True), wire.url), wire)


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
local_looking = st.sampled_from(["localhost", "127.0.0.1", "k3d", "loopback", "0x7f000001", "docker", "::1"])
addresses = st.ip_addresses().filter(lambda address: not address.is_loopback and address not in _DOCKER)
_DOCKER = ipaddress.ip_network("172.18.0.0/16")
hosts = st.one_of(
    st.builds("{}.{}.example.com".format, labels, labels),
    st.builds(lambda check, label: f"{check}.{label}.example.com".replace(":", "-"), local_looking, labels),
    st.builds(lambda check, label: f"{check}@{label}.example.com".replace("::1", "[::1]"), local_looking, labels),
    st.builds(lambda check, label: f"{check}:6550@{label}.example.com".replace("::1", "u"), local_looking, labels),
    st.builds(lambda label, check: f"{label}.example.com\\@{check}".replace("::1", "[::1]"), labels, local_looking),
    addresses.map(lambda address: f"[{address}]" if address.version == 6 else str(address)),
)
servers = st.builds(lambda host, port: f"http://{host}:{port}", hosts, st.integers(1, 65535))


@given(server=servers)
@hypothesis_settings(max_examples=25)
def test_no_generated_foreign_server_is_written_to(server: str, wire: ApiServer, tmp_path: Path) -> None:
    wire.writes.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "docker_networks", lambda: [_DOCKER])
        try:
            cluster = _connect(tmp_path / "k", server, _state(server), wire.url)
        except UsageError:  # no address at all, to some versions of Python
            assert wire.writes == []
            return
        assert_refused(cluster, wire, unreadable="\\" in server)


@pytest.mark.parametrize("server", ["http://[v.example:6443", "http://[a.example.com]:6443"])
def test_an_address_that_is_none_is_a_usage_error_or_never_reached(
    server: str, wire: ApiServer, tmp_path: Path
) -> None:
    wire.writes.clear()
    with pytest.raises((UsageError, WriteForbidden)):
        _connect(tmp_path / "k", server, _state(server), wire.url).create(OBJECT)
    assert wire.writes == []


@given(address=st.one_of(st.ip_addresses(network="127.0.0.0/8"), st.just(ipaddress.ip_address("::1"))))
@hypothesis_settings(max_examples=20)
def test_loopback_is_local(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    assert is_local(f"https://{host}:6550", [])
    assert is_local("https://localhost:6550", [])


def test_one_of_several_docker_networks_is_enough() -> None:
    networks = [ipaddress.IPv4Network("172.17.0.0/16"), ipaddress.IPv4Network("172.18.0.0/16")]
    assert is_local("https://172.18.0.5:6443", networks)
    assert not is_local("https://172.19.0.5:6443", networks)


def test_nobody_has_adopted_a_server_unless_somebody_says_so() -> None:
    guard = MarkerGuard("http://lab.example.com:6443", NONCE)
    with pytest.raises(WriteForbidden, match="neither loopback"):
        guard.allow("POST", "/api/v1/namespaces", guard.server, lambda _: {"data": {"nonce": NONCE}})


def test_only_bridges_that_docker_names_are_docker_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home or data-centre network behind a bridge called br-lan is not the local Docker engine's."""

    class Address:
        def __init__(self, address: str) -> None:
            self.family, self.address, self.netmask = _Family, address, "255.255.0.0"

    class _Family:
        name = "AF_INET"

    interfaces = {
        "docker0": "172.17.0.1",
        "br-0a1b2c3d4e5f": "172.18.0.1",
        "br-lan": "192.168.0.1",
        "br-ex": "10.20.0.1",
        "eth0": "10.0.0.1",
    }
    found = {name: [Address(address)] for name, address in interfaces.items()}
    monkeypatch.setattr("neuroscale.cluster.guard.psutil.net_if_addrs", lambda: found)
    assert [str(network) for network in docker_networks()] == ["172.17.0.0/16", "172.18.0.0/16"]


def test_a_proxy_of_the_environment_does_not_stand_before_loopback(
    api: ApiServer, wire: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said to be on loopback must be reached there."""
    monkeypatch.setenv("HTTP_PROXY", wire.url)
    monkeypatch.setenv("http_proxy", wire.url)
    wire.writes.clear()
    assert_lawful(_connect(tmp_path / "k", api.url, _state(api.url)), api)
    assert wire.writes == []


# --- the other doors


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("case", ["marker of another run", "no marker", "no state"])
def test_the_git_server_is_closed_when_the_cluster_is(
    name: str, case: str, api: ApiServer, toy_platform: Platform, repository: Path
) -> None:
    cluster, tmp_path = toy_platform.cluster, repository.parents[2]
    match case:
        case "marker of another run":
            api.objects[MARKER_PATH]["data"] = {"nonce": "f" * 32}
        case "no marker":
            del api.objects[MARKER_PATH]
        case "no state":
            cluster = Cluster.from_kubeconfig(tmp_path / "kubeconfig", None)
    with ApiServer() as web:
        url = web.url if name == "ensure_repository" else f"file://{repository.parent.parent}"
        before = git("-C", str(repository), "show-ref")
        with pytest.raises(WriteForbidden):
            DOORS[name](GitServer(cluster, url), tmp_path)
        assert git("-C", str(repository), "show-ref") == before
        assert web.writes == []


@pytest.mark.parametrize("name", sorted(set(DOORS) - {"ensure_repository"}))
def test_a_lawful_push_arrives(name: str, toy_platform: Platform, repository: Path, tmp_path: Path) -> None:
    toy_platform.git_server.commit({"b.txt": "b"}, "Something to revert")
    before = git("-C", str(repository), "show-ref")
    assert DOORS[name](toy_platform.git_server, tmp_path)
    assert git("-C", str(repository), "show-ref") != before


def test_a_lawful_repository_is_created(toy_platform: Platform) -> None:
    with ApiServer() as web:
        exists = (409, b"{}", {})
        web.answers = {"POST /api/v1/orgs": exists, "POST /api/v1/orgs/neuroscale/repos": exists}
        GitServer(toy_platform.cluster, web.url).ensure_repository()
        assert web.writes == ["POST /api/v1/orgs", "POST /api/v1/orgs/neuroscale/repos"]


def test_a_repository_that_is_there_is_left_alone(toy_platform: Platform) -> None:
    with ApiServer() as web:
        web.answers = {"GET /api/v1/repos/neuroscale/platform": (200, b"{}", {})}
        GitServer(toy_platform.cluster, web.url).ensure_repository()
        assert web.writes == []


def test_adopting_writes_the_marker_and_nothing_else(api: ApiServer, tmp_path: Path) -> None:
    del api.objects[MARKER_PATH]
    file = tmp_path / "theirs"
    file.write_text(yaml.safe_dump(kubeconfig_for(api.url, "lab")), encoding="utf-8")
    mark(file, "lab", NONCE, datetime.now(UTC))
    assert api.writes == [f"PATCH {MARKER_PATH}"]
    assert api.objects[MARKER_PATH]["data"]["nonce"] == NONCE


def test_an_adopted_cluster_is_reached_wherever_its_kubeconfig_was(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths in a kubeconfig are relative to its folder, and the copy is in another one."""
    (tmp_path / "theirs").mkdir()
    file = tmp_path / "theirs" / "config"
    content = kubeconfig_for(api.url, "lab")
    content["users"][0]["user"] = {"tokenFile": "secrets/token"}
    (tmp_path / "theirs" / "secrets").mkdir()
    (tmp_path / "theirs" / "secrets" / "token").write_text("abc")
    content["clusters"][0]["cluster"]["certificate-authority"] = str(tmp_path / "ca.crt")
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path / "theirs")
    mark(Path("config"), "lab", NONCE, datetime.now(UTC))
    monkeypatch.chdir(tmp_path)
    copy = yaml.safe_load(kubeconfig_file().read_text())
    assert copy["users"][0]["user"]["tokenFile"] == str(tmp_path / "theirs" / "secrets" / "token")
    assert copy["clusters"][0]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")
    assert copy["current-context"] == "lab"
    assert kubeconfig_file().stat().st_mode & 0o777 == 0o600
    assert_lawful(Cluster.from_kubeconfig(kubeconfig_file(), load_state()), api)


def test_a_cluster_that_cannot_be_marked_is_not_remembered(api: ApiServer, kubeconfig: Path) -> None:
    api.answers[f"PATCH {MARKER_PATH}"] = (403, b'{"reason": "Forbidden"}', {})
    with pytest.raises(ApiError):
        mark(kubeconfig, None, NONCE, datetime.now(UTC))
    assert load_state() is None


@pytest.mark.parametrize("nonce", ["", "yes", "0" * 31, "0" * 33, "G" * 32, NONCE + "\n"])
def test_adopting_wants_the_nonce_that_was_printed(nonce: str, api: ApiServer, kubeconfig: Path) -> None:
    with pytest.raises(UsageError):
        mark(kubeconfig, None, nonce, datetime.now(UTC))
    assert api.writes == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "WRITE", "post", "CONNECT"])
def test_every_method_but_the_reading_ones_is_a_write(method: str) -> None:
    with pytest.raises(WriteForbidden):
        DenyWrites("no").allow(method, "/", "http://127.0.0.1:1", lambda _: {})
    for read in ("GET", "HEAD", "OPTIONS"):
        DenyWrites("no").allow(read, "/", "http://127.0.0.1:1", lambda _: {})
