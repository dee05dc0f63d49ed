"""Nodes that go: what is left on one that is drained, and where kubectl is."""

from __future__ import annotations

from typing import Any

import pytest
from apiserver import ApiServer
from fakes import populate

from neuroscale.chaos.faults import NodeDrained
from neuroscale.chaos.node_faults import _server, _stays_for
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform


def pod(node: str, phase: str = "Running", **meta: Any) -> Object:
    return {"metadata": {"name": "p", **meta}, "spec": {"nodeName": node}, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("one", "stays"),
    [
        (pod("a"), True),
        (pod("b"), False),
        (pod("a", "Succeeded"), False),
        (pod("a", "Failed"), False),
        (pod("a", ownerReferences=[{"kind": "ReplicaSet"}]), True),
        (pod("a", ownerReferences=[{"kind": "DaemonSet"}]), False),
        (pod("a", ownerReferences=[{"kind": "Node"}]), False),
    ],
)
def test_what_each_node_has_is_not_drained(one: Object, stays: bool) -> None:
    assert _stays_for(one, "a") is stays


def test_kubectl_is_on_the_control_planes_node_where_there_is_one() -> None:
    worker: Object = {"metadata": {"name": "agent"}}
    server: Object = {"metadata": {"name": "server", "labels": {"node-role.kubernetes.io/control-plane": "true"}}}
    assert _server([worker, server]) == "server"
    assert _server([worker]) == "agent"


def test_a_node_is_drained_when_it_takes_no_pods_and_has_none(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    fault = NodeDrained(node="node-0")
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == 'Node "node-0" takes pods'
    fault.inject(toy_platform, snapshot)
    seen = fault.verify_injected(toy_platform, snapshot, ())
    assert (seen.state, seen.observed.startswith("still there: ")) == ("pending", True)
    empty = NodeDrained(node="node-1")
    empty.inject(toy_platform, snapshot)
    assert empty.verify_injected(toy_platform, snapshot, ()).state == "met"
