"""A cluster of another shape: what it has of its own, and that nothing else differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

from neuroscale.bootstrap.render import gitops_tree
from neuroscale.cluster.shapes import SHAPES, Shape
from neuroscale.cluster.state import load_state
from neuroscale.components import demands
from neuroscale.errors import PreconditionFailed
from neuroscale.git_server import EPOCH_FILES
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.probe_function import assert_met
from neuroscale.settings import GITOPS_FOLDERS
from neuroscale.supply import choose

_NEXT = "Next: NEUROSCALE_CLUSTER=neuroscale-three neuroscale up --shape three-nodes"


def manifests_of_one_node(platform: Platform) -> dict[str, str]:
    """What the Git server of a cluster with one node would serve: path -> content.

    Raises:
        PreconditionFailed: This machine made no such cluster.
    """
    state = load_state()
    if state is None:
        raise PreconditionFailed(f"{platform.cluster.server} should be a cluster of this machine, but is none. {_NEXT}")
    provisions = choose("auto", demands(state.milestones), recorded=state.supply).provide(demands(state.milestones))
    with gitops_tree(provisions.manifests, state.milestones) as tree:
        return {str(file.relative_to(tree)): _text(file) for file in sorted(tree.rglob("*")) if file.is_file()}


def assert_same(wanted: Mapping[str, str], platform: Platform) -> None:
    """The Git server here serves the same files, with the same content.

    Raises:
        ConditionTimeout: It does not.
    """
    served = {path: text for folder in GITOPS_FOLDERS for path, text in platform.git_server.files(folder).items()}
    what = "the Git server serves what that of a cluster with one node does"
    assert_met(what, evaluate_same(wanted, served), platform, "gitops")


def evaluate_same(wanted: Mapping[str, str], served: Mapping[str, str]) -> Verdict:
    """No file is missing, added or different, but for those that say when the platform was last compared."""
    left_out = set(EPOCH_FILES.values())
    paths = sorted({*wanted, *served} - left_out)
    differ = [path for path in paths if wanted.get(path) != served.get(path)]
    if not paths or differ:
        return unrecoverable(f"{len(differ)} of {len(paths)} files differ: {', '.join(differ[:5])}")
    return met(f"{len(paths)} files, none of which differs")


def assert_other_shape(platform: Platform) -> None:
    """Its nodes and networks are those of its shape, and no other cluster's.

    Raises:
        ConditionTimeout: They are not.
    """
    state, cluster = load_state(), platform.cluster
    shape = SHAPES[state.shape] if state else Shape()
    nodes, services, pods = cluster.list("Node"), cluster.list("Service"), cluster.list("Pod")
    assert_met("nodes and networks are others", evaluate_shape(shape, nodes, services, pods), platform, "gitops")


def evaluate_shape(
    shape: Shape, nodes: Sequence[Object], services: Sequence[Object], pods: Sequence[Object]
) -> Verdict:
    """Each node runs pods; each address of a Service and of a pod is in the shape's networks."""
    if not shape.agents or not shape.pods or not shape.services:
        return unrecoverable("the shape is that of every other cluster")
    names = {node["metadata"]["name"] for node in nodes}
    hosts = {address["address"] for node in nodes for address in node["status"]["addresses"]}
    running = [pod for pod in pods if pod["status"].get("podIP") and pod["status"]["phase"] == "Running"]
    # A pod in its node's network has its node's address.
    of_pods = {pod["status"]["podIP"] for pod in running} - hosts
    of_services = {one["spec"]["clusterIP"] for one in services if one["spec"].get("clusterIP") not in {None, "None"}}
    strange = [*_outside(of_pods, shape.pods), *_outside(of_services, shape.services)]
    idle = names - {pod["spec"]["nodeName"] for pod in running}
    if len(names) != 1 + shape.agents or idle:
        return pending(f"{len(names)} nodes, of which {', '.join(sorted(idle)) or 'none'} has no pod")
    if strange or not of_pods or not of_services:
        return unrecoverable(f"{len(strange)} addresses of other networks: {', '.join(strange[:5])}")
    return met(
        f"{len(names)} nodes, {len(of_pods)} pods in {shape.pods}, {len(of_services)} Services in {shape.services}"
    )


def _outside(addresses: set[str], network: str) -> list[str]:
    return sorted(one for one in addresses if ip_address(one) not in ip_network(network))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
