"""The cluster on this machine, made by k3d: create, resume, recreate, delete.

A cluster is ours when its node container carries the nonce of the local state file as a label. The marker that lawful
writes need is not written by us but born with the cluster: k3s applies it from a file in the node at its first start.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import yaml

from neuroscale.atomic_write import write_atomically
from neuroscale.cluster import shares
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.guard import MARKER_PATH, marker
from neuroscale.cluster.ports import Port, free_ports, moved
from neuroscale.cluster.shapes import SHAPES
from neuroscale.cluster.state import ClusterState, kubeconfig_file, load_state
from neuroscale.errors import ApiError, ClusterUnreachable, HostError, ProgramFailed, WriteForbidden
from neuroscale.host.engine import Engine
from neuroscale.host.programs import output
from neuroscale.kubernetes.refs import Ref
from neuroscale.polling import Verdict, eventually, met, pending
from neuroscale.settings import BUDGETS, CLUSTER_NAME, MARKER_NAME, MARKER_NAMESPACE, state_dir
from neuroscale.supply import Provisions

LABEL = "neuroscale.nonce"
_MANIFESTS = "/var/lib/rancher/k3s/server/manifests"
_IMAGES = "/var/lib/rancher/k3s/agent/images"
_COMMAND_SECONDS = 180
_STOPPED = "its node was stopped"
#: In the node: containerd's client, in the namespace of the kubelet's images.
_CTR = ("ctr", "-n", "k8s.io")
_ENGINE = Engine()


@dataclass(frozen=True)
class ClusterHandle:
    """The cluster that is there now, and how it came to be."""

    state: ClusterState
    how: Literal["reused", "resumed", "created", "recreated", "adopted"]
    why: str = ""


def assert_ours(name: str = CLUSTER_NAME) -> None:
    """Make sure that no cluster of somebody else bears this name; one that was adopted may be anybody's.

    Raises:
        WriteForbidden: One does. It was left alone.
    """
    state = load_state(name)
    if state is None or not state.adopted:
        _ours(name)


def _ours(name: str) -> tuple[ClusterState | None, _Node | None]:
    state, node = load_state(name), _node(name)
    if node is not None and (state is None or state.nonce != node.nonce):
        raise WriteForbidden(
            f'The k3d cluster "{name}" should be one that this suite made, but its node carries '
            f"{'no nonce' if not node.nonce else 'another nonce'}. It was left alone. "
            f"Next: NEUROSCALE_CLUSTER=another-name, "
            f"or k3d cluster delete {name} if you no longer need it"
        )
    return state, node


def ensure(
    provisions: Provisions,
    since: datetime,
    name: str = CLUSTER_NAME,
    *,
    ports: Collection[Port],
    needed: Collection[str] = (),
) -> ClusterHandle:
    """Make sure that our cluster runs and its API server is ready.

    Args:
        provisions: What it is made of.
        since: A node that started later was stopped before: Docker starts it again as soon as it runs itself.
        name: Of the cluster.
        ports: To be mapped into a new cluster; a taken one is replaced by a free one.
        needed: Names of those without which an existing cluster is of no use: none can be added to it.

    Raises:
        WriteForbidden: A cluster of this name exists and is not ours.
        HostError: k3d or Docker failed.
    """
    state, node = _ours(name)
    if state is not None and (node is None or not state.complete):
        # What k3d has made so far may be anything, also a node that runs without what k3d had yet to bring into it; and
        # of a cluster whose deletion was cut short its volume and network are left.
        _remove(name)
        node = None
    if node is None or state is None:
        created = _create(provisions, name, ports)
        return ClusterHandle(created, "created", moved(created.ports or {}, ports))
    if why := _unfit(provisions, state, node, needed):
        return recreate(provisions, name, why, ports=ports)
    if not node.running:
        return _resume(provisions, state, ports)
    _write_kubeconfig(provisions, name)
    # Outside of what follows: an engine that does not answer is no reason to delete a cluster.
    _start_agents(state)
    try:
        _wait_ready(state)
    except (AssertionError, ClusterUnreachable) as error:
        return recreate(provisions, name, f"its API server did not answer: {error}", ports=ports)
    return ClusterHandle(state, "resumed", _STOPPED) if node.started_at > since else ClusterHandle(state, "reused")


def _unfit(provisions: Provisions, state: ClusterState, node: _Node, needed: Collection[str]) -> str:
    """Why a cluster is not what is wanted, and cannot become it; empty when it is."""
    if node.image != provisions.node_image:
        return f"its node image {node.image} is not {provisions.node_image}"
    if state.shape != provisions.shape:
        return f"its shape is {state.shape} and not {provisions.shape}"
    missing = [port for port in needed if port not in (state.ports or {})]
    return f"it was made without the port of {', '.join(missing)}" if missing else ""


def recreate(provisions: Provisions, name: str, why: str, *, ports: Collection[Port]) -> ClusterHandle:
    """Delete our cluster and recreate it."""
    _remove(name)
    return ClusterHandle(_create(provisions, name, ports), "recreated", why)


def delete(name: str = CLUSTER_NAME) -> bool:
    """Delete our cluster and what this machine remembers of it; returns whether there was one.

    An adopted cluster is not deleted: only its marker goes, and what this machine remembers.

    Raises:
        WriteForbidden: The cluster is not ours.
    """
    state = load_state(name)
    if state is not None and state.adopted:
        Cluster.from_kubeconfig(kubeconfig_file(name), state).delete(Ref("ConfigMap", MARKER_NAME, MARKER_NAMESPACE))
    node = None if state is not None and state.adopted else _node(name)
    if node is not None and (state is None or state.nonce != node.nonce):
        raise WriteForbidden(
            f'The k3d cluster "{name}" was not made by this suite and was left alone. Next: k3d cluster list'
        )
    if state is not None and not state.adopted:
        _remove(name)
    for file in ("state.json", "kubeconfig", "journal.jsonl"):
        (state_dir(name) / file).unlink(missing_ok=True)
    return node is not None


def import_images(state: ClusterState, tarballs: Collection[Path]) -> ClusterState:
    """Bring images into running nodes that were not asked for when they were made; those they have are left out."""
    for tarball in tarballs:
        if str(tarball) not in state.tarballs:
            inside = f"/tmp/{tarball.name}"  # noqa: S108 - in the node, not here
            for node in _nodes(state):
                _ENGINE.call("cp", str(tarball), f"{node}:{inside}", within=_COMMAND_SECONDS)
                _in_node(node, *_CTR, "images", "import", inside)
                _in_node(node, "rm", inside)
            state = state.model_copy(update={"tarballs": [*state.tarballs, str(tarball)]})
            state.save()
    return state


def _create(provisions: Provisions, name: str, ports: Collection[Port]) -> ClusterState:
    nonce, chosen, shape = secrets.token_hex(16), free_ports(ports), SHAPES[provisions.shape]
    (directory := state_dir(name)).mkdir(parents=True, exist_ok=True, mode=0o700)
    marker_file = directory / "marker.yaml"
    write_atomically(marker_file, yaml.safe_dump(marker(nonce, name)), private=True)
    shares_file = shares.write_script(directory)
    state = ClusterState(
        name=name,
        nonce=nonce,
        server=f"https://127.0.0.1:{chosen['api']}",
        complete=False,
        created_at=datetime.now(UTC),
        supply=provisions.supply,
        images=dict(provisions.images),
        versions=dict(provisions.versions),
        ports=chosen,
        forge_url=f"http://127.0.0.1:{chosen['forge']}",
        tarballs=[str(tarball) for tarball in provisions.image_tarballs],
        shape=provisions.shape,
    )
    # Before the cluster: a crash right after its creation must still find it to be ours.
    state.save()
    for stale in ("journal.jsonl", "kubeconfig"):
        (directory / stale).unlink(missing_ok=True)
    # Archives of different parts may bear the same name.
    named = ((file, f"{number}-{file.name}") for number, file in enumerate(provisions.image_tarballs))
    archives = (f"{file}:{_IMAGES}/{inside}:ro@{shape.everywhere}" for file, inside in named)
    arguments = [
        "cluster", "create", name,
        "--image", provisions.node_image,
        "--api-port", f"127.0.0.1:{chosen['api']}",
        "--kubeconfig-update-default=false", "--kubeconfig-switch-context=false",
        "--timeout", f"{BUDGETS.provision:.0f}s",
        "--runtime-label", f"{LABEL}={nonce}@server:0",
        "--volume", f"{marker_file}:{_MANIFESTS}/{marker_file.name}@server:0",
        "--volume", f"{shares_file}:{shares.BEFORE_K3S}:ro@{shape.everywhere}",
        *_each("--port", (f"127.0.0.1:{chosen[one.name]}:{one.node}@server:0:direct" for one in ports)),
        *_each("--volume", archives),
        *shape.k3d_arguments(provisions.node_args, directory, flannel=provisions.flannel),
        *provisions.k3d_args,
    ]  # fmt: skip
    _k3d(provisions, *arguments)
    for node in _nodes(state):
        shares.give(_ENGINE, node)
    return _completed(state, provisions)


def _completed(state: ClusterState, provisions: Provisions) -> ClusterState:
    _write_kubeconfig(provisions, state.name)
    _wait_ready(state)
    _unpack(state)
    state = state.model_copy(update={"complete": True})
    state.save()
    return state


def _unpack(state: ClusterState) -> None:
    """Let the server unpack each image once, in the order of need, while the platform comes up.

    k3s imports them packed, and containerd unpacks one anew for every pod that asks before the first is done: two
    models that start together read and write half a gigabyte twice. Where there are agents, each unpacks what its pods
    ask for: to unpack everything on every node keeps the disk busy for minutes.
    """
    listed = (line.split() for line in _in_node(_container(state.name), *_CTR, "images", "ls").splitlines())
    digests = {columns[0]: columns[2] for columns in listed}
    if wanted := [digests[image] for image in state.images.values() if image in digests]:
        each = f'for digest; do {shlex.join(_CTR)} snapshots unpack "$digest"; done'
        _ENGINE.call("exec", "--detach", _container(state.name), "sh", "-c", each, "unpack", *wanted)


def _each(option: str, values: Iterable[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)


def _resume(provisions: Provisions, state: ClusterState, ports: Collection[Port]) -> ClusterHandle:
    try:
        _ENGINE.call("start", _container(state.name))
        _start_agents(state)
        _write_kubeconfig(provisions, state.name)
        _wait_ready(state)
    except (HostError, AssertionError, ClusterUnreachable) as error:
        why = f"the stopped cluster did not come back: {error}"
        return recreate(provisions, state.name, why, ports=ports)
    return ClusterHandle(state, "resumed", _STOPPED)


def _start_agents(state: ClusterState) -> None:
    """Those that run already stay as they are."""
    if agents := _nodes(state)[1:]:
        _ENGINE.call("start", *agents)


def _remove(name: str) -> None:
    """What ``k3d cluster delete`` does, without needing the binary: containers, volumes and network by k3d's labels.

    On a network k3d 5.9 writes that it is k3d's, and not which cluster's: its name says so. It stays while somebody
    else's container is in it, as k3d leaves it then.
    """
    selector = f"label=k3d.cluster={name}"
    if containers := _ENGINE.call("ps", "--all", "--quiet", "--filter", selector).split():
        _ENGINE.call("rm", "--force", "--volumes", *containers, within=_COMMAND_SECONDS)
    if volumes := _ENGINE.call("volume", "ls", "--quiet", "--filter", selector).split():
        _ENGINE.call("volume", "rm", *volumes)
    its_own = ("--filter", f"name=^k3d-{name}$", "--filter", "label=app=k3d")
    for network in _ENGINE.call("network", "ls", "--quiet", *its_own).split():
        if _ENGINE.call("network", "inspect", "--format", "{{len .Containers}}", network).strip() == "0":
            _ENGINE.call("network", "rm", network)


def _write_kubeconfig(provisions: Provisions, name: str) -> None:
    """Unless it is there: a crash right after the creation leaves a cluster without one."""
    if kubeconfig_file(name).exists():
        return
    content = _k3d(provisions, "kubeconfig", "get", name)
    write_atomically(kubeconfig_file(name), content, private=True)


@dataclass(frozen=True)
class ApiReady:
    """The API server says that it is ready, the marker is there, and so are all nodes.

    Attributes:
        nodes: How many there are.
    """

    nodes: int = 1
    description: str = "the API server is ready and every node is Ready"
    area: str = "all"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask ``/readyz`` and the node."""
        try:
            cluster.text("/readyz")
            nodes = cluster.list("Node")
            cluster.read(MARKER_PATH)
        except (ClusterUnreachable, ApiError) as error:
            return pending(str(error))
        ready = [
            node["metadata"]["name"]
            for node in nodes
            for condition in node["status"].get("conditions", [])
            if condition["type"] == "Ready" and condition["status"] == "True"
        ]
        seen = f"nodes Ready: {', '.join(ready) or 'none'}"
        return met(seen) if len(ready) >= self.nodes else pending(f"{seen}, of {self.nodes}")


def _wait_ready(state: ClusterState) -> None:
    eventually(
        ApiReady(len(_nodes(state))),
        Cluster.from_kubeconfig(kubeconfig_file(state.name), state),
        within=BUDGETS.provision,
    )


@dataclass(frozen=True)
class _Node:
    image: str
    running: bool
    started_at: datetime
    nonce: str


def _container(name: str) -> str:
    return f"k3d-{name}-server-0"


def _node(name: str) -> _Node | None:
    listed = _ENGINE.call("ps", "--all", "--quiet", "--filter", f"name=^{_container(name)}$").strip()
    if not listed:
        return None
    found = json.loads(_ENGINE.call("inspect", listed))[0]
    config, state = found["Config"], found["State"]
    started_at = datetime.fromisoformat(state["StartedAt"])
    return _Node(config["Image"], state["Running"], started_at, config["Labels"].get(LABEL, ""))


def _nodes(state: ClusterState) -> list[str]:
    return SHAPES[state.shape].nodes(state.name)


def _in_node(node: str, *command: str) -> str:
    return _ENGINE.call("exec", node, *command, within=_COMMAND_SECONDS)


def _k3d(provisions: Provisions, *arguments: str) -> str:
    what = f"k3d {' '.join(arguments[:2])}"
    try:
        return output(
            [str(provisions.binaries["k3d"]), *arguments],
            within=_COMMAND_SECONDS,
            env={**os.environ, **provisions.k3d_env},
        )
    except ProgramFailed as error:
        move = "docker info" if error.code is None else "docker info, then neuroscale down and neuroscale up"
        raise HostError(f"`{what}` should succeed, but {error}. Next: {move}") from error
