"""When a model is served: every condition, everything that is made from it, and its answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from apiserver import ApiServer, merge
from fake_gateway import DEPLOYMENTS, ISVCS, NAME, Gateway, conditions, host_of, isvc, made, put, with_condition

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import ABSENT, NEXT, SERVED, SWAPPED, storage_uri
from neuroscale.polling import State, met, pending
from neuroscale.probes import serving
from neuroscale.probes.expected import service_uris
from neuroscale.probes.knative_resources import (
    Generated,
    evaluate_generated,
    evaluate_quiet,
    fetch,
    fetch_generated,
    inference_service,
)
from neuroscale.probes.serving import (
    AllAnswer,
    AllGenerated,
    AllReady,
    Answers,
    Asleep,
    SaysWhyNotLoaded,
    Serves,
    evaluate_asleep,
    evaluate_leads,
    evaluate_not_loaded,
    evaluate_service,
    evaluate_together,
    workloads_ready,
)

# --- one InferenceService

BLOCKED: Object = {
    "status": {
        "modelStatus": {
            "transitionStatus": "BlockedByFailedLoad",
            "lastFailureInfo": {"reason": "ModelLoadFailed", "message": "404 Client Error", "exitCode": 1},
        }
    }
}
SERVICES: dict[str, tuple[Object | None, State, str]] = {
    "good": (isvc(), "met", f"Ready at http://{host_of(NAME)}"),
    "absent": (None, "pending", "it does not exist"),
    "on its way out": (
        isvc(change={"metadata": {"deletionTimestamp": "2026-11-23T00:00:00Z"}}), "pending", "being deleted",
    ),
    "brand-new": (isvc(change={"status": None}), "pending", "without Ready, PredictorReady"),
    "not Ready": (
        with_condition(isvc(), "Ready", "False", "RevisionMissing", "no revision"),
        "pending",
        "Ready=False (RevisionMissing: no revision)",
    ),
    "Ready, but a part is not": (
        with_condition(isvc(), "LatestDeploymentReady", "Unknown", "PredictorConfigurationReady not ready"),
        "pending",
        "LatestDeploymentReady=Unknown",
    ),
    "a condition is missing": (
        isvc(change={"status": {"conditions": conditions(Ready="True", PredictorReady="True", IngressReady="True")}}),
        "pending",
        "without PredictorConfigurationReady, PredictorRouteReady",
    ),
    "stopped": (with_condition(isvc(), "Stopped", "True"), "pending", "Stopped=True"),
    "never heard of stopping": (
        isvc(
            change={
                "status": {
                    "conditions": [one for one in isvc()["status"]["conditions"] if one["type"] != "Stopped"]
                }
            }
        ),
        "met",
        "Ready at",
    ),
    "no URL": (isvc(change={"status": {"url": None}}), "pending", "it has no URL"),
    "somebody else's domain": (
        isvc(change={"status": {"url": "http://demo-iris-2-predictor.default.example.com"}}),
        "pending",
        "example.com leads out of the cluster",
    ),
    "Ready, with a model that cannot be loaded": (
        isvc(change=BLOCKED), "pending", "BlockedByFailedLoad; ModelLoadFailed: 404 Client Error",
    ),
    "an old failure is over": (
        isvc(change={"status": {"modelStatus": {"lastFailureInfo": {"reason": "ModelLoadFailed"}}}}), "met", "Ready",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SERVICES)
def test_service(case: str) -> None:
    obj, state, words = SERVICES[case]
    verdict = evaluate_service(obj)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


NOT_LOADED: dict[str, tuple[Object | None, State, str]] = {
    "it says so": (isvc(version=ABSENT, change=BLOCKED), "met", "ModelLoadFailed: 404 Client Error"),
    "not yet": (isvc(version=ABSENT), "pending", "model UpToDate"),
    "that was an earlier version": (isvc(version=SERVED, change=BLOCKED), "pending", "it asks for"),
    "blocked without a reason": (
        isvc(version=ABSENT, change={"status": {"modelStatus": {"transitionStatus": "BlockedByFailedLoad"}}}),
        "pending",
        "model BlockedByFailedLoad",
    ),
    "absent": (None, "pending", "it does not exist"),
}


@pytest.mark.parametrize("case", NOT_LOADED)
def test_not_loaded(case: str) -> None:
    obj, state, words = NOT_LOADED[case]
    verdict = evaluate_not_loaded(obj, ABSENT)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


POD: Object = {"metadata": {"name": "a-pod"}}
LEAVING: Object = {"metadata": {"deletionTimestamp": "2026-11-23T00:00:00Z"}}
SCALED_AWAY: Object = {"spec": {"replicas": 0}}
ASLEEP: dict[str, tuple[Object | None, Object | None, list[Object] | None, State, str]] = {
    "asleep": (isvc(), SCALED_AWAY, [], "met", "no pod"),
    "awake": (isvc(), {"spec": {"replicas": 1}}, [POD], "pending", "1 pods wanted"),
    "about to get its first pod": (isvc(), {"spec": {"replicas": 1}}, [], "pending", "1 pods wanted"),
    "not given means one": (isvc(), {"spec": {}}, [], "pending", "1 pods wanted"),
    "the last pod is still there": (isvc(), SCALED_AWAY, [POD], "pending", "1 pods: a-pod"),
    "the last pod is on its way out": (isvc(), SCALED_AWAY, [merge(POD, LEAVING)], "pending", "1 pods: a-pod"),
    "gone is not asleep": (None, SCALED_AWAY, [], "pending", "does not exist"),
    "without a deployment": (isvc(), None, None, "pending", "no deployment"),
    "not Ready": (with_condition(isvc(), "Ready", "Unknown", "Why", "x"), SCALED_AWAY, [], "pending", "Ready=Unknown"),
}


@pytest.mark.parametrize("case", ASLEEP)
def test_asleep(case: str) -> None:
    obj, deployment, pods, state, words = ASLEEP[case]
    verdict = evaluate_asleep(obj, deployment, pods)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


# --- what is made from it

Change = Callable[[Generated], Generated]


def edited(part: str, change: Object) -> Change:
    return lambda whole: dataclasses.replace(whole, **{part: merge(getattr(whole, part), change)})


def without(part: str) -> Change:
    return lambda whole: dataclasses.replace(whole, **{part: None})


def unready(part: str) -> Change:
    said = {"type": "Ready", "status": "False", "reason": "Why", "message": "because"}
    return edited(part, {"status": {"conditions": [said]}})


OLD, LATEST = f"{NAME}-predictor-00001", f"{NAME}-predictor-00002"
GENERATED: dict[str, tuple[Change, State, str]] = {
    "whole": (lambda whole: whole, "met", f"revision {OLD} takes all traffic"),
    **{f"{part} is missing": (without(part), "pending", f"missing: {part}") for part in ("service", *made().owners)},
    **{
        f"{part} belongs to nobody": (
            edited(part, {"metadata": {"ownerReferences": None}}), "pending", f"the {part} ",
        )
        for part in ("service", *made().owners)
    },
    "owned, but not controlled": (
        edited("route", {"metadata": {"ownerReferences": [{"uid": f"uid-service-{NAME}-predictor"}]}}),
        "pending",
        "the route demo-iris-2-predictor is not owned by",
    ),
    "owned by a namesake that is gone": (
        edited("revision", {"metadata": {"ownerReferences": [{"uid": "earlier", "controller": True}]}}),
        "pending",
        "is not owned by",
    ),
    **{
        f"{part} is not Ready": (unready(part), "pending", f"the {part} is not Ready: Ready=False (Why: because)")
        for part in ("service", "configuration", "route", "revision", "ingress")
    },
    **{
        f"{part} has an old status": (
            edited(part, {"metadata": {"generation": 3}}), "pending", f"the {part}'s status is of an older spec",
        )
        for part in ("service", "configuration", "route", "revision", "ingress")
    },
    "pods are not ready": (
        edited("deployment", {"status": {"readyReplicas": 0}}), "pending", "the deployment: 0 of 1 pods ready",
    ),
    "a newer revision is not ready": (
        edited("service", {"status": {"latestReadyRevisionName": f"{NAME}-predictor-00000"}}),
        "pending",
        f"latest created is {OLD}, latest ready {NAME}-predictor-00000",
    ),
    "an old revision takes the traffic": (
        edited("route", {"status": {"traffic": [{"revisionName": "old", "percent": 100}]}}),
        "pending",
        "the route sends traffic to {'old': 100}",
    ),
    "an old revision takes a share": (
        edited(
            "service",
            {"status": {"traffic": [{"revisionName": OLD, "percent": 90}, {"revisionName": "old", "percent": 10}]}},
        ),
        "pending",
        "the service sends traffic to",
    ),
    "nothing takes traffic": (edited("route", {"status": {"traffic": None}}), "pending", "sends traffic to nothing"),
    "the revision serves another model": (
        edited(
            "revision",
            {"metadata": {"annotations": {"internal.serving.kserve.io/storage-initializer-sourceuri": "gs://x"}}},
        ),
        "pending",
        f"revision {OLD} serves gs://x, asked for is {storage_uri(SERVED)}",
    ),
    "another ingress class": (
        edited("ingress", {"metadata": {"annotations": {"networking.knative.dev/ingress.class": "istio"}}}),
        "pending",
        "the ingress is for class istio",
    ),
    "no ingress class": (
        edited("ingress", {"metadata": {"annotations": None}}), "pending", "the ingress is for class None",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GENERATED)
def test_generated(case: str) -> None:
    change, state, words = GENERATED[case]
    verdict = evaluate_generated(isvc(), change(made()))
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_nothing_is_generated_from_nothing() -> None:
    assert evaluate_generated(None, made()).observed == "it does not exist"


# --- together


def test_one_of_two_is_red() -> None:
    assert evaluate_together({"a": met("x"), "b": met("y")}).state == "met"
    verdict = evaluate_together({"a": met("x"), "b": pending("it does not exist")})
    assert (verdict.state, verdict.observed) == ("pending", "1 of 2 are not: b: it does not exist")


def test_none_of_none_is_no_success() -> None:
    assert evaluate_together({}).state == "unrecoverable"


def test_names_are_taken_from_git() -> None:
    manifests = {
        "apps/a/one.yaml": "kind: InferenceService\nmetadata: {name: one}\n"
        "spec: {predictor: {model: {storageUri: here}}}\n---\nkind: ConfigMap\nmetadata: {name: x}\n",
        "apps/b/two.yml": "kind: InferenceService\nmetadata: {name: two}\nspec: {predictor: {containers: []}}\n",
        "apps/b/README.md": "kind: [not YAML",
    }
    assert service_uris(manifests) == {"one": "here", "two": ""}


# --- probes


def test_a_served_model(world: ApiServer, cluster: Cluster, gateway: Gateway) -> None:
    one, uris = frozenset({NAME}), {NAME: storage_uri(SERVED)}
    assert AllReady(one).check(cluster).state == "met"
    assert AllGenerated(one).check(cluster).state == "met"
    assert AllAnswer(uris, gateway.url).check(cluster).state == "met"
    assert Serves(NAME, gateway.url, SERVED).check(cluster).state == "met"

    two = frozenset({NAME, "sklearn-iris"})
    assert "1 of 2 are not: sklearn-iris: it does not exist" in AllReady(two).check(cluster).observed
    assert "1 of 2 are not" in AllGenerated(two).check(cluster).observed
    assert (
        "sklearn-iris: it has no URL"
        in AllAnswer({**uris, "sklearn-iris": storage_uri(SERVED)}, gateway.url).check(cluster).observed
    )


def test_one_right_answer_is_not_enough(world: ApiServer, cluster: Cluster, gateway: Gateway) -> None:
    """With a stranger behind the gateway the second answer is right, and every other one after it."""
    gateway.strangers = 1
    for probe in (AllAnswer({NAME: storage_uri(SERVED)}, gateway.url), Serves(NAME, gateway.url, SERVED)):
        verdict = probe.check(cluster)
        assert (verdict.state, "10 of 20 answers in a row are wrong" in verdict.observed) == ("pending", True), verdict


def test_nothing_described_is_no_success(cluster: Cluster, gateway: Gateway) -> None:
    assert AllReady(frozenset()).check(cluster).state == "unrecoverable"
    assert AllGenerated(frozenset()).check(cluster).state == "unrecoverable"
    assert AllAnswer({}, gateway.url).check(cluster).state == "unrecoverable"


def test_what_is_asked_for_is_not_what_answers(world: ApiServer, cluster: Cluster, gateway: Gateway) -> None:
    """The objects are all in order; only the answer tells."""
    gateway.versions[host_of(NAME)] = SWAPPED
    assert "instead of" in AllAnswer({NAME: storage_uri(SERVED)}, gateway.url).check(cluster).observed
    assert "instead of" in Serves(NAME, gateway.url, SERVED).check(cluster).observed
    assert AllGenerated(frozenset({NAME})).check(cluster).state == "met"


def test_a_new_version_must_be_asked_for_made_and_answer(world: ApiServer, cluster: Cluster, gateway: Gateway) -> None:
    probe = Serves(NAME, gateway.url, NEXT)
    assert "it asks for" in probe.check(cluster).observed
    world.objects[f"{ISVCS}/{NAME}"] = isvc(version=NEXT)
    assert "asked for is" in probe.check(cluster).observed
    put(world, isvc(version=NEXT), made(version=NEXT, revision="00002"))
    assert "instead of" in probe.check(cluster).observed
    gateway.versions[host_of(NAME)] = NEXT
    assert probe.check(cluster).state == "met"
    world.objects[f"{ISVCS}/{NAME}"] = with_condition(isvc(version=NEXT), "Ready", "False", "x", "y")
    assert "Ready=False" in probe.check(cluster).observed


def test_an_answer_that_nobody_wrote_down(world: ApiServer, cluster: Cluster, gateway: Gateway) -> None:
    assert Answers(NAME, gateway.url, ABSENT, "the other pair").check(cluster).state == "unrecoverable"
    assert gateway.asked == 0


def test_a_kind_that_is_gone_is_a_model_that_is_gone(api: ApiServer, cluster: Cluster) -> None:
    """The API server does not know InferenceServices: a watch of incident D3 must not trip over that."""
    assert fetch(cluster, inference_service(NAME)) is None
    assert fetch_generated(cluster, NAME) == Generated()
    assert AllReady(frozenset({NAME})).check(cluster).state == "pending"
    assert SaysWhyNotLoaded(NAME, ABSENT).check(cluster).state == "pending"


def test_asleep_looks_at_the_pods_of_the_latest_deployment(world: ApiServer, cluster: Cluster) -> None:
    assert "1 pods wanted" in Asleep(NAME).check(cluster).observed
    latest = f"{DEPLOYMENTS}/{NAME}-predictor-00001-deployment"
    world.put(latest, merge(world.objects[latest], {"spec": {"replicas": 0}}))
    assert Asleep(NAME).check(cluster).state == "met"
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": []}}
    world.put("/api/v1/namespaces/default/pods/p", pod)
    assert Asleep(NAME).check(cluster).state == "met"
    labels = {"labels": {"serving.knative.dev/revisionUID": "u"}}
    world.put("/api/v1/namespaces/default/pods/p", merge(pod, {"metadata": labels}))
    assert "1 pods: p" in Asleep(NAME).check(cluster).observed
    world.remove(latest)
    assert "no deployment" in Asleep(NAME).check(cluster).observed


def test_every_component_is_among_the_workloads() -> None:
    refs = set(workloads_ready().refs)
    named = {ref for ref in vars(serving).values() if isinstance(ref, Ref) and ref.kind == "Deployment"}
    assert refs == named
    assert {ref.namespace for ref in refs} == {"knative-serving", "kourier-system", "kserve"}


def _pod(name: str, **meta: str) -> Object:
    return {"metadata": {"name": name, **meta}}


@pytest.mark.parametrize(
    ("holder", "pods", "state"),
    [
        ("manager-new_4711", [_pod("manager-new")], "met"),
        ("manager-old_4711", [_pod("manager-new")], "pending"),
        ("manager-old_4711", [_pod("manager-old", deletionTimestamp="2026-11-24T00:03:34Z")], "pending"),
        ("", [_pod("manager-new")], "pending"),
        (None, [_pod("manager-new")], "pending"),
        ("manager-old_4711", [], "pending"),
    ],
)
def test_who_is_ready_does_not_yet_lead(holder: str | None, pods: list[Object], state: State) -> None:
    assert evaluate_leads({"spec": {"holderIdentity": holder}}, pods).state == state


def test_without_a_lease_nobody_leads() -> None:
    assert (
        evaluate_leads(None, [_pod("manager-new")]).observed == "the lease is held by nobody, the pods are manager-new"
    )


def test_models_are_quiet_when_no_pod_leaves(world: ApiServer, cluster: Cluster) -> None:
    """A pod drains for half a minute after its model is gone."""
    assert evaluate_quiet(cluster) == met("0 pods stay")
    path, labels = "/api/v1/namespaces/default/pods/", {"labels": {"serving.kserve.io/inferenceservice": NAME}}
    world.objects[f"{path}a"], world.objects[f"{path}b"] = _pod("a"), merge(_pod("b"), {"metadata": labels})
    assert evaluate_quiet(cluster) == met("2 pods stay")
    world.objects[f"{path}c"] = merge(_pod("c"), LEAVING)
    assert evaluate_quiet(cluster) == pending("on its way out: c")
    world.remove(f"{ISVCS}/{NAME}")
    assert evaluate_quiet(cluster) == pending("on its way out: b, c")


def test_pods_without_models_do_not_need_their_kind(api: ApiServer, cluster: Cluster) -> None:
    api.objects["/api/v1/namespaces/default/pods/a"] = _pod("a")
    assert evaluate_quiet(cluster) == met("1 pods stay")


def test_a_refused_read_says_nothing_about_what_is_there(world: ApiServer, cluster: Cluster) -> None:
    world.answers[f"GET {ISVCS}/{NAME}"] = (403, b'{"message": "no"}', {})
    with pytest.raises(ApiError, match="no"):
        fetch(cluster, inference_service(NAME))
