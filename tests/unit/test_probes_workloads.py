"""When a workload runs: every pod it wants, each ready, of the latest spec; on objects from a real cluster."""

from __future__ import annotations

import pytest
from apiserver import ApiServer
from fixtures import captured, having

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import State
from neuroscale.probes.workloads import (
    AllAvailable,
    Available,
    ImageNotPulled,
    ImagesPulled,
    PodUnschedulable,
    evaluate_pulled,
    evaluate_unschedulable,
    evaluate_workload,
    pods_of,
)

NGINX = Ref("Deployment", "nginx-test", "default")
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/nginx-test"
PODS = "/api/v1/namespaces/default/pods"
RUNNING, CREATING = captured("pod-running"), captured("pod-creating")


#: In the scheduler's words, from the events of the same cluster with its node full.
UNSCHEDULABLE = captured(
    "pod-creating",
    {
        "spec": {"nodeName": None},
        "status": {
            "containerStatuses": None,
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
                    "1 No preemption victims found for incoming pod.",
                }
            ],
        },
    },
)


def waiting(reason: str, message: str = "") -> Object:
    """A pod whose container waits for this reason."""
    first = CREATING["status"]["containerStatuses"][0]
    state = {"waiting": {"reason": reason, "message": message}}
    return captured("pod-creating", {"status": {"containerStatuses": [{**first, "state": state}]}})


CASES: dict[str, tuple[Object | None, list[Object], State, str]] = {
    "complete": (captured("deployment-complete"), [RUNNING], "met", "1 of 1 pods ready, 1 up to date, 1 in all"),
    "complete StatefulSet": (captured("statefulset-complete"), [], "met", "1 of 1 pods ready"),
    "not given means one": (captured("deployment-complete", {"spec": {"replicas": None}}), [], "met", "1 of 1 pods"),
    "scaled away: no pod is there to be not ready": (
        captured("statefulset-scaled-away"), [], "pending", "scaled to 0, so nothing runs",
    ),
    "the status is of an older spec": (captured("statefulset-unseen"), [], "pending", "not yet seen the latest spec"),
    "one of two ready": (
        captured("deployment-growing"),
        [RUNNING, captured("pod-not-ready")],
        "pending",
        "1 of 2 pods ready, 2 up to date, 2 in all; pod nginx-test-746ddd6cc-gl4w7: nginx runs and is not ready",
    ),
    "an old pod is still there": (captured("deployment-shrinking"), [RUNNING], "pending", "2 of 1 pods ready"),
    "an old pod is being replaced": (
        captured("deployment-complete", {"status": {"replicas": 2}}), [RUNNING], "pending", "1 up to date, 2 in all",
    ),
    "ready, but of the old template": (
        captured("deployment-complete", {"status": {"updatedReplicas": 0}}), [RUNNING], "pending", "0 up to date",
    ),
    "all containers ready, the pod not": (
        captured("statefulset-stuck"), [captured("pod-gate-not-ready")], "pending",
        "pod argocd-application-controller-0 is not Ready: ReadinessGatesNotReady: ",
    ),
    "made a moment ago": (
        captured("deployment-complete", {"metadata": {"generation": 1}, "status": None}), [], "pending",
        "not yet seen the latest spec",
    ),
    "seen, and no pod yet": (
        captured("deployment-complete", {"status": {"readyReplicas": None, "updatedReplicas": None, "replicas": None}}),
        [], "pending", "0 of 1 pods ready, 0 up to date, 0 in all",
    ),
    "container is being created": (
        captured("deployment-growing"), [CREATING], "pending", "nginx ContainerCreating",
    ),
    "no room": (
        captured("deployment-growing"), [UNSCHEDULABLE], "pending", "Pending: Unschedulable: 0/1 nodes",
    ),
    "a pull may yet succeed": (
        captured("deployment-growing"), [waiting("ImagePullBackOff")], "pending", "nginx ImagePullBackOff",
    ),
    "an image that is never pulled": (
        captured("deployment-growing"),
        [RUNNING, waiting("ErrImageNeverPull", "not present with pull policy of Never")],
        "unrecoverable",
        "ErrImageNeverPull: not present with pull policy of Never",
    ),
    "a name that is no image": (
        captured("deployment-growing"), [waiting("InvalidImageName")], "unrecoverable", "InvalidImageName",
    ),
    "brand-new": (
        {"metadata": {"name": "a"}, "spec": {"replicas": 1}}, [], "pending", "0 of 1 pods ready, 0 up to date, 0 in",
    ),
    "absent": (None, [], "pending", "does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_workload(case: str) -> None:
    obj, pods, state, words = CASES[case]
    verdict = evaluate_workload(obj, pods)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_an_init_container_that_is_stuck_counts() -> None:
    init = {"initContainerStatuses": waiting("ErrImageNeverPull")["status"]["containerStatuses"]}
    pod = captured("pod-running", {"status": init})
    assert evaluate_workload(captured("deployment-growing"), [pod]).state == "unrecoverable"


def test_an_init_container_that_is_done_is_no_trouble() -> None:
    done = {"name": "copyutil", "ready": False, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    pod = captured("pod-not-ready", {"status": {"initContainerStatuses": [done]}})
    assert "nginx runs and is not ready" in evaluate_workload(captured("deployment-growing"), [pod]).observed


# --- unschedulable


def test_a_pod_without_room_is_the_symptom() -> None:
    verdict = evaluate_unschedulable([RUNNING, UNSCHEDULABLE], "cpu")
    assert verdict.state == "met"
    assert "Insufficient cpu" in verdict.observed


def test_short_of_something_else_is_another_symptom() -> None:
    verdict = evaluate_unschedulable([UNSCHEDULABLE], "memory")
    assert (verdict.state, "for another reason" in verdict.observed) == ("pending", True)


@pytest.mark.parametrize(
    ("pods", "words"),
    [([], "pods: none"), ([RUNNING], "'Running'"), ([CREATING], "'Pending'"), ([{"metadata": {"name": "a"}}], "None")],
)
def test_pending_for_no_stated_reason_is_not_it(pods: list[Object], words: str) -> None:
    verdict = evaluate_unschedulable(pods, "cpu")
    assert (verdict.state, words in verdict.observed) == ("pending", True)


# --- probes


@pytest.fixture
def world(api: ApiServer) -> ApiServer:
    """The Deployment with its status as it was, its pod, and a pod of somebody else."""
    api.objects[DEPLOYMENT] = captured("deployment-complete")
    api.put(f"{PODS}/{RUNNING['metadata']['name']}", RUNNING)
    api.put(f"{PODS}/stranger", having(waiting("ErrImageNeverPull"), name="stranger", labels={"app": "other"}))
    return api


def test_only_its_own_pods_speak_for_a_workload(world: ApiServer, cluster: Cluster) -> None:
    names = [pod["metadata"]["name"] for pod in pods_of(cluster, captured("deployment-complete"))]
    assert names == [RUNNING["metadata"]["name"]]
    assert Available(NGINX).check(cluster).state == "met"


def test_all_available_names_those_that_are_not(world: ApiServer, cluster: Cluster) -> None:
    absent = Ref("StatefulSet", "absent", "default")
    assert AllAvailable("it", (NGINX,)).check(cluster).observed == "1 of 1 workloads complete"
    verdict = AllAvailable("it", (NGINX, absent)).check(cluster)
    assert verdict.state == "pending"
    assert verdict.observed == '1 of 2 workloads not complete: StatefulSet "default/absent": it does not exist'


def test_nothing_expected_is_no_success(cluster: Cluster) -> None:
    assert AllAvailable("it", ()).check(cluster).state == "unrecoverable"


def test_one_hopeless_workload_makes_all_hopeless(world: ApiServer, cluster: Cluster) -> None:
    (owner,) = CREATING["metadata"]["ownerReferences"]
    meta = {"name": owner["name"], "namespace": "default", "uid": owner["uid"]}
    deployment = {"uid": captured("deployment-complete")["metadata"]["uid"]}
    world.put(
        f"/apis/apps/v1/namespaces/default/replicasets/{owner['name']}",
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {**meta, "ownerReferences": [deployment]}},
    )
    world.put(f"{PODS}/own", having(waiting("ErrImageNeverPull"), name="own"))
    verdict = AllAvailable("it", (Ref("StatefulSet", "absent", "default"), NGINX)).check(cluster)
    assert (verdict.state, "ErrImageNeverPull" in verdict.observed) == ("unrecoverable", True)


def test_the_symptom_of_a_full_node_is_asked_of_the_workloads_own_pods(world: ApiServer, cluster: Cluster) -> None:
    probe = PodUnschedulable(NGINX, "cpu")
    world.put(f"{PODS}/foreign", having(UNSCHEDULABLE, name="foreign", labels={"app": "other"}))
    assert probe.check(cluster).state == "pending"
    world.put(f"{PODS}/own", having(UNSCHEDULABLE, name="own"))
    assert probe.check(cluster).state == "met"
    world.remove(DEPLOYMENT)
    assert probe.check(cluster).observed == "pods: none"


# --- images


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"])
def test_a_pod_that_waits_for_its_image_is_named_also_one_of_a_job(reason: str) -> None:
    pods = [having(waiting(reason, "no such host"), name="cleanup-1"), RUNNING]
    verdict = evaluate_pulled(pods)
    assert (verdict.state, verdict.observed) == ("pending", f"default: pod cleanup-1: {reason}: no such host")


def test_who_waits_for_something_else_does_not_wait_for_an_image() -> None:
    assert evaluate_pulled([RUNNING, CREATING, UNSCHEDULABLE, waiting("CrashLoopBackOff")]).observed == "none of 4 does"


def test_only_pods_of_the_job_are_its_symptom(world: ApiServer, cluster: Cluster) -> None:
    symptom = ImageNotPulled("default", "cleanup")
    world.put(f"{PODS}/other", having(waiting("ErrImagePull"), name="other"))
    assert (symptom.check(cluster).state, ImagesPulled().check(cluster).state) == ("pending", "pending")
    world.put(f"{PODS}/cleanup-1", having(waiting("ErrImagePull"), name="cleanup-1"))
    assert symptom.check(cluster).state == "met"
