"""What is done to models on purpose: versions by commit, a new model, sleep, hands off, the CRD lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from apiserver import NONCE, ApiServer, merge
from fake_gateway import ISVCS, KNATIVE, NAME, Gateway, conditions, host_of, isvc, made, put
from fake_git_server import fake_platform

from neuroscale.chaos.automated_sync import disable_automated_sync
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ScaledTo
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError, ConditionTimeout, PreconditionFailed
from neuroscale.gitops.commit_scenarios import revert
from neuroscale.kubernetes.refs import Object
from neuroscale.model_store import ABSENT, DAMAGED, NEXT, SERVED, storage_uri
from neuroscale.polling import State, pause
from neuroscale.probes import argo, serving
from neuroscale.probes.knative_resources import fetch, inference_service
from neuroscale.probes.serving import Asleep, SaysWhyNotLoaded, Serves
from neuroscale.results import Recorder, Sample
from neuroscale.serving import crd_deletion, model_creation, model_rollouts, outages, request_stream, scale_from_zero
from neuroscale.serving.crd_deletion import evaluate_back, evaluate_crd, evaluate_kept
from neuroscale.settings import APPS_NAMESPACE, ROOT, ROOT_APPLICATION, Budgets

MANIFEST = f"apps/{NAME}/inference-service.yaml"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def manifest() -> str:
    obj = {key: value for key, value in isvc().items() if key != "status"}
    return yaml.safe_dump({**obj, "metadata": {"name": NAME, "labels": obj["metadata"]["labels"]}})


@pytest.fixture
def kept() -> list[Sample]:
    return []


@pytest.fixture
def breakage(world: ApiServer, cluster: Cluster, gateway: Gateway, tmp_path: Path) -> Iterator[Breakage]:
    """The Git server describes the model that is served; both Applications that matter are there."""
    for name in (ROOT_APPLICATION, serving.APPLICATION):
        app: Object = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"source": {"path": "x"}, "syncPolicy": {"automated": {"prune": True, "selfHeal": True}}},
        }
        world.put(f"{APPLICATIONS}/{name}", app)
    platform = fake_platform(cluster, {MANIFEST: manifest(), f"apps/{NAME}/README.md": "x", "apps/x/a.yaml": ""})
    with Breakage(platform, Journal(tmp_path / "journal.jsonl", NONCE)) as broken:
        yield broken


def described(breakage: Breakage) -> Object:
    return yaml.safe_load(breakage.platform.git_server.read(MANIFEST) or "")  # type: ignore[no-any-return]


# --- versions


def test_a_version_is_committed_and_reverted(breakage: Breakage, gateway: Gateway) -> None:
    pushed = model_rollouts.commit_version(breakage, NEXT)
    assert described(breakage)["spec"]["predictor"]["model"]["storageUri"] == storage_uri(NEXT)
    assert pushed.expects == Serves(NAME, gateway.url, NEXT)
    assert pushed.before == Serves(NAME, gateway.url, SERVED)
    assert pushed.commit == breakage.platform.git_server.head()
    back = revert(pushed, breakage.platform)
    assert back.expects == Serves(NAME, gateway.url, SERVED)
    assert breakage.platform.git_server.read(MANIFEST) == manifest()


@pytest.mark.parametrize(("defect", "version"), [("does not exist", ABSENT), ("is damaged", DAMAGED)])
def test_a_bad_version_is_expected_to_be_named(defect: str, version: str, breakage: Breakage) -> None:
    pushed = model_rollouts.commit_bad_version(breakage, defect)
    assert described(breakage)["spec"]["predictor"]["model"]["storageUri"] == storage_uri(version)
    assert pushed.expects == SaysWhyNotLoaded(NAME, version)
    breakage.roll_back()
    assert breakage.platform.git_server.read(MANIFEST) == manifest()


def test_leave_to_sleep(breakage: Breakage) -> None:
    pushed = model_rollouts.enable_scale_to_zero(breakage)
    now = described(breakage)
    assert now["spec"]["predictor"]["minReplicas"] == 0
    assert now["metadata"]["annotations"] == {"autoscaling.knative.dev/window": "6s"}
    assert now["spec"]["predictor"]["model"]["storageUri"] == storage_uri(SERVED)
    assert pushed.expects == Asleep(NAME)


def test_a_model_that_git_does_not_describe_is_not_changed(breakage: Breakage) -> None:
    with pytest.raises(PreconditionFailed, match=r'should describe the InferenceService "nobody".*Next: '):
        model_rollouts.commit_version(breakage, NEXT, "nobody")
    assert breakage.effects == []


def test_the_checkout_describes_the_model_that_is_changed() -> None:
    found = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (ROOT / "apps").rglob("*.yaml")]
    uris = {
        one["metadata"]["name"]: one["spec"]["predictor"]["model"]["storageUri"]
        for one in found
        if one["kind"] == "InferenceService"
    }
    assert uris == {NAME: storage_uri(SERVED), "sklearn-iris": storage_uri(SERVED)}


# --- hands off


def test_hands_off_the_root_first_and_back_in_reverse(breakage: Breakage, world: ApiServer) -> None:
    for fault in disable_automated_sync(serving.APPLICATION):
        breakage.inject(fault)
    names = [effect.fault.target.name for effect in breakage.effects if effect.fault.target]
    assert names == [ROOT_APPLICATION, serving.APPLICATION]
    for name in names:
        assert "automated" not in world.objects[f"{APPLICATIONS}/{name}"]["spec"]["syncPolicy"]
    breakage.roll_back()
    for name in names:
        policy = world.objects[f"{APPLICATIONS}/{name}"]["spec"]["syncPolicy"]
        assert policy == {"automated": {"prune": True, "selfHeal": True}}


# --- a new model


BORN = f"{model_creation.NAME}-0a0a"


@pytest.fixture(autouse=True)
def _expected_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_creation, "fresh_name", lambda stem: f"{stem}-0a0a")


def becomes_ready(world: ApiServer, name: str = BORN) -> None:
    """What the controllers do."""
    path = f"{ISVCS}/{name}"
    for _ in range(500):
        if path in world.objects:
            break
        pause(0.01)
    status = merge(isvc(name)["status"], {"url": f"http://{host_of(name)}"})
    world.put(path, merge(world.objects[path], {"status": status}))


def test_a_new_model_is_made_like_the_one_in_git_and_timed(
    breakage: Breakage, world: ApiServer, gateway: Gateway, kept: list[Sample]
) -> None:
    with ExitStack() as streams:
        model = model_creation.create(breakage, streams)
        created = world.objects[f"{ISVCS}/{BORN}"]
        assert created["spec"] == described(breakage)["spec"]
        assert created["metadata"]["namespace"] == APPS_NAMESPACE
        gateway.versions[host_of(BORN)] = SERVED
        threading.Timer(0.2, becomes_ready, [world]).start()
        model_creation.wait_for_answer(model, breakage.platform, Recorder("scenario", kept.append))
        model_creation.assert_ready_implies_serving(model, breakage.platform, Recorder("scenario", kept.append))
    came, gap = kept
    assert came.phases["Ready"] is not None
    assert 0.1 < came.phases["Ready"] <= (came.phases["first right answer"] or 0) == came.seconds < 5
    assert (came.claim, came.censored, gap.claim, gap.censored) == (
        "model-answers", False, "ready-means-answering", False,
    )  # fmt: skip
    assert gap.seconds < 0.5
    breakage.roll_back()
    assert f"{ISVCS}/{BORN}" not in world.objects


def test_ready_and_404_is_a_lie(
    breakage: Breakage, world: ApiServer, gateway: Gateway, kept: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_creation, "_WITHIN", 0.5)
    with ExitStack() as streams:
        model = model_creation.create(breakage, streams)
        becomes_ready(world)
        with pytest.raises(ConditionTimeout, match=r"not yet: first right answer; the latest request: 404"):
            model_creation.wait_for_answer(model, breakage.platform, Recorder("scenario", kept.append))
        monkeypatch.setattr(model_creation, "_GAP", 0.1)
        with pytest.raises(ConditionTimeout, match=r"after Ready \d+ failed, first: 404"):
            model_creation.assert_ready_implies_serving(model, breakage.platform, Recorder("scenario", kept.append))
    assert [(one.censored, one.phases["first right answer"]) for one in kept] == [(True, None)]
    gateway.versions.clear()


def test_a_model_that_was_never_ready_told_no_lie_and_no_truth(breakage: Breakage) -> None:
    with ExitStack() as streams:
        model = model_creation.create(breakage, streams)
        assert model_creation.evaluate_ready_implies_serving(model).state == "unrecoverable"


# --- waking


def test_every_request_that_wakes_is_kept(breakage: Breakage, gateway: Gateway, kept: list[Sample]) -> None:
    answers = scale_from_zero.wake(3, breakage.platform, Recorder("scenario", kept.append))
    scale_from_zero.assert_all_answered(answers, breakage.platform)
    assert [(one.claim, one.censored) for one in kept] == [("cold-start", False)] * 3
    gateway.instead[host_of(NAME)] = (503, "no pods")
    bad = scale_from_zero.wake(2, breakage.platform, Recorder("scenario", kept.append))
    assert [one.censored for one in kept[3:]] == [True, True]
    with pytest.raises(ConditionTimeout, match=r"2 of 2 were not: no prediction, but 503"):
        scale_from_zero.assert_all_answered(bad, breakage.platform)
    with pytest.raises(ConditionTimeout, match=r"1 of 4 were not"):
        scale_from_zero.assert_all_answered([*answers, bad[0]], breakage.platform)
    assert scale_from_zero.evaluate_all([]).state == "unrecoverable"


# --- the CRD is lost


def crd(uid: str = "new", established: str = "True", **meta: str) -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": serving.CRD.name, "uid": uid, **meta},
        "spec": {},
        "status": {"conditions": conditions(Established=established)},
    }


@pytest.fixture
def loss(breakage: Breakage, world: ApiServer) -> Iterator[crd_deletion.CrdLoss]:
    """It was lost, and with it the model."""
    world.put(f"{CRDS}/{serving.CRD.name}", crd("old"))
    with ExitStack() as streams:
        lost = crd_deletion.begin(breakage, request_stream.begin(streams, breakage.platform))
        world.remove(f"{ISVCS}/{NAME}")
        yield lost


def comes_back(world: ApiServer, gateway: Gateway, change: Object | None = None) -> None:
    """What Argo CD and the controllers do."""
    gateway.instead[host_of(NAME)] = (404, "")
    pause(0.3)
    world.put(f"{CRDS}/{serving.CRD.name}", crd())
    put(world, merge(isvc(change=change), {"metadata": {"uid": "reborn"}}), made())
    del gateway.instead[host_of(NAME)]


def test_what_was_lost_comes_back_phase_by_phase(
    loss: crd_deletion.CrdLoss, breakage: Breakage, world: ApiServer, gateway: Gateway, kept: list[Sample]
) -> None:
    threading.Thread(target=comes_back, args=[world, gateway]).start()
    crd_deletion.wait_until_restored(loss, breakage.platform, Recorder("scenario", kept.append))
    crd_deletion.assert_nothing_lost(loss, breakage.platform)
    (sample,) = kept
    times = [seconds or 0 for seconds in sample.phases.values()]
    assert times == sorted(times)
    assert times[0] > 0.2
    assert (sample.claim, sample.censored, sample.seconds) == ("crd-recovery", False, times[-1])
    assert sample.facts["failed"]


def test_one_right_answer_does_not_make_it_restored(
    breakage: Breakage, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crd_deletion, "BUDGETS", Budgets(check=0.1))
    crd_deletion.assert_all_answer(breakage.platform)
    gateway.strangers = 1
    with pytest.raises(ConditionTimeout, match=r"10 of 20 answers in a row are wrong"):
        crd_deletion.assert_all_answer(breakage.platform)


def test_a_crd_that_does_not_come_back_is_kept_as_censored(
    loss: crd_deletion.CrdLoss, breakage: Breakage, kept: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crd_deletion, "_WITHIN", 0.5)
    with pytest.raises(ConditionTimeout, match=r"the CRD is back.*there is none"):
        crd_deletion.wait_until_restored(loss, breakage.platform, Recorder("scenario", kept.append))
    assert [(one.censored, one.seconds) for one in kept] == [(True, 0.5)]


def test_other_content_is_a_loss(
    loss: crd_deletion.CrdLoss, breakage: Breakage, world: ApiServer, gateway: Gateway
) -> None:
    comes_back(world, gateway, {"spec": {"predictor": {"minReplicas": 0}}})
    with pytest.raises(ConditionTimeout, match=r"demo-iris-2 has another content"):
        crd_deletion.assert_nothing_lost(loss, breakage.platform)


def test_judgements_on_what_is_back(loss: crd_deletion.CrdLoss) -> None:
    assert evaluate_crd(None, loss).state == "pending"
    assert evaluate_crd(crd("old"), loss).state == "unrecoverable"
    assert evaluate_crd(crd(established="False"), loss).state == "pending"
    assert evaluate_crd(crd(), loss).state == "met"
    assert evaluate_back({}, loss).observed == "demo-iris-2 is not there"
    assert evaluate_back({NAME: isvc()}, loss).observed == "demo-iris-2 is still the old one, by UID"
    assert evaluate_back({NAME: isvc(change={"metadata": {"uid": "x"}})}, loss).state == "met"
    nothing = crd_deletion.CrdLoss(loss.effect, {}, {}, loss.stream)
    assert evaluate_back({}, nothing).state == "unrecoverable"


NAMED: Object = {"kind": serving.CRD.kind, "name": serving.CRD.name}
TO_PRUNE: Object = {**NAMED, "status": "OutOfSync", "requiresPruning": True}
SKIPPED: Object = {**NAMED, "status": "PruneSkipped"}


def stack(
    listed: list[Object],
    synced: list[Object] | None = None,
    compared: str = "without it",
    result_of: str = "without it",
    began: str = "2026-11-23T12:00:00Z",
) -> Object:
    """The serving stack's Application."""
    status: Object = {
        "resources": [{"kind": "ConfigMap", "name": "x"}, *listed],
        "sync": {"comparedTo": {"source": compared}},
        "operationState": {"startedAt": began, "syncResult": {"resources": synced, "source": result_of}},
    }
    return {"spec": {"source": "without it"}, "status": status}


KEPT_CASES: dict[str, tuple[Object | None, Object, bool, State, str]] = {
    "forgotten": (crd("old"), stack([]), False, "met", "lists it as nothing"),
    "forgotten, it should not be": (crd("old"), stack([TO_PRUNE]), False, "pending", "OutOfSync"),
    "not yet compared": (crd("old"), stack([], compared="with it"), False, "pending", "not yet compared"),
    "never compared": (crd("old"), {"spec": {"source": None}}, False, "pending", "not yet compared"),
    "spared": (crd("old"), stack([TO_PRUNE], [SKIPPED]), True, "met", "PruneSkipped"),
    "spared by an earlier sync": (
        crd("old"),
        stack([TO_PRUNE], [SKIPPED], result_of="with it"),
        True,
        "pending",
        "latest sync as nothing",
    ),
    "spared when it was left out before": (
        crd("old"),
        stack([TO_PRUNE], [SKIPPED], began="2026-11-23T11:59:58Z"),
        True,
        "pending",
        "latest sync as nothing",
    ),
    "to be pruned, nobody tried": (crd("old"), stack([TO_PRUNE]), True, "pending", "latest sync as nothing"),
    "spared, and no longer said": (crd("old"), stack([NAMED], [SKIPPED]), True, "pending", "lists it as"),
    "deleted": (None, stack([]), False, "unrecoverable", "was deleted"),
    "deleted and recreated": (crd("new"), stack([]), False, "unrecoverable", "was deleted"),
    "on its way out": (crd("old", deletionTimestamp="2026-11-23"), stack([]), True, "unrecoverable", "was deleted"),
}


@pytest.mark.parametrize("case", KEPT_CASES)
def test_kept(case: str) -> None:
    definition, app, marked, state, words = KEPT_CASES[case]
    since = datetime(2026, 11, 23, 12, 0, 0, 300_000, UTC) if marked else None
    verdict = evaluate_kept(definition, app, "old", since=since)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_leaving_it_out_drops_exactly_the_crd(breakage: Breakage, world: ApiServer) -> None:
    with pytest.raises(PreconditionFailed, match=r"should exist, but does not"):
        crd_deletion.leave_out(breakage, marked=False)
    world.put(f"{CRDS}/{serving.CRD.name}", crd("old"))
    probe = crd_deletion.leave_out(breakage, marked=True)
    app = world.objects[f"{APPLICATIONS}/{serving.APPLICATION}"]
    (patch,) = app["spec"]["source"]["kustomize"]["patches"]
    assert yaml.safe_load(patch["patch"]) == {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "inferenceservices.serving.kserve.io"},
        "$patch": "delete",
    }
    assert world.objects[f"{CRDS}/{serving.CRD.name}"]["metadata"]["annotations"] == crd_deletion.MARK
    assert probe.check(breakage.platform.cluster).state == "pending"
    breakage.roll_back()
    assert "kustomize" not in world.objects[f"{APPLICATIONS}/{serving.APPLICATION}"]["spec"]["source"]


def test_what_is_kept_must_stay(breakage: Breakage, world: ApiServer) -> None:
    path, app = f"{CRDS}/{serving.CRD.name}", f"{APPLICATIONS}/{serving.APPLICATION}"
    world.put(path, crd("old"))
    kept = crd_deletion.leave_out(breakage, marked=False)
    source = world.objects[app]["spec"]["source"]
    world.put(app, merge(world.objects[app], {"status": {"sync": {"comparedTo": {"source": source}}}}))
    threading.Timer(0.2, lambda: world.put(path, crd("new"))).start()
    with pytest.raises(ConditionTimeout, match=r"the CRD was deleted"):
        crd_deletion.stays_kept(kept, breakage.platform)


# --- a component is down


@pytest.fixture
def outage(breakage: Breakage, world: ApiServer) -> Iterator[Callable[[str], outages.Outage]]:
    for ref in outages.COMPONENTS.values():
        plural = f"{ref.kind.lower()}s"
        obj: Object = {
            "apiVersion": "apps/v1",
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": ref.name}}},
        }
        world.put(f"/apis/apps/v1/namespaces/{ref.namespace}/{plural}/{ref.name}", obj)
    with ExitStack() as streams:
        yield lambda component: outages.begin(component, request_stream.begin(streams, breakage.platform), breakage)


def test_the_component_is_down_where_nobody_puts_it_back(
    outage: Callable[[str], outages.Outage], breakage: Breakage
) -> None:
    began = outage("the activator")
    assert began.effect.fault == ScaledTo(target=serving.ACTIVATOR, replicas=0)
    assert [effect.fault for effect in breakage.effects[:2]] == list(disable_automated_sync(serving.APPLICATION))


def test_a_component_is_down_when_its_last_pod_is_gone(
    outage: Callable[[str], outages.Outage], world: ApiServer
) -> None:
    labels = {"app": serving.GATEWAY.name}
    path = f"/api/v1/namespaces/{serving.GATEWAY.namespace}/pods/drains"
    pod: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "drains", "labels": labels}, "spec": {}}
    world.put(path, pod)
    threading.Timer(0.5, world.remove, [path]).start()
    before = time.monotonic()
    assert outage("the gateway").effect.at - before > 0.4


def test_a_pod_that_does_not_leave_is_told(
    outage: Callable[[str], outages.Outage], world: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "_LEAVES", 0.3)
    meta = {"name": "stays", "labels": {"app": serving.GATEWAY.name}}
    pod: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}
    world.put(f"/api/v1/namespaces/{serving.GATEWAY.namespace}/pods/stays", pod)
    with pytest.raises(ConditionTimeout, match=r"no pod of the gateway is left.*1 pods"):
        outage("the gateway")


@pytest.mark.parametrize(
    "leaving",
    [{"deletionTimestamp": "2026-11-23T00:00:00Z"}, {"labels": {"serving.kserve.io/inferenceservice": "gone"}}],
    ids=["deleted", "of a model that is gone"],
)
def test_nothing_is_taken_down_while_a_pod_is_leaving(
    outage: Callable[[str], outages.Outage],
    breakage: Breakage,
    world: ApiServer,
    leaving: Object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "_LEAVES", 0.3)
    meta = {"name": "old", **leaving}
    world.put("/api/v1/namespaces/default/pods/old", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}})
    with pytest.raises(PreconditionFailed, match=r"Nothing was taken down.*on its way out: old"):
        outage("the gateway")
    assert breakage.effects == []


def test_predictions_that_go_on(
    outage: Callable[[str], outages.Outage],
    kept: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "_ENOUGH", 5)
    began = outage("Argo CD")
    outages.assert_predictions(began, "yes", Recorder("scenario", kept.append))
    with pytest.raises(ConditionTimeout, match=r"yes: 0 of \d+ requests failed"):
        outages.assert_predictions(began, "no", Recorder("scenario", kept.append))
    assert [one.series for one in kept] == ["predictions while Argo CD is down: yes"] * 2


def test_predictions_that_fail(
    outage: Callable[[str], outages.Outage],
    gateway: Gateway,
    kept: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "_ENOUGH", 5)
    began = outage("the gateway")
    gateway.instead[host_of(NAME)] = (503, "down")
    with pytest.raises(ConditionTimeout, match=r"(no|in part): \d+ of \d+ requests failed 503: down"):
        outages.assert_predictions(began, "yes", Recorder("scenario", kept.append))
    assert kept[0].facts["failed"]


def test_new_models_that_come_up_and_that_do_not(
    outage: Callable[[str], outages.Outage],
    world: ApiServer,
    gateway: Gateway,
    kept: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "_CHANCE", 1.0)
    began = outage("the KServe controller")
    world.answers[f"POST {ISVCS}"] = (
        500, b'{"message": "failed calling webhook: no endpoints available", "reason": "InternalError"}', {},
    )  # fmt: skip
    outages.create_model(began, Recorder("scenario", kept.append))
    outages.assert_new_model(began, "no")
    assert kept[-1].series == "new models while the KServe controller is down: no"
    with pytest.raises(ConditionTimeout, match=r"no: POST .*no endpoints available"):
        outages.assert_new_model(began, "yes")
    del world.answers[f"POST {ISVCS}"]
    gateway.versions[host_of(BORN)] = SERVED
    threading.Timer(0.1, becomes_ready, [world]).start()
    outages.create_model(began, Recorder("scenario", kept.append))
    outages.assert_new_model(began, "yes")


def test_scaling_that_works_and_that_does_not(
    outage: Callable[[str], outages.Outage],
    world: ApiServer,
    kept: list[Sample],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "_CHANCE", 0.6)
    revision = f"{KNATIVE}/revisions/{NAME}-predictor-00001"
    world.put(revision, world.objects[revision])
    began = outage("the autoscaler")
    outages.scale_model(began, Recorder("scenario", kept.append))
    outages.assert_scaled(began, "no")
    with pytest.raises(ConditionTimeout, match=r"no: "):
        outages.assert_scaled(began, "yes")
    assert world.objects[revision]["metadata"]["annotations"]["autoscaling.knative.dev/min-scale"] == "2"
    began.breakage.roll_back()

    began = outage("the activator")
    deployment = f"/apis/apps/v1/namespaces/default/deployments/{NAME}-predictor-00001-deployment"
    grown = {"spec": {"replicas": 2}, "status": {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}}
    world.objects[deployment] = merge(world.objects[deployment], grown)
    outages.scale_model(began, Recorder("scenario", kept.append))
    outages.assert_scaled(began, "yes")
    assert [one.series.split(": ")[1] for one in kept] == ["no", "yes"]


def test_every_component_of_the_table_is_one_that_runs() -> None:
    assert set(outages.COMPONENTS.values()) - set(serving.WORKLOADS) == {argo.CONTROLLER}


def test_a_refused_read_is_not_taken_for_absence(world: ApiServer, cluster: Cluster) -> None:
    world.answers[f"GET {ISVCS}/{NAME}"] = (403, b'{"message": "forbidden", "reason": "Forbidden"}', {})
    with pytest.raises(ApiError, match="forbidden"):
        fetch(cluster, inference_service(NAME))
