"""What an audit log says that a bootstrap has asked for: reads, writes, and writes that write nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from neuroscale.bootstrap_scenarios import audit_log
from neuroscale.bootstrap_scenarios.audit_log import Asked, asked, assert_no_write
from neuroscale.bootstrap_scenarios.audited import LOG_IN_NODE, USER, audited, write_policy
from neuroscale.bootstrap_scenarios.own_cluster import OwnCluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.supply import Provisions

APPLY = "/api/v1/namespaces/argocd?fieldManager=neuroscale&force=true"


def event(verb: str, resource: str = "namespaces", **more: Any) -> str:
    found = {
        "user": {"username": USER},
        "stage": "ResponseComplete",
        "verb": verb,
        "requestURI": APPLY,
        "objectRef": {"resource": resource, "name": "argocd"},
        "userAgent": "neuroscale",
    }
    return json.dumps({**found, **more})


def test_a_write_is_counted_and_named() -> None:
    found = asked([event("get"), event("list"), event("patch"), ""])
    assert found == Asked(2, (), ("patch namespaces/argocd by neuroscale",))
    with pytest.raises(ConditionTimeout, match=r"wrote 1 times, beside 0 dry runs .*: patch namespaces/argocd by"):
        assert_no_write(found)


@pytest.mark.parametrize("verb", ["create", "update", "patch", "delete", "deletecollection"])
def test_every_verb_that_writes_is_a_write(verb: str) -> None:
    assert len(asked([event(verb)]).writes) == 1


@pytest.mark.parametrize("verb", ["get", "list", "watch"])
def test_no_verb_that_reads_is_a_write(verb: str) -> None:
    assert_no_write(asked([event(verb)]))


def test_dry_runs_and_reviews_stand_apart() -> None:
    found = asked(
        [
            event("get"),
            event("patch", requestURI=f"{APPLY}&dryRun=All"),
            event("create", "selfsubjectaccessreviews", objectRef={"resource": "selfsubjectaccessreviews"}),
        ]
    )
    assert (found.reads, len(found.apart), found.writes) == (1, 2, ())
    assert_no_write(found)
    assert asked([event("create", "pods")]).apart == ()


def test_a_write_without_an_object_is_one_all_the_same() -> None:
    assert asked([event("create", objectRef=None, userAgent="")]).writes == ("create  by ",)


def test_others_and_earlier_stages_do_not_count() -> None:
    lines = [event("patch", user={"username": "system:node"}), event("patch", stage="ResponseStarted")]
    assert asked(lines) == Asked(0, (), ())


def test_a_log_that_has_seen_nothing_is_no_proof() -> None:
    with pytest.raises(PreconditionFailed, match="should have seen the bootstrap read"):
        assert_no_write(asked([]))


class Node:
    """A node with a log."""

    log = b""

    def call(self, *command: str) -> str:
        assert command[:2] == ("exec", "k3d-neuroscale-own-server-0")
        assert command[-1] == LOG_IN_NODE
        if command[2] == "stat":
            return f"{len(self.log)}\n"
        return self.log[int(command[4].removeprefix("+")) - 1 :].decode()


def test_only_what_came_since_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node, own = Node(), OwnCluster(tmp_path)
    monkeypatch.setattr(audit_log, "Engine", lambda: node)
    node.log = f"{event('create')}\n".encode()
    start = audit_log.length(own)
    node.log += f"{event('get')}\n{event('delete')}\n".encode()
    found = audit_log.since(own, start)
    assert (found.reads, found.writes) == (1, ("delete namespaces/argocd by neuroscale",))
    assert len(audit_log.since(own, 0).writes) == 2


def test_a_node_is_told_to_keep_the_log(tmp_path: Path) -> None:
    write_policy(tmp_path)
    file = tmp_path / "audit-policy.yaml"
    rules = yaml.safe_load(file.read_text())["rules"]
    assert (rules[0]["users"], rules[-1]) == ([USER], {"level": "None"})

    class Supply:
        name, reason = "registry", "it answers"

        def provide(self, demands: object) -> Provisions:
            return Provisions(
                supply="registry", binaries={}, node_image="k3s", node_args=("--one",), k3d_args=("--no-lb",),
                k3d_env={}, image_tarballs=(), images={}, manifests={}, versions={},
            )  # fmt: skip

    supply = audited(lambda how: Supply() if how == "auto" else None, file)("auto")
    assert (supply.name, supply.reason) == ("registry", "it answers")
    provided = supply.provide(())
    assert provided.node_args[0] == "--one"
    assert f"--kube-apiserver-arg=audit-log-path={LOG_IN_NODE}" in provided.node_args
    inside = next(one for one in provided.node_args if "audit-policy-file" in one).rpartition("=")[2]
    assert provided.k3d_args == ("--no-lb", "--volume", f"{file}:{inside}:ro@server:0")
