"""A cluster of another shape beside what one with a single node would be given."""

from __future__ import annotations

from typing import Any

import pytest

from neuroscale.bootstrap_scenarios.other_cluster import evaluate_same, evaluate_shape
from neuroscale.cluster.shapes import SHAPES, Shape
from neuroscale.git_server import EPOCH_FILES
from neuroscale.kubernetes.refs import Object

THREE = SHAPES["three-nodes"]
EPOCH = next(iter(EPOCH_FILES.values()))


@pytest.mark.parametrize(
    ("wanted", "served", "state", "said"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, "met", "2 files, none of which differs"),
        ({"a": "1", EPOCH: "1"}, {"a": "1", EPOCH: "2"}, "met", "1 files"),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "unrecoverable", "1 of 2 files differ: b"),
        ({"a": "1"}, {"a": "1", "b": "3"}, "unrecoverable", "1 of 2 files differ: b"),
        ({"a": "1", "b": "2"}, {"a": "1"}, "unrecoverable", "1 of 2 files differ: b"),
        ({}, {}, "unrecoverable", "0 of 0"),
    ],
)
def test_no_file_is_missing_added_or_different(
    wanted: dict[str, str], served: dict[str, str], state: str, said: str
) -> None:
    verdict = evaluate_same(wanted, served)
    assert verdict.state == state
    assert said in verdict.observed


def node(name: str, address: str) -> Object:
    return {"metadata": {"name": name}, "status": {"addresses": [{"type": "InternalIP", "address": address}]}}


def pod(where: str, address: str, phase: str = "Running") -> Object:
    return {"spec": {"nodeName": where}, "status": {"podIP": address, "phase": phase}}


def service(address: str | None) -> Object:
    return {"spec": {"clusterIP": address} if address else {}}


NODES = [node("a", "172.19.0.2"), node("b", "172.19.0.3"), node("c", "172.19.0.4")]
PODS = [pod("a", "10.62.0.9"), pod("b", "10.62.1.9"), pod("c", "172.19.0.4"), pod("c", "10.62.2.9")]
SERVICES = [service("10.63.0.1"), service("None"), service(None)]


@pytest.mark.parametrize(
    ("changed", "state", "said"),
    [
        ({}, "met", "3 nodes, 3 pods in 10.62.0.0/16, 1 Services in 10.63.0.0/16"),
        ({"nodes": NODES[:2]}, "pending", "2 nodes"),
        ({"pods": PODS[:2]}, "pending", "3 nodes, of which c has no pod"),
        ({"pods": [*PODS[:2], pod("c", "10.62.2.9", "Pending")]}, "pending", "of which c has no pod"),
        ({"pods": [*PODS, pod("c", "10.42.0.7")]}, "unrecoverable", "1 addresses of other networks: 10.42.0.7"),
        ({"services": [service("10.43.0.1")]}, "unrecoverable", "10.43.0.1"),
        ({"services": SERVICES[1:]}, "unrecoverable", "0 addresses"),
        ({"shape": Shape()}, "unrecoverable", "that of every other cluster"),
    ],
)
def test_nodes_and_networks_are_those_of_the_shape(changed: dict[str, Any], state: str, said: str) -> None:
    verdict = evaluate_shape(**{"shape": THREE, "nodes": NODES, "services": SERVICES, "pods": PODS, **changed})
    assert verdict.state == state
    assert said in verdict.observed
