"""The cluster that k3d makes: ours or left alone, kept when it can be, recreated when it cannot."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from apiserver import ApiServer, kubeconfig_for

from neuroscale.cluster import k3d, ports, shares
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.guard import MARKER_PATH, marker
from neuroscale.cluster.k3d import LABEL, ApiReady, assert_ours, delete, ensure, import_images
from neuroscale.cluster.ports import Port, free_ports, moved
from neuroscale.cluster.state import ClusterState, kubeconfig_file, load_state, state_file
from neuroscale.components import PORTS
from neuroscale.errors import ClusterUnreachable, ConditionTimeout, ExitCode, HostError, WriteForbidden
from neuroscale.settings import CLUSTER_NAME, state_dir
from neuroscale.supply import Provisions

NONCE, IMAGE, NODE = "0123456789abcdef0123456789abcdef", "rancher/k3s:v1", f"k3d-{CLUSTER_NAME}-server-0"
NODES = (NODE, *(f"k3d-{CLUSTER_NAME}-agent-{number}" for number in (0, 1)))
_OURS = f"label=k3d.cluster={CLUSTER_NAME}"
#: How what k3d made is found beside the containers; it does not write on a network whose it is.
_LEFT = {
    "volume": ["--filter", _OURS],
    "network": ["--filter", f"name=^k3d-{CLUSTER_NAME}$", "--filter", "label=app=k3d"],
}
SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class FakeEngine:
    """A Docker that has one node, or none, and remembers what it was asked to do to it."""

    image: str = IMAGE
    running: bool = True
    started_at: str = "2026-01-02T03:04:04.999999999Z"
    labels: dict[str, str] = field(default_factory=lambda: {LABEL: NONCE})
    there: bool = True
    starts: bool = True
    strangers: int = 0
    imported: dict[str, str] = field(default_factory=dict)
    deeds: list[str] = field(default_factory=list)

    def call(self, *arguments: str, within: float = 60) -> str:  # noqa: PLR0911 - an answer to each question
        match arguments:
            case ("ps", "--all", "--quiet", "--filter", selector) if selector == _OURS:
                return "node\nloadbalancer\n" if self.there else ""
            case ("ps", "--all", "--quiet", "--filter", selector):
                assert selector == f"name=^{NODE}$"
                return "node\n" if self.there else ""
            case ("inspect", "node"):
                config = {"Image": self.image, "Labels": self.labels}
                return json.dumps(
                    [{"Config": config, "State": {"Running": self.running, "StartedAt": self.started_at}}]
                )
            case ("volume" | "network" as kind, "ls", "--quiet", *which):
                assert which == _LEFT[kind]
                return f"left-over-{kind}\n"
            case ("network", "inspect", "--format", "{{len .Containers}}", "left-over-network"):
                return f"{self.strangers}\n"
            case ("exec", _, "ctr", "-n", "k8s.io", "images", "ls"):
                lines = (f"{image} a-type {digest} 1.0 MiB -" for image, digest in self.imported.items())
                return "\n".join(["REF TYPE DIGEST SIZE PLATFORMS", *lines])
        self.deeds.append(shlex.join(arguments))
        if arguments[0] == "rm":
            self.there = False
        if arguments[0] == "start":
            if not self.starts:
                raise HostError("`docker start` failed")
            self.running = True
        return ""


@dataclass
class Waits:
    """In place of waiting for an API server: answers at once, or fails so many times."""

    failures: list[Exception] = field(default_factory=list)
    of: list[str] = field(default_factory=list)

    def __call__(self, state: ClusterState) -> None:
        self.of.append(state.nonce)
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(k3d, "_ENGINE", fake)
    return fake


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    fake = Waits()
    monkeypatch.setattr(k3d, "_wait_ready", fake)
    return fake


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Where the fake k3d writes down each of its command lines."""
    return tmp_path / "asked"


@pytest.fixture
def provisions(tmp_path: Path, asked: Path) -> Provisions:
    program = tmp_path / "k3d"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >>{asked}\n[ -z "$FAIL" ] || {{ echo no >&2; exit 1; }}\necho {{}}\n'
    )
    program.chmod(0o755)
    return Provisions(
        supply="registry",
        binaries={"k3d": program},
        node_image=IMAGE,
        node_args=("--disable=traefik",),
        k3d_args=("--no-lb",),
        k3d_env={},
        image_tarballs=(tmp_path / "a" / "images.tar", tmp_path / "b" / "images.tar"),
        images={"nginx": "nginx:1"},
        manifests={},
        versions={"k3s": "v1"},
    )


@pytest.fixture
def ours() -> ClusterState:
    """What this machine remembers of the node."""
    state = ClusterState(
        name=CLUSTER_NAME,
        nonce=NONCE,
        server="https://127.0.0.1:6550",
        created_at=datetime.now(UTC),
        forge_url="http://f",
    )
    state.save()
    return state


# --- ensure


def test_a_cluster_that_runs_is_reused(
    engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert (ensured.how, ensured.state) == ("reused", ours)
    assert waits.of == [NONCE]
    assert engine.deeds == []


@pytest.mark.parametrize(
    ("labels", "words"),
    [({LABEL: "of-somebody-else"}, "another nonce"), ({}, "no nonce"), ({"k3d.role": "s"}, "no nonce")],
)
@pytest.mark.usefixtures("waits")
def test_a_cluster_that_is_not_ours_is_left_alone(
    labels: dict[str, str], words: str, engine: FakeEngine, provisions: Provisions, ours: ClusterState
) -> None:
    engine.labels, engine.running, engine.image = labels, False, "rancher/k3s:v0"
    said = rf'"{CLUSTER_NAME}" should be one that this suite made.*{words}.*left alone.*Next: '
    with pytest.raises(WriteForbidden, match=said) as caught:
        ensure(provisions, SINCE, ports=PORTS)
    assert caught.value.exit_code == ExitCode.REFUSED
    with pytest.raises(WriteForbidden, match="left alone"):
        delete()
    with pytest.raises(WriteForbidden, match=said):
        assert_ours()
    assert engine.deeds == []
    assert load_state() == ours
    ours.model_copy(update={"adopted": True}).save()
    assert_ours()


def test_a_cluster_that_this_machine_does_not_remember_is_not_ours(
    engine: FakeEngine, waits: Waits, provisions: Provisions
) -> None:
    with pytest.raises(WriteForbidden):
        ensure(provisions, SINCE, ports=PORTS)
    with pytest.raises(WriteForbidden):
        delete()
    assert engine.deeds == []


def test_a_stopped_cluster_is_resumed(
    engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    engine.running = False
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert (ensured.how, ensured.why, ensured.state) == ("resumed", "its node was stopped", ours)
    assert engine.deeds == [f"start {NODE}"]
    assert waits.of == [NONCE]


def test_a_cluster_that_docker_took_up_again_was_stopped_too(
    engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    engine.started_at = "2026-01-02T03:04:06.123456789Z"
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert (ensured.how, ensured.why, ensured.state) == ("resumed", "its node was stopped", ours)
    assert engine.deeds == []


def test_a_cluster_of_another_image_is_recreated(
    engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState, asked: Path
) -> None:
    engine.image = "rancher/k3s:v0"
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert (ensured.how, ensured.why) == ("recreated", f"its node image rancher/k3s:v0 is not {IMAGE}")
    assert ensured.state.nonce != NONCE
    assert engine.deeds == [
        "rm --force --volumes node loadbalancer", "volume rm left-over-volume", "network rm left-over-network",
        WEIGHED,
    ]  # fmt: skip
    assert asked.read_text().startswith(f"cluster create {CLUSTER_NAME} ")


@pytest.mark.parametrize("failure", [ConditionTimeout("it is not Ready"), ClusterUnreachable("no answer")])
def test_a_cluster_that_does_not_answer_is_recreated(
    failure: Exception, engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    waits.failures = [failure]
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert (ensured.how, ensured.why) == ("recreated", f"its API server did not answer: {failure}")
    assert waits.of == [NONCE, ensured.state.nonce]


@pytest.mark.parametrize("starts", [True, False])
def test_a_stopped_cluster_that_does_not_come_back_is_recreated(
    starts: bool, engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    engine.running, engine.starts = False, starts
    waits.failures = [ConditionTimeout("it is not Ready")] if starts else []
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert ensured.how == "recreated"
    assert ensured.why.startswith("the stopped cluster did not come back: ")


# --- a new one


def test_a_new_cluster_is_born_with_what_proves_it_ours(
    engine: FakeEngine, waits: Waits, provisions: Provisions, asked: Path
) -> None:
    engine.there = False
    ensured = ensure(provisions, SINCE, ports=PORTS)
    state, ports = ensured.state, ensured.state.ports
    assert ensured.how == "created"
    assert ports is not None
    assert load_state() == state
    assert (state.server, state.forge_url) == (
        f"https://127.0.0.1:{ports['api']}",
        f"http://127.0.0.1:{ports['forge']}",
    )
    assert (state.versions, state.tarballs) == ({"k3s": "v1"}, [str(file) for file in provisions.image_tarballs])

    file = state_dir() / "marker.yaml"
    assert yaml.safe_load(file.read_text()) == marker(state.nonce, CLUSTER_NAME)
    assert file.stat().st_mode & 0o777 == kubeconfig_file().stat().st_mode & 0o777 == 0o600

    script = state_dir() / "shares.sh"
    assert script.stat().st_mode & 0o111, "the node's entrypoint runs it"
    assert WEIGHED in engine.deeds

    create, kubeconfig = asked.read_text().splitlines()
    assert kubeconfig == f"kubeconfig get {CLUSTER_NAME}"
    for words in (
        f"--image {IMAGE}",
        f"--api-port 127.0.0.1:{ports['api']}",
        "--kubeconfig-update-default=false --kubeconfig-switch-context=false",
        f"--runtime-label {LABEL}={state.nonce}@server:0",
        f"--volume {file}:/var/lib/rancher/k3s/server/manifests/marker.yaml@server:0",
        f"--volume {script}:/bin/k3d-entrypoint-shares.sh:ro@server:0",
        f"--port 127.0.0.1:{ports['forge']}:30300@server:0:direct",
        f"--volume {provisions.image_tarballs[0]}:/var/lib/rancher/k3s/agent/images/0-images.tar:ro@server:0",
        f"--volume {provisions.image_tarballs[1]}:/var/lib/rancher/k3s/agent/images/1-images.tar:ro@server:0",
        "--k3s-arg --disable=traefik@server:0",
    ):
        assert words in create
    assert create.endswith("--no-lb")


# --- one of another shape


def test_three_nodes_have_networks_of_their_own_and_the_images_each(
    engine: FakeEngine, waits: Waits, provisions: Provisions, asked: Path
) -> None:
    engine.there = False
    args = ("--disable=traefik", "--kubelet-arg=image-gc-high-threshold=100")
    built = replace(provisions, shape="three-nodes", node_args=args, flannel=False)
    ensured = ensure(built, SINCE, ports=PORTS)
    assert load_state() == ensured.state
    assert ensured.state.shape == "three-nodes"
    create, everywhere = asked.read_text().splitlines()[0], "server:0;agent:*"
    for words in (
        "--agents 2",
        "--k3s-arg --disable=traefik@server:0",
        f"--k3s-arg --kubelet-arg=image-gc-high-threshold=100@{everywhere}",
        "--k3s-arg --cluster-cidr=10.62.0.0/16@server:0",
        "--k3s-arg --service-cidr=10.63.0.0/16@server:0",
        "--k3s-arg --cluster-dns=10.63.0.10@server:0",
        f"/var/lib/rancher/k3s/agent/images/1-images.tar:ro@{everywhere}",
        f"{state_dir() / 'pod-network.sh'}:/bin/k3d-entrypoint-pod-network.sh:ro@{everywhere}",
        f"{state_dir() / 'bridge-agent-1.conflist'}:/etc/cni/net.d/10-bridge.conflist:ro@agent:1",
        f"{LABEL}={ensured.state.nonce}@server:0",
    ):
        assert words in create
    parts = {file.name: file.read_text() for file in state_dir().glob("bridge-*.conflist")}
    assert {name: re.findall(r"10\.62\.\d+\.0/24", text) for name, text in parts.items()} == {
        "bridge-server-0.conflist": ["10.62.0.0/24"],
        "bridge-agent-0.conflist": ["10.62.1.0/24"],
        "bridge-agent-1.conflist": ["10.62.2.0/24"],
    }
    script = state_dir() / "pod-network.sh"
    assert script.stat().st_mode & 0o111
    assert "ip route replace 10.62.0.0/16 dev eth0" in script.read_text()
    assert [f"update --cpu-shares 8192 {node}" for node in NODES] == [one for one in engine.deeds if "update" in one]


def test_nodes_that_have_flannel_need_no_bridges(
    engine: FakeEngine, waits: Waits, provisions: Provisions, asked: Path
) -> None:
    engine.there = False
    ensure(replace(provisions, shape="three-nodes"), SINCE, ports=PORTS)
    create = asked.read_text().splitlines()[0]
    assert "--agents 2" in create
    assert "bridge" not in create
    assert "pod-network" not in create


@pytest.mark.usefixtures("waits")
def test_a_cluster_of_another_shape_is_recreated(
    engine: FakeEngine, provisions: Provisions, ours: ClusterState
) -> None:
    ensured = ensure(replace(provisions, shape="three-nodes"), SINCE, ports=PORTS)
    assert (ensured.how, ensured.why) == ("recreated", "its shape is one-node and not three-nodes")
    engine.there = True
    engine.labels = {LABEL: ensured.state.nonce}
    assert ensure(provisions, SINCE, ports=PORTS).why == "its shape is three-nodes and not one-node"


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("running", "started"), [(True, NODES[1:]), (False, (NODES[0], *NODES[1:]))])
def test_all_nodes_run_again(
    running: bool, started: tuple[str, ...], engine: FakeEngine, provisions: Provisions, ours: ClusterState
) -> None:
    engine.running = running
    ours.model_copy(update={"shape": "three-nodes"}).save()
    ensure(replace(provisions, shape="three-nodes"), SINCE, ports=PORTS)
    deeds = [shlex.split(deed)[1:] for deed in engine.deeds if deed.startswith("start ")]
    assert [name for deed in deeds for name in deed] == list(started)


@pytest.mark.usefixtures("waits")
def test_an_engine_that_does_not_start_an_agent_costs_no_cluster(
    engine: FakeEngine, provisions: Provisions, ours: ClusterState
) -> None:
    ours.model_copy(update={"shape": "three-nodes"}).save()
    engine.starts = False
    with pytest.raises(HostError):
        ensure(replace(provisions, shape="three-nodes"), SINCE, ports=PORTS)
    assert not any(deed.startswith("rm ") for deed in engine.deeds)


@pytest.mark.parametrize(
    ("there", "share", "said"),
    [
        ((), None, ""),  # cgroup v2
        (("cgroup/",), "2048", ""),
        (("cgroup/", "cgroup/k3s/"), "2048", ""),
        # Of whom a file is in the way, nobody can be root enough.
        (("cgroup/", "cgroup/k3s"), None, "k3s weighs as much as one core of pods: its share, 2048, cannot be written"),
    ],
)
def test_a_node_gives_k3s_its_share_or_says_that_it_cannot(
    there: tuple[str, ...], share: str | None, said: str, tmp_path: Path
) -> None:
    for name in there:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).touch()
    log = tmp_path / "log"
    log.touch()
    script = shares._SCRIPT.replace("/sys/fs/cgroup/cpu", str(tmp_path / "cgroup")).replace("/proc/1/fd/2", str(log))
    # k3d gives up a node whose entrypoint fails.
    subprocess.run(["sh", "-c", script], check=True, capture_output=True)
    written = tmp_path / "cgroup" / "k3s" / "cpu.shares"
    assert (written.read_text().strip() if written.exists() else None) == share
    assert log.read_text().count("\n") == bool(said)
    assert log.read_text().startswith(said)


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("imported", [True, False])
def test_what_a_new_cluster_has_imported_is_unpacked_in_the_order_of_need(
    imported: bool, engine: FakeEngine, provisions: Provisions
) -> None:
    engine.there = False
    if imported:
        engine.imported = {"other:1": "sha256:3", "model:1": "sha256:2", "nginx:1": "sha256:1"}
    ensure(
        replace(provisions, images={"nginx": "nginx:1", "pulled": "pulled:1", "model": "model:1"}), SINCE, ports=PORTS
    )
    asked = [shlex.split(deed) for deed in engine.deeds if deed.startswith("exec")]
    assert [deed[-2:] for deed in asked] == [["sha256:1", "sha256:2"]] * imported


def test_a_crash_right_after_the_creation_finds_it_to_be_ours(
    engine: FakeEngine, waits: Waits, provisions: Provisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.there = False
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(HostError, match=r"`k3d cluster create` should succeed, but k3d exited with 1: no\. Next: "):
        ensure(provisions, SINCE, ports=PORTS)
    state = load_state()
    assert state is not None
    assert len(state.nonce) == 32


WEIGHED = f"update --cpu-shares 8192 {NODE}"
REMOVED = ["rm --force --volumes node loadbalancer", "volume rm left-over-volume", "network rm left-over-network"]


def test_a_creation_that_was_cut_short_is_remembered_as_such(
    engine: FakeEngine, waits: Waits, provisions: Provisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.there, waits.failures = False, [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        ensure(provisions, SINCE, ports=PORTS)
    half = load_state()
    assert half is not None
    assert not half.complete
    whole = ensure(provisions, SINCE, ports=PORTS).state
    assert load_state() == whole
    assert whole.complete


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize("running", [True, False])
def test_what_is_left_of_a_creation_that_was_cut_short_is_no_cluster(
    running: bool, engine: FakeEngine, provisions: Provisions, ours: ClusterState, asked: Path
) -> None:
    ours.model_copy(update={"complete": False}).save()
    engine.running = running
    ensured = ensure(provisions, SINCE, ports=PORTS)
    assert ensured.how == "created"
    assert ensured.state.nonce != NONCE
    assert engine.deeds == [*REMOVED, WEIGHED]
    assert asked.read_text().startswith(f"cluster create {CLUSTER_NAME} ")


@pytest.mark.usefixtures("waits")
def test_what_is_left_without_a_node_goes_as_well(engine: FakeEngine, ours: ClusterState) -> None:
    engine.there = False
    ours.model_copy(update={"complete": False}).save()
    assert not delete()
    assert engine.deeds == REMOVED[1:]
    assert load_state() is None


def test_half_of_somebody_elses_cluster_is_left_alone(
    engine: FakeEngine, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    engine.labels = {LABEL: "of-somebody-else"}
    ours.model_copy(update={"complete": False}).save()
    for deed in (lambda: ensure(provisions, SINCE, ports=PORTS), delete):
        with pytest.raises(WriteForbidden):
            deed()
    assert engine.deeds == []


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(
    ("script", "why"), [(None, "No such file or directory"), ("#!/bin/sh\nexec sleep 9", "did not end within")]
)
def test_a_k3d_that_does_not_run_says_why(
    engine: FakeEngine, provisions: Provisions, monkeypatch: pytest.MonkeyPatch, script: str | None, why: str
) -> None:
    engine.there = False
    monkeypatch.setattr(k3d, "_COMMAND_SECONDS", 0.2)
    provisions.binaries["k3d"].unlink() if script is None else provisions.binaries["k3d"].write_text(script)
    with pytest.raises(
        HostError, match=rf"`k3d cluster create` should succeed, but k3d .*{why}.*\. Next: docker info$"
    ):
        ensure(provisions, SINCE, ports=PORTS)


def test_the_journal_of_an_earlier_cluster_is_not_replayed_on_a_new_one(
    engine: FakeEngine, waits: Waits, provisions: Provisions
) -> None:
    engine.there = False
    journal = state_dir() / "journal.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text("{}\n")
    ensure(provisions, SINCE, ports=PORTS)
    assert not journal.exists()


# --- delete


def test_deleting_takes_everything_of_ours(engine: FakeEngine, ours: ClusterState) -> None:
    for file in ("kubeconfig", "journal.jsonl"):
        (state_dir() / file).write_text("")
    assert delete()
    assert engine.deeds[0] == "rm --force --volumes node loadbalancer"
    assert load_state() is None
    assert not kubeconfig_file().exists()
    assert not (state_dir() / "journal.jsonl").exists()


def test_a_network_that_somebody_else_uses_stays(engine: FakeEngine, ours: ClusterState) -> None:
    engine.strangers = 1
    assert delete()
    assert engine.deeds == REMOVED[:2]
    assert load_state() is None


def test_deleting_what_is_gone_already_forgets_it(engine: FakeEngine, ours: ClusterState) -> None:
    engine.there = False
    assert not delete()
    assert engine.deeds == REMOVED[1:]
    assert not state_file().exists()


def test_an_adopted_cluster_only_loses_its_marker(api: ApiServer, engine: FakeEngine, state: ClusterState) -> None:
    state.model_copy(update={"adopted": True}).save()
    kubeconfig_file().write_text(yaml.safe_dump(kubeconfig_for(api.url)))
    assert not delete()
    assert api.writes == [f"DELETE {MARKER_PATH}"]
    assert engine.deeds == []
    assert load_state() is None


# --- images, ports, readiness


def test_images_are_imported_once(engine: FakeEngine, ours: ClusterState, tmp_path: Path) -> None:
    tarball = tmp_path / "more.tar"
    state = import_images(ours, [tarball])
    assert [deed.split()[0] for deed in engine.deeds] == ["cp", "exec", "exec"]
    assert state.tarballs == [str(tarball)]
    assert load_state() == state
    engine.deeds.clear()
    assert import_images(state, [tarball]) is state
    assert engine.deeds == []


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine that somebody uses."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def free() -> int:
    """A port that nobody uses."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def test_a_port_that_is_taken_is_replaced(monkeypatch: pytest.MonkeyPatch, taken: int, free: int) -> None:
    monkeypatch.setattr(ports, "_API", ("api", taken))
    chosen = free_ports([Port("forge", "forge", free, 1), Port("argocd", "Argo CD", taken, 2)])
    assert chosen["forge"] == free
    assert list(chosen) == ["api", "forge", "argocd"]
    assert len({*chosen.values(), taken}) == 4


def test_a_replaced_port_is_told() -> None:
    wanted = {"api": 6550, **{port.name: port.host for port in PORTS}}
    assert moved(wanted, PORTS) == ""
    assert moved({**wanted, "gateway": 5}, PORTS) == "port 8082 is taken, gateway is at 5"


def test_no_two_ports_of_components_meet() -> None:
    assert len({"api", *(port.name for port in PORTS)}) == len(PORTS) + 1
    assert len({6550, *(port.host for port in PORTS)}) == len(PORTS) + 1
    assert len({port.node for port in PORTS}) == len(PORTS)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("needed", "how"), [((), "reused"), (("gateway",), "reused"), (("portal",), "recreated")])
def test_a_cluster_older_than_a_port_is_recreated_once_the_port_is_needed(
    needed: tuple[str, ...], how: str, waits: Waits, provisions: Provisions, ours: ClusterState
) -> None:
    ours.model_copy(update={"ports": {"api": 1, "forge": 2, "argocd": 3, "gateway": 4}}).save()
    portal = Port("portal", "portal", 7007, 30700)
    ensured = ensure(provisions, SINCE, ports=[*PORTS, portal], needed=needed)
    assert ensured.how == how
    assert ("made without the port of portal" in ensured.why) == (how == "recreated")
    assert ("portal" in (ensured.state.ports or {})) == (how == "recreated")


def test_the_api_server_is_ready_with_its_node_and_its_marker(api: ApiServer, cluster: Cluster) -> None:
    probe = ApiReady()
    assert probe.check(cluster).state == "pending"
    api.answers["GET /readyz"] = (200, b"ok", {})
    assert probe.check(cluster).observed == "nodes Ready: none, of 1"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0"}}
    condition = {"type": "Ready", "status": "False"}
    api.put("/api/v1/nodes/node-0", {**node, "status": {"conditions": [condition]}})
    assert probe.check(cluster).observed == "nodes Ready: none, of 1"
    pressure = {"type": "MemoryPressure", "status": "False"}
    api.put("/api/v1/nodes/node-0", {**node, "status": {"conditions": [pressure, {**condition, "status": "True"}]}})
    assert probe.check(cluster).observed == "nodes Ready: node-0"
    assert ApiReady(3).check(cluster).observed == "nodes Ready: node-0, of 3"
    api.remove(MARKER_PATH)
    assert (probe.check(cluster).state, "404" in probe.check(cluster).observed) == ("pending", True)
