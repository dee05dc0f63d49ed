"""Symptoms: each is seen when it is there, and not when something like it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import apiserver
import pytest
from apiserver import ApiServer, merge
from fake_gateway import ISVCS, NAME, Gateway, host_of, isvc

from neuroscale.cluster.client import Cluster
from neuroscale.inference_client import InferenceResponse
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import State
from neuroscale.probes.knative_resources import inference_service
from neuroscale.probes.symptom_probes import (
    HasEvent,
    ImageMissing,
    LeadsTo,
    NoEndpoint,
    NotFound,
    Redirected,
    Shows,
    SyncsAgain,
    WouldBeRejected,
    evaluate_image_missing,
    evaluate_redirected,
    evaluate_shared,
    evaluate_shown,
)

NEWCOMER = isvc("newcomer")


def with_ready(status: str, reason: str) -> Object:
    return {"status": {"conditions": [{"type": "Ready", "status": status, "reason": reason, "message": "why"}]}}


SHOWN: dict[str, tuple[Object | None, str, State, str]] = {
    "as expected": (with_ready("Unknown", "Uninitialized"), "Uninitialized", "met", "Ready=Unknown (Uninitialized"),
    "any reason will do": (with_ready("False", "Whatever"), "", "met", "Whatever"),
    "another reason": (with_ready("Unknown", "Deploying"), "Uninitialized", "pending", "Deploying"),
    "another status": (with_ready("True", "Uninitialized"), "Uninitialized", "pending", "Ready=True"),
    "no such condition": ({"status": {}}, "", "pending", "Ready=nothing"),
    "absent": (None, "", "pending", "does not exist"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_shown(case: str) -> None:
    obj, reason, state, words = SHOWN[case]
    verdict = evaluate_shown(obj, "Ready", ("Unknown", "False"), reason)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def pod(name: str, reason: str = "") -> Object:
    state: dict[str, Any] = {"waiting": {"reason": reason, "message": "403"}} if reason else {"running": {}}
    return {"metadata": {"name": "p"}, "status": {"containerStatuses": [{"name": name, "state": state}]}}


IMAGES: dict[str, tuple[list[Object], State, str]] = {
    "backing off": ([pod("manager"), pod("proxy", "ImagePullBackOff")], "met", "pod p: ImagePullBackOff: 403"),
    "another container": ([pod("manager", "ErrImagePull")], "pending", "manager ErrImagePull"),
    "it crashes": ([pod("proxy", "CrashLoopBackOff")], "pending", "proxy CrashLoopBackOff"),
    "it runs": ([pod("proxy")], "pending", "proxy does not wait"),
    "no pod": ([], "pending", "containers: none"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_image_missing(case: str) -> None:
    pods, state, words = IMAGES[case]
    verdict = evaluate_image_missing(pods, "proxy")
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_a_refusal_is_a_symptom_only_in_its_own_words(world: ApiServer, cluster: Cluster) -> None:
    symptom = WouldBeRejected(NEWCOMER, "failed calling webhook")
    assert symptom.check(cluster).observed == "it would be taken"
    assert f"{ISVCS}/newcomer" not in world.objects
    world.answers[f"POST {ISVCS}"] = (500, b'{"message": "failed calling webhook \\"x\\""}', {})
    assert symptom.check(cluster).state == "met"
    world.answers[f"POST {ISVCS}"] = (403, b'{"message": "exceeded quota"}', {})
    assert "exceeded quota" in symptom.check(cluster).observed
    assert symptom.check(cluster).state == "pending"


def test_where_a_url_leads(world: ApiServer, cluster: Cluster) -> None:
    assert LeadsTo(NAME, "models.neuroscale.internal").check(cluster).state == "met"
    assert LeadsTo(NAME, "example.com").check(cluster).state == "pending"
    world.put(f"{ISVCS}/{NAME}", merge(isvc(), {"status": {"url": "http://x.example.com"}}))
    assert LeadsTo(NAME, "example.com").check(cluster).state == "met"
    assert LeadsTo("nobody", "example.com").check(cluster).observed == "its URL is not set"


def redirect(status: int | None, location: str, by: str = "nginx/1.27.5") -> InferenceResponse:
    return InferenceResponse(status, 0.01, None, "", by=by, location=location)


ANSWERS: dict[str, tuple[InferenceResponse, State]] = {
    "to HTTPS, by somebody": (redirect(307, "https://m.example.com/v1/models/m:predict"), "met"),
    "by nobody who says his name": (redirect(308, "https://m.example.com/", by=""), "met"),
    "by the gateway itself": (redirect(301, "https://m.example.com/", by="envoy"), "pending"),
    "to another host": (redirect(307, "https://elsewhere.example.com/"), "pending"),
    "not to HTTPS": (redirect(307, "http://m.example.com/"), "pending"),
    "no redirect": (redirect(200, "https://m.example.com/"), "pending"),
    "no answer": (redirect(None, ""), "pending"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_a_redirect_to_https(case: str) -> None:
    answer, state = ANSWERS[case]
    assert evaluate_redirected(answer, "m.example.com").state == state


@pytest.mark.usefixtures("world")
def test_a_model_that_answers_redirects_nobody(cluster: Cluster, gateway: Gateway) -> None:
    assert Redirected(NAME).check(cluster).observed == "200 of envoy, Location not set"
    assert Redirected("nobody").check(cluster).observed == "it has no URL"


@pytest.mark.usefixtures("world")
def test_not_found_is_404_and_nothing_else(cluster: Cluster, gateway: Gateway) -> None:
    assert NotFound(NAME).check(cluster).state == "pending"
    assert NotFound(NAME, "nobody.example.com").check(cluster).state == "met"
    assert NotFound("nobody").check(cluster).observed == "it has no URL"
    gateway.instead[host_of(NAME)] = (503, "down")
    assert NotFound(NAME).check(cluster).state == "pending"


def test_shown_in_these_words() -> None:
    obj = with_ready("False", "FailedCreate")
    assert evaluate_shown(obj, "Ready", ("False",), "FailedCreate", "wh").state == "met"
    assert (
        evaluate_shown(obj, "Ready", ("False",), "FailedCreate", "quota").observed == "Ready=False (FailedCreate: why)"
    )
    assert evaluate_shown({"status": {}}, "Ready", ("False",), "", "why").state == "pending"


@pytest.mark.usefixtures("world")
def test_absent_objects_show_nothing(cluster: Cluster) -> None:
    assert Shows(inference_service("nobody"), "Ready", ("True",)).check(cluster).state == "pending"
    assert Shows(inference_service(NAME), "Ready", ("True",)).check(cluster).state == "met"


def test_attempts_at_one_commit_are_counted(world: ApiServer, cluster: Cluster) -> None:
    symptom = SyncsAgain("stack", 3)
    assert symptom.check(cluster).state == "pending"

    def healed(finished: str | None) -> None:
        operation = {"operation": {"sync": {"autoHealAttemptsCount": 3}}, "phase": "Succeeded", "finishedAt": finished}
        app: Object = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "stack", "namespace": "argocd"},
            "status": {"operationState": operation},
        }
        world.put("/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/stack", app)

    healed(datetime.now(UTC).isoformat())
    assert symptom.check(cluster).state == "met"
    assert SyncsAgain("stack", 4).check(cluster).state == "pending"
    healed(None)
    assert symptom.check(cluster).state == "met"
    healed((datetime.now(UTC) - timedelta(seconds=11)).isoformat())
    assert symptom.check(cluster).state == "pending"


def test_no_ready_endpoint_of_any_slice(world: ApiServer, cluster: Cluster) -> None:
    path = "/apis/discovery.k8s.io/v1"
    symptom = NoEndpoint(Ref("Service", "hook", "kserve"))
    assert symptom.check(cluster).state == "pending"
    slices: Object = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "hook-1", "namespace": "kserve", "labels": {"kubernetes.io/service-name": "hook"}},
        "endpoints": [{"conditions": {"ready": False}}],
    }
    world.put(f"{path}/namespaces/kserve/endpointslices/hook-1", slices)
    assert symptom.check(cluster).observed == "none of its endpoints is ready"
    world.put(f"{path}/namespaces/kserve/endpointslices/hook-1", {**slices, "endpoints": None})
    assert symptom.check(cluster).state == "met"
    ready = [{"conditions": {"ready": False}}, {"conditions": {"ready": True}}]
    world.put(f"{path}/namespaces/kserve/endpointslices/hook-1", {**slices, "endpoints": ready})
    assert symptom.check(cluster).observed == "1 ready endpoints"


def test_an_event_is_known_by_its_reason(world: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(apiserver.KINDS, "/api/v1", {**apiserver.KINDS["/api/v1"], "events": ("Event", True)})
    event: Object = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {"uid": isvc()["metadata"]["uid"]},
        "reason": "Seen",
        "message": "what was seen",
    }
    world.put("/api/v1/namespaces/default/events/e", event)
    assert HasEvent(inference_service(NAME), "Seen").check(cluster).observed == "what was seen"
    assert HasEvent(inference_service(NAME), "Other").check(cluster).observed == "events: Seen"
    world.put("/api/v1/namespaces/default/events/e", merge(event, {"involvedObject": {"uid": "a namesake"}}))
    assert HasEvent(inference_service(NAME), "Seen").check(cluster).observed == "events: none"


def test_an_event_is_known_by_its_words(world: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason such as InternalError stands for many things: the one that is meant need not be the latest."""
    monkeypatch.setitem(apiserver.KINDS, "/api/v1", {**apiserver.KINDS["/api/v1"], "events": ("Event", True)})
    for name, message in (("e", "rejected by a policy"), ("f", "the name is taken")):
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": "default"},
            "involvedObject": {"uid": isvc()["metadata"]["uid"]},
            "reason": "InternalError",
            "message": message,
        }
        world.put(f"/api/v1/namespaces/default/events/{name}", event)
    assert (
        HasEvent(inference_service(NAME), "InternalError", "a policy").check(cluster).observed == "rejected by a policy"
    )
    other = HasEvent(inference_service(NAME), "InternalError", "a quota").check(cluster)
    assert (other.state, "InternalError (the name is taken)" in other.observed) == ("pending", True)
    assert HasEvent(inference_service(NAME), "Other", "a policy").check(cluster).state == "pending"


def test_symptoms_say_what_they_look_for() -> None:
    ref = Ref("Deployment", "a", "default")
    assert Shows(ref, "Ready", ("False",)).description == f"{ref} shows Ready False"
    assert Shows(ref, "Ready", ("False",), "Why", "no").description == f"{ref} shows Ready False for Why with 'no'"
    assert HasEvent(ref, "Why").description == f"an event Why is about {ref}"
    assert HasEvent(ref, "Why", "no").description == f"an event Why is about {ref} and says 'no'"


def test_the_pods_of_a_deployment_are_looked_at(world: ApiServer, cluster: Cluster) -> None:
    symptom = ImageMissing(Ref("Deployment", "a", "default"), "proxy")
    assert symptom.check(cluster).observed == "containers: none"
    path, selector = "/apis/apps/v1/namespaces/default/deployments/a", {"matchLabels": {"app": "a"}}
    world.objects[path] = {
        "kind": "Deployment",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {"selector": selector},
    }
    stuck = merge(pod("proxy", "ErrImagePull"), {"metadata": {"labels": {"app": "a"}}})
    world.objects["/api/v1/namespaces/default/pods/p"] = stuck
    assert symptom.check(cluster).state == "met"


def warned(message: str, kind: str = "SharedResourceWarning") -> Object:
    return {"metadata": {"name": "x"}, "status": {"conditions": [{"type": kind, "message": message}]}}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (warned("Service/a is part of applications argocd/other and one"), None, "met"),
        ({"metadata": {"name": "x"}}, warned("Service/a is part of applications argocd/one and other"), "met"),
        (warned("Service/a is part of applications argocd/another and one"), None, "pending"),
        (warned("Service/a is part of applications argocd/other and one", "SyncError"), None, "pending"),
        (None, None, "pending"),
    ],
)
def test_two_applications_share_an_object(one: Object | None, other: Object | None, expected: str) -> None:
    assert evaluate_shared({"one": one, "other": other}).state == expected
