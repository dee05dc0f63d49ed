"""The pods of a rollout, apart from those of the one before."""

from __future__ import annotations

from typing import Any

import apiserver
import pytest
from apiserver import ApiServer

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.probes.rollouts import (
    Held,
    NewPodHasEvent,
    NewPodKilled,
    NewPodSays,
    evaluate_event,
    evaluate_held,
    evaluate_killed,
)
from neuroscale.probes.workloads import Available, Rollout, split_pods

PORTAL = Ref("Deployment", "portal", "backstage")
LABELS = {"app": "portal"}


def deployment(*, generation: int = 2, observed: int = 2) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "portal", "namespace": "backstage", "uid": "d", "generation": generation},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}},
        "status": {"observedGeneration": observed},
    }


def owned(kind: str, name: str, owner: str, **more: Any) -> Object:
    meta = {"name": name, "namespace": "backstage", "uid": name, "labels": LABELS, "ownerReferences": [{"uid": owner}]}
    return {"apiVersion": "v1", "kind": kind, "metadata": {**meta, **more.pop("metadata", {})}, **more}


def replica_set(name: str, revision: int, owner: str = "d") -> Object:
    return owned(
        "ReplicaSet", name, owner, metadata={"annotations": {"deployment.kubernetes.io/revision": str(revision)}}
    )


def pod(name: str, owner: str, *, ready: bool) -> Object:
    return owned("Pod", name, owner, spec={}, status={"conditions": [{"type": "Ready", "status": str(ready)}]})


OLD, NEW = pod("old", "one", ready=True), pod("new", "two", ready=False)
SETS = [replica_set("two", 10), replica_set("one", 9), replica_set("stranger", 11, owner="another")]


def test_the_newest_replica_set_has_the_highest_number() -> None:
    rollout = split_pods(deployment(), SETS, [OLD, NEW])
    assert (rollout.new, rollout.old) == ([NEW], [OLD])


def test_one_that_is_taken_up_again_is_the_newest() -> None:
    rollout = split_pods(deployment(), [replica_set("two", 10), replica_set("one", 11)], [OLD, NEW])
    assert (rollout.new, rollout.old) == ([OLD], [NEW])


@pytest.mark.parametrize("sets", [SETS, []])
def test_nothing_is_new_before_the_latest_spec_was_seen(sets: list[Object]) -> None:
    rollout = split_pods(deployment(observed=1 if sets else 2), sets, [OLD, NEW])
    assert (list(rollout.new), list(rollout.old)) == ([], [OLD, NEW])


@pytest.mark.parametrize(
    ("new", "old", "state"),
    [
        ([NEW], [OLD], "met"),
        ([pod("new", "two", ready=True)], [OLD], "pending"),
        ([], [OLD], "pending"),
        ([NEW], [pod("old", "one", ready=False)], "pending"),
        ([NEW], [], "pending"),
    ],
)
def test_a_rollout_is_held_while_the_old_pod_alone_serves(new: list[Object], old: list[Object], state: str) -> None:
    assert evaluate_held(Rollout(new, old)).state == state


def event(about: str, reason: str, message: str) -> Object:
    return {"involvedObject": {"uid": about}, "reason": reason, "message": message}


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (event("new", "Unhealthy", "dial tcp: connection refused"), "met", "dial tcp: connection refused"),
        (event("new", "Unhealthy", "HTTP 503"), "pending", "events: Unhealthy (HTTP 503)"),
        (event("new", "BackOff", "connection refused"), "pending", "events: BackOff (connection refused)"),
        (event("old", "Unhealthy", "connection refused"), "pending", "events: none"),
    ],
)
def test_an_event_is_about_a_new_pod(found: Object, state: str, said: str) -> None:
    verdict = evaluate_event([NEW], [found], "Unhealthy", "connection refused")
    assert (verdict.state, verdict.observed) == (state, said)


def ended(**states: object) -> Object:
    statuses = [{"name": "portal", "restartCount": 2, **states}]
    return {**NEW, "status": {"containerStatuses": statuses}}


OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}


@pytest.mark.parametrize(
    ("pods", "state", "said"),
    [
        ([ended(lastState=OOM)], "met", "pod new: portal: OOMKilled with 137, 2 restarts"),
        ([ended(state=OOM, lastState={})], "met", "pod new: portal: OOMKilled with 137, 2 restarts"),
        (
            [ended(lastState={"terminated": {"reason": "Error", "exitCode": 134}})],
            "pending",
            "pod new: portal: Error with 134, 2 restarts",
        ),
        ([ended(state={"running": {}})], "pending", "pod new: portal: never ended, 2 restarts"),
        ([NEW], "pending", "no container of a new pod"),
        ([], "pending", "no container of a new pod"),
    ],
)
def test_a_container_was_killed_for_a_reason(pods: list[Object], state: str, said: str) -> None:
    verdict = evaluate_killed(pods, "OOMKilled")
    assert (verdict.state, verdict.observed) == (state, said)


# --- as the cluster has them


@pytest.fixture
def portal(api: ApiServer) -> ApiServer:
    path = "/apis/apps/v1/namespaces/backstage/deployments/portal"
    api.put(path, deployment())
    api.objects[path]["status"] |= {"observedGeneration": 2}
    for one in SETS:
        api.put(f"/apis/apps/v1/namespaces/backstage/replicasets/{one['metadata']['name']}", one)
    for one in (OLD, NEW):
        api.put(f"/api/v1/namespaces/backstage/pods/{one['metadata']['name']}", one)
    return api


def test_a_held_rollout_is_seen(portal: ApiServer, cluster: Cluster) -> None:
    assert Held(PORTAL).check(cluster).observed == "new pods: new not Ready; old ones: old Ready"
    assert not Held(Ref("Deployment", "nobody", "backstage")).check(cluster)


@pytest.mark.parametrize(
    ("status", "log", "expected"),
    [
        (200, b"2026 Listening on 127.0.0.1:7007\n", "met"),
        (200, b"2026 Listening on :7007\n", "pending"),
        (400, b'{"reason": "BadRequest", "message": "is waiting to start"}', "pending"),
    ],
)
def test_a_new_pod_says_it_itself(status: int, log: bytes, expected: str, portal: ApiServer, cluster: Cluster) -> None:
    portal.answers["GET /api/v1/namespaces/backstage/pods/new/log"] = (status, log, {})
    portal.answers["GET /api/v1/namespaces/backstage/pods/old/log"] = (200, b"Listening on 127.0.0.1:7007\n", {})
    assert NewPodSays(PORTAL, "portal", "Listening on 127.0.0.1").check(cluster).state == expected


def test_how_a_new_pod_ended_is_seen(portal: ApiServer, cluster: Cluster) -> None:
    assert not NewPodKilled(PORTAL, "OOMKilled").check(cluster)
    portal.put("/api/v1/namespaces/backstage/pods/new", ended(lastState=OOM))
    assert NewPodKilled(PORTAL, "OOMKilled").check(cluster)
    assert not NewPodKilled(Ref("Deployment", "nobody", "backstage"), "OOMKilled").check(cluster)


def test_events_are_those_of_the_namespace(
    portal: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(apiserver.KINDS, "/api/v1", {**apiserver.KINDS["/api/v1"], "events": ("Event", True)})
    found = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, **event("new", "Unhealthy", "refused")}
    portal.put("/api/v1/namespaces/backstage/events/e", found)
    assert NewPodHasEvent(PORTAL, "Unhealthy", "refused").check(cluster)
    assert not NewPodHasEvent(PORTAL, "Unhealthy", "timed out").check(cluster)


def stuck(obj: Object) -> Object:
    waiting = {"name": "portal", "state": {"waiting": {"reason": "InvalidImageName"}}}
    return {**obj, "status": {"containerStatuses": [waiting]}}


@pytest.mark.parametrize(("bad", "expected"), [("old", "pending"), ("new", "unrecoverable")])
def test_a_pod_of_the_rollout_before_is_no_relapse(
    bad: str, expected: str, portal: ApiServer, cluster: Cluster
) -> None:
    """Incident C15: what is on its way out says nothing of what comes."""
    portal.put(f"/api/v1/namespaces/backstage/pods/{bad}", stuck(OLD if bad == "old" else NEW))
    portal.objects["/apis/apps/v1/namespaces/backstage/deployments/portal"]["status"] |= {"readyReplicas": 0}
    verdict = Available(PORTAL).check(cluster)
    assert verdict.state == expected
    assert ("InvalidImageName" in verdict.observed) == (bad == "new")
