"""Whether a fault took effect is judged on what a watch saw; what it broke is put back once, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from apiserver import ApiServer, merge
from fakes import (
    APPLICATIONS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    FAULTS,
    NGINX,
    PAGE,
    application,
    deployment,
    picture,
    pod,
    populate,
)
from pydantic import ValidationError
from repository import git

from neuroscale.chaos.faults import (
    Committed,
    CpuTaken,
    Fault,
    FieldsEdited,
    Frozen,
    FunctionPatched,
    ObjectCreated,
    ObjectDeleted,
    ScaledTo,
)
from neuroscale.chaos.objects import fresh, requested_millicores
from neuroscale.cluster.watch import WatchEvent
from neuroscale.gate import schema
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import State
from suite.mutants import gate as mutated

NOWHERE = cast("Platform", None)
FILLER = CpuTaken(target=Ref("Pod", "filler", "default"), priority_class="p", image="pause", short_of=NGINX)


def saw(event: Literal["ADDED", "MODIFIED", "DELETED"], obj: Object) -> WatchEvent:
    return WatchEvent(event, obj, 0.0, datetime.now(UTC))


def _with(obj: Object, **meta: Any) -> Object:
    return {**obj, "metadata": {**obj["metadata"], **meta}}


OLD = deployment(readyReplicas=1)
NEW = _with(OLD, uid="uid-2")
SCALED = deployment(0)
EDIT = FieldsEdited(target=NGINX, patch={"spec": {"replicas": 3}})
APP = application()
LET_GO = FAULTS["application-edited"]
ASKED: Object = merge(
    APP,
    {
        "spec": {"syncPolicy": {"automated": None}},
        "metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}},
    },
)
COMPARED: Object = merge(ASKED, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": None}}})
STRAY = ObjectCreated(manifest=fresh(OLD))
IDLE = pod("server", "10m")
READY: Object = merge(IDLE, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
SERVER = ObjectCreated(manifest=IDLE, ready=True)
HELD = ObjectDeleted(target=NGINX, held=True)
TWO: Object = merge(OLD, {"spec": {"template": {"spec": {"containers": [{"name": "nginx"}, {"name": "sidecar"}]}}}})
ASIDE = {"millicpu": 1960, "needed": 100, "before": None}
PLACED = {**pod("filler", "1960m"), "spec": {"nodeName": "node-0", "containers": []}}
UNPLACED = {**pod("filler", "1960m"), "spec": {"containers": []}}

CASES: dict[str, tuple[Fault, Object, Sequence[WatchEvent], State, str]] = {
    "deleted: seen to go": (
        ObjectDeleted(target=NGINX), {"before": OLD}, [saw("DELETED", OLD)], "met", "UID uid-1 is gone",
    ),
    "deleted: put back before anybody saw it go": (
        ObjectDeleted(target=NGINX), {"before": OLD}, [saw("ADDED", NEW)], "met", "uid-2 has taken the name",
    ),
    "deleted: nothing seen": (ObjectDeleted(target=NGINX), {"before": OLD}, [], "pending", "still there"),
    "deleted: held by a finalizer": (
        ObjectDeleted(target=NGINX),
        {"before": OLD},
        [saw("MODIFIED", _with(OLD, deletionTimestamp="2026-11-22T22:04:05Z", finalizers=["example.org/hold"]))],
        "pending",
        "held by finalizers ['example.org/hold']",
    ),
    "deleted: was not there": (ObjectDeleted(target=NGINX), {"before": None}, [], "unrecoverable", "did not exist"),
    "held: marked for deletion": (
        HELD,
        {"before": OLD},
        [saw("MODIFIED", _with(OLD, deletionTimestamp="2026-11-22T22:04:05Z", finalizers=["example.org/hold"]))],
        "met",
        "uid-1 is to go, held by ['example.org/hold']",
    ),
    "held: marked, and nothing holds it": (
        HELD,
        {"before": OLD},
        [saw("MODIFIED", _with(OLD, deletionTimestamp="2026-11-22T22:04:05Z"))],
        "pending",
        "not to go",
    ),
    "held: it went": (HELD, {"before": OLD}, [saw("DELETED", OLD)], "pending", "not to go"),
    "created: appeared": (STRAY, {"before": None}, [saw("ADDED", OLD)], "met", "UID uid-1"),
    "created: nothing seen": (STRAY, {"before": None}, [], "pending", "not appeared"),
    "created: was there before": (STRAY, {"before": OLD}, [saw("MODIFIED", OLD)], "unrecoverable", "existed before"),
    "edited: seen": (
        EDIT, {"before": OLD}, [saw("MODIFIED", deployment(3)), saw("MODIFIED", OLD)], "met", "edited values",
    ),
    "edited: only a change of status": (EDIT, {"before": OLD}, [saw("MODIFIED", OLD)], "pending", "old values"),
    "edited: nothing seen": (EDIT, {"before": OLD}, [], "pending", "old values"),
    "edited: looked like this before": (EDIT, {"before": deployment(3)}, [], "unrecoverable", "nothing was edited"),
    "application: compared": (
        LET_GO, {"before": APP}, [saw("MODIFIED", ASKED), saw("MODIFIED", COMPARED)], "met", "has compared it since",
    ),
    "application: not compared yet": (LET_GO, {"before": APP}, [saw("MODIFIED", ASKED)], "pending", "not compared it"),
    "application: somebody put it back": (
        LET_GO, {"before": APP}, [saw("MODIFIED", ASKED), saw("MODIFIED", APP)], "pending", "not compared it",
    ),
    "application: looked like this before": (LET_GO, {"before": COMPARED}, [], "unrecoverable", "nothing was edited"),
    "edited: does not exist": (EDIT, {"before": None}, [], "unrecoverable", "does not exist"),
    "scaled: no pod left": (
        ScaledTo(target=NGINX, replicas=0), {"before": OLD}, [saw("MODIFIED", SCALED)], "met", "0 ready pods",
    ),
    "scaled: spec only": (
        ScaledTo(target=NGINX, replicas=0),
        {"before": OLD},
        [saw("MODIFIED", {**SCALED, "status": {"readyReplicas": 1}})],
        "pending",
        "[1]",
    ),
    "scaled: no pod was ready anyway": (
        ScaledTo(target=NGINX, replicas=0), {"before": OLD}, [saw("MODIFIED", deployment(1))], "pending", "[0]",
    ),
    "scaled: nothing seen": (ScaledTo(target=NGINX, replicas=0), {"before": OLD}, [], "pending", "[]"),
    "scaled: had as many": (
        ScaledTo(target=NGINX, replicas=1), {"before": OLD}, [], "unrecoverable", "1 replicas before",
    ),
    "scaled: does not exist": (
        ScaledTo(target=NGINX, replicas=0), {"before": None}, [], "unrecoverable", "does not exist",
    ),
    "container: added": (
        FAULTS["container-added"], {"before": OLD}, [saw("MODIFIED", OLD), saw("MODIFIED", TWO)], "met", "it is there",
    ),
    "container: not seen": (
        FAULTS["container-added"], {"before": OLD}, [saw("MODIFIED", OLD)], "pending", "not there",
    ),
    "container: had it": (FAULTS["container-added"], {"before": TWO}, [], "unrecoverable", "before"),
    "container: no workload": (FAULTS["container-added"], {"before": None}, [], "unrecoverable", "does not exist"),
    "created: a pod that is Ready": (SERVER, {"before": None}, [saw("ADDED", IDLE), saw("MODIFIED", READY)], "met", ""),
    "created: a pod that is not Ready": (SERVER, {"before": None}, [saw("ADDED", IDLE)], "pending", "it is not Ready"),
    "created: no pod": (SERVER, {"before": None}, [], "pending", "it has not appeared"),
    "cpu: placed": (FILLER, ASIDE, [saw("ADDED", UNPLACED), saw("MODIFIED", PLACED)], "met", "holds 1960m"),
    "cpu: not placed": (FILLER, ASIDE, [saw("ADDED", UNPLACED)], "pending", "not placed"),
    "rewired: the original is there": (FAULTS["rewired"], {}, [], "unrecoverable", "the original is there"),
    "cpu: nothing to take it from": (FILLER, {**ASIDE, "needed": 0}, [], "unrecoverable", "asks for no CPU"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_took_effect(case: str) -> None:
    fault, snapshot, seen, state, words = CASES[case]
    verdict = fault.verify_injected(NOWHERE, snapshot, seen)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_a_commit_took_effect_when_main_moved(toy_platform: Platform) -> None:
    fault = FAULTS["committed"]
    snapshot = fault.snapshot(toy_platform)
    assert fault.verify_injected(toy_platform, snapshot, ()).state == "unrecoverable"
    fault.inject(toy_platform, snapshot)
    assert fault.verify_injected(toy_platform, snapshot, ()).state == "met"


def test_a_rewiring_took_effect_when_the_replacement_is_there(toy_platform: Platform) -> None:
    fault, original = FAULTS["rewired"], schema.check
    fault.inject(toy_platform, {})
    try:
        assert fault.verify_injected(toy_platform, {}, ()).state == "met"
        assert schema.check is mutated.ignore_schemas
        fault.inject(toy_platform, {})
    finally:
        fault.revert(toy_platform, {})
    assert schema.check is original


@pytest.mark.parametrize(
    ("wire", "replacement"),
    [
        ("subprocess:run", "suite.mutants.gate:ignore_schemas"),
        ("neuroscale.cluster.guard:Guard", "suite.mutants.gate:ignore_schemas"),
        ("neuroscale.gateway:check", "suite.mutants.gate:ignore_schemas"),
        ("neuroscale.gate.schema:check\n", "suite.mutants.gate:ignore_schemas"),
        ("neuroscale.gate.schema:Schemas.of", "suite.mutants.gate:ignore_schemas"),
        ("neuroscale.commit_statuses:Statuses", "suite.mutants.comments:posted_anew"),
        ("neuroscale.gate.schema:check", "os:system"),
        ("neuroscale.gate.schema:check", "suite.mutants.gate_d:MUTANTS"),
    ],
)
def test_nothing_but_the_gate_can_be_rewired(wire: str, replacement: str) -> None:
    """A journal is a file: what stands in it must not reach the rest of this process."""
    with pytest.raises(ValidationError):
        FunctionPatched(wire=wire, replacement=replacement)


# --- snapshot, inject, revert


@pytest.mark.parametrize("kind", FAULTS)
def test_revert_puts_everything_back_and_a_second_one_does_nothing(
    kind: str, api: ApiServer, toy_platform: Platform, repository: Path
) -> None:
    populate(api)
    before, fault = picture(api, repository), FAULTS[kind]
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    assert picture(api, repository) != before

    fault.revert(toy_platform, snapshot)
    assert picture(api, repository) == before
    commits = git("-C", str(repository), "rev-list", "--count", "main")
    fault.revert(toy_platform, snapshot)
    assert picture(api, repository) == before
    assert git("-C", str(repository), "rev-list", "--count", "main") == commits


@pytest.mark.parametrize("kind", FAULTS)
def test_reverting_what_was_never_done_changes_nothing(
    kind: str, api: ApiServer, toy_platform: Platform, repository: Path
) -> None:
    populate(api)
    before = picture(api, repository)
    FAULTS[kind].revert(toy_platform, FAULTS[kind].snapshot(toy_platform))
    assert picture(api, repository) == before


@pytest.mark.parametrize("kind", FAULTS)
def test_a_target_that_is_gone_does_not_stop_a_revert(
    kind: str, api: ApiServer, toy_platform: Platform, repository: Path
) -> None:
    populate(api)
    snapshot = FAULTS[kind].snapshot(toy_platform)
    FAULTS[kind].inject(toy_platform, snapshot)
    for path in (f"{DEPLOYMENTS}/nginx-test", f"{CONFIG_MAPS}/stray", "/api/v1/namespaces/default/pods/filler"):
        api.objects.pop(path, None)
    FAULTS[kind].revert(toy_platform, snapshot)
    assert f"{CONFIG_MAPS}/stray" not in api.objects


def test_what_the_platform_put_back_is_not_put_back_again(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    fault = ObjectDeleted(target=PAGE)
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    healed = api.put(f"{CONFIG_MAPS}/nginx-page", {**fresh(snapshot["before"]), "data": {"newer": "content"}})
    fault.revert(toy_platform, snapshot)
    assert api.objects[f"{CONFIG_MAPS}/nginx-page"] == healed


def test_a_secret_counts_once_its_reader_has_new_pods_only(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    fault, path = FAULTS["secret-edited"], f"{DEPLOYMENTS}/nginx-test"
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    seen = [saw("MODIFIED", api.objects[f"{CONFIG_MAPS}/nginx-page"])]
    assert fault.verify_injected(toy_platform, snapshot, ()).observed == "the object has its old values"
    api.objects[path]["status"] = {"readyReplicas": 2, "updatedReplicas": 1, "replicas": 2}
    assert fault.verify_injected(toy_platform, snapshot, seen).state == "pending"
    api.objects[path]["status"] = {"readyReplicas": 1, "updatedReplicas": 1, "replicas": 1}
    assert fault.verify_injected(toy_platform, snapshot, seen).state == "met"
    api.put(path, snapshot["reader"])
    assert fault.verify_injected(toy_platform, snapshot, seen).observed == f"{NGINX} is not restarted"


def test_a_secret_is_put_back_before_its_reader_restarts(api: ApiServer, toy_platform: Platform) -> None:
    """The other way round, a new pod might still read what it should not."""
    populate(api)
    fault = FAULTS["secret-edited"]
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    api.writes.clear()
    fault.revert(toy_platform, snapshot)
    assert [write.rpartition("/")[2] for write in api.writes] == ["nginx-page", "nginx-test"]


def test_what_was_held_is_undone_once_it_is_there_and_stays(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    path, snapshot = f"{DEPLOYMENTS}/nginx-test", HELD.snapshot(toy_platform)
    assert HELD.rollback_complete(toy_platform, snapshot).state == "met"
    there = api.objects.pop(path)
    assert HELD.rollback_complete(toy_platform, snapshot).observed == "it is gone"
    api.put(path, merge(there, {"metadata": {"deletionTimestamp": "2026-11-22T22:04:05Z"}}))
    assert HELD.rollback_complete(toy_platform, snapshot).observed == "it is about to go"
    assert ObjectDeleted(target=NGINX).rollback_complete(toy_platform, snapshot).state == "met"


def test_what_was_there_before_is_not_deleted(api: ApiServer, toy_platform: Platform) -> None:
    fault = FAULTS["object-created"]
    assert isinstance(fault, ObjectCreated)
    api.put(f"{CONFIG_MAPS}/stray", fault.manifest)
    fault.revert(toy_platform, fault.snapshot(toy_platform))
    assert f"{CONFIG_MAPS}/stray" in api.objects


def test_the_filler_takes_what_is_free_and_a_bit_more(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    done = {**pod("done", "1"), "status": {"phase": "Succeeded"}}
    api.put("/api/v1/namespaces/default/pods/done", done)
    leaving = _with({**pod("leaving", "1"), "status": {"phase": "Running"}}, deletionTimestamp="2026-11-22T22:04:05Z")
    api.put("/api/v1/namespaces/default/pods/leaving", leaving)
    snapshot = FILLER.snapshot(toy_platform)
    assert (snapshot["millicpu"], snapshot["needed"]) == (2000 - 100 + 60, 100)


def test_a_pod_asks_for_the_sum_of_its_containers() -> None:
    containers: list[Object] = [
        {"resources": {"requests": {"cpu": "100m"}}}, {"resources": {}}, {"resources": {"requests": {"cpu": "1"}}}, {},
        {"resources": {"requests": {"cpu": "0.5m"}}},
    ]  # fmt: skip
    assert requested_millicores({"spec": {"containers": containers}}) == 1101


def test_fresh_has_nothing_of_the_api_server() -> None:
    meta = {
        "name": "a",
        "uid": "u",
        "resourceVersion": "1",
        "creationTimestamp": "t",
        "managedFields": [],
        "labels": {},
    }
    assert fresh({"kind": "K", "metadata": meta, "status": {}, "spec": {"a": 1}}) == {
        "kind": "K",
        "metadata": {"name": "a", "labels": {}},
        "spec": {"a": 1},
    }


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_every_fault_says_what_it_does(fault: Fault) -> None:
    assert len(fault.description) > 10


def test_a_commit_is_undone_once_the_applications_it_led_to_are_gone(api: ApiServer, toy_platform: Platform) -> None:
    """One whose sync is retried is deleted only when somebody ends its operation."""
    toy_platform.git_server.commit({"apps/kept/a.yaml": "a: 1\n"}, "Keep a folder")
    fault = Committed(message="Add a folder", files={"apps/added/a.yaml": "a: 1\n", "apps/kept/a.yaml": "a: 2\n"})
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    fault.revert(toy_platform, snapshot)
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/added"
    app: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "added"}}
    api.put(path, app)
    assert fault.rollback_complete(toy_platform, snapshot).state == "met", "made by hand, it is nothing of the commit's"
    app["metadata"] = {"name": "added", "ownerReferences": [{"kind": "ApplicationSet", "name": "models"}]}
    api.put(path, {**app, "status": {"operationState": {"phase": "Running"}}})
    assert fault.rollback_complete(toy_platform, snapshot).observed == "Applications left: added"
    fault.continue_rollback(toy_platform, snapshot)
    assert api.objects[path]["status"]["operationState"]["phase"] == "Running"
    api.put(path, merge(api.objects[path], {"metadata": {"deletionTimestamp": "2026-11-24T22:04:05Z"}}))
    assert fault.rollback_complete(toy_platform, snapshot).state == "pending"
    assert api.objects[path]["status"]["operationState"]["phase"] == "Running", "a query does not act"
    fault.continue_rollback(toy_platform, snapshot)
    assert api.objects[path]["status"]["operationState"]["phase"] == "Terminating"
    api.remove(path)
    assert fault.rollback_complete(toy_platform, snapshot).state == "met"


def test_a_sync_that_goes_on_by_edited_options_is_ended_and_begun_anew(api: ApiServer, toy_platform: Platform) -> None:
    path, fault = f"{APPLICATIONS}/nginx-test", LET_GO
    options: Object = {"syncPolicy": {"syncOptions": ["ServerSideApply=true"]}}
    api.put(path, merge(APP, {"spec": options}))

    def rollback_complete(phase: str, *began_with: str) -> str:
        state = {"phase": phase, "operation": {"sync": {"syncOptions": list(began_with)}}}
        api.put(path, merge(api.objects[path], {"status": {"operationState": state}}))
        state_of = fault.rollback_complete(toy_platform, {}).state
        fault.continue_rollback(toy_platform, {})
        return state_of

    assert rollback_complete("Succeeded", "Validate=false") == "met"
    assert rollback_complete("Running", "ServerSideApply=true") == "met"
    assert rollback_complete("Running", "Validate=false") == "pending"
    assert api.objects[path]["status"]["operationState"]["phase"] == "Terminating"
    assert rollback_complete("Terminating", "Validate=false") == "pending"
    assert "operation" not in api.objects[path]
    assert rollback_complete("Failed", "Validate=false") == "pending"
    assert api.objects[path]["operation"]["sync"]["syncOptions"] == ["ServerSideApply=true"]
    assert rollback_complete("Running", "ServerSideApply=true") == "met"
    api.remove(path)
    assert fault.rollback_complete(toy_platform, {}).state == "met"


def test_the_pod_of_a_controller_is_not_made_again(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    path = next(one for one in api.objects if "/pods/" in one)
    owned = {"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "name": "r", "uid": "u", "controller": True}]}}
    api.put(path, merge(api.objects[path], owned))
    fault = ObjectDeleted(target=Ref.to(api.objects[path]), at_once=True)
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    fault.revert(toy_platform, snapshot)
    assert path not in api.objects


def test_a_namespace_goes_after_what_runs_in_it(api: ApiServer, toy_platform: Platform) -> None:
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "home"}}
    fault = ObjectCreated(manifest=home)
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    within = {"name": "tenant", "namespace": "home"}
    api.put(
        "/apis/apps/v1/namespaces/home/deployments/tenant",
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": within, "spec": {}},
    )
    api.put("/api/v1/namespaces/home/pods/tenant", {**pod("tenant", "1m"), "metadata": within})
    fault.revert(toy_platform, snapshot)
    deleted = [write.split("/")[-2] for write in api.writes if write.startswith("DELETE ")]
    assert deleted == ["deployments", "pods", "namespaces"]


def test_what_is_frozen_is_rolled_back_when_the_kernel_says_so(api: ApiServer, toy_platform: Platform) -> None:
    populate(api)
    fault = Frozen()
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    assert fault.rollback_complete(toy_platform, snapshot).state == "pending"
    fault.revert(toy_platform, snapshot)
    assert fault.rollback_complete(toy_platform, snapshot).state == "met"


def test_a_workload_without_pods_cannot_be_frozen(toy_platform: Platform) -> None:
    fault = Frozen(workload=replace(NGINX, name="nobody"))
    snapshot = fault.snapshot(toy_platform)
    fault.inject(toy_platform, snapshot)
    verdict = fault.verify_injected(toy_platform, snapshot, ())
    assert (verdict.state, "has no pod" in verdict.observed) == ("unrecoverable", True)
