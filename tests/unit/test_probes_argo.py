"""What Argo CD says of itself, and what it does not say: each judgement on objects from a real cluster."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import apiserver
import pytest
from apiserver import ApiServer
from fixtures import captured, having, refused, uncomparable

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import State, Verdict
from neuroscale.probes import argo
from neuroscale.probes.applications import ApplicationsExist, EachApplication, evaluate_each, evaluate_names
from neuroscale.probes.argo import (
    Gone,
    OwnedByApplicationSet,
    attempts,
    describe,
    evaluate_at,
    evaluate_error_shown,
    evaluate_good,
    evaluate_in_charge,
    evaluate_owner,
    evaluate_uncomparable,
    is_out_of_sync,
    revision,
    since_last_sync,
    started_after,
)
from neuroscale.settings import ARGOCD

GOOD = captured("application-good")
COMPARED = datetime.fromisoformat(GOOD["status"]["reconciledAt"])
COMMIT, OTHER = GOOD["status"]["sync"]["revision"], "0123456789abcdef0123456789abcdef01234567"
APPLICATIONS = f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}/applications"
REFUSED = ("SyncError", "OperationFailed", "SyncFailed")
OUT_OF_SYNC = captured("application-out-of-sync")
UNCOMPARABLE = captured("application-uncomparable")
UNPARSABLE = uncomparable('Failed to unmarshal "deployment.yaml": yaml: line 43: did not find expected node content')
BLOCKED = refused(
    'Internal error occurred: failed calling webhook "left-over.experiment.neuroscale.io": failed to call webhook: '
    'Post "https://left-over.default.svc:443/?timeout=2s": service "left-over" not found'
)
SYNCING = captured("application-syncing")


def status(change: Object) -> Object:
    return captured("application-good", {"status": change})


def operation(change: Object) -> Object:
    return status({"operationState": change})


def good(seconds: float = 5) -> Callable[[Object | None], Verdict]:
    """Judged so many seconds after it was last compared."""

    def evaluate(app: Object | None) -> Verdict:
        last = ((app or {}).get("status") or {}).get("reconciledAt")
        return evaluate_good(app, (datetime.fromisoformat(last) if last else COMPARED) + timedelta(seconds=seconds))

    return evaluate


def shows(words: str, *kinds: str) -> Callable[[Object | None], Verdict]:
    return partial(evaluate_error_shown, kinds=kinds or REFUSED, words=words)


def at(commit: str | None) -> Callable[[Object | None], Verdict]:
    return lambda app: evaluate_at(app, COMPARED, commit)


def by_folder(app: Object) -> Object:
    annotations = {"argocd.argoproj.io/manifest-generate-paths": "."}
    return {**app, "metadata": {**app["metadata"], "annotations": annotations}}


ENDED = {"phase": "Failed", "message": "Operation terminated"}
ENDED_EARLIER = operation({**ENDED, "syncResult": {"revision": OTHER}})

CASES: dict[str, tuple[Callable[[Object | None], Verdict], Object | None, State, str]] = {
    "good": (good(), GOOD, "met", "Synced/Healthy, compared 5 s ago"),
    "good: just young enough": (good(90), GOOD, "met", "compared 90 s ago"),
    "good: the cluster's clock is ahead": (good(-3), GOOD, "met", "compared 0 s ago"),
    "good: the controller died": (good(91), GOOD, "pending", "Synced/Healthy, but last compared 91 s ago"),
    "good: never compared": (good(), status({"reconciledAt": None}), "pending", "never compared"),
    "good: drifted": (
        good(),
        OUT_OF_SYNC,
        "pending",
        "OutOfSync/Healthy; 1 resources not Synced, first: Deployment nginx-test OutOfSync",
    ),
    "good: pods are coming": (good(), captured("application-progressing"), "pending", "Synced/Progressing"),
    "good: not comparable": (good(), UNCOMPARABLE, "pending", "Unknown/Healthy; ComparisonError: "),
    "good: not comparable, and the old status still there": (
        good(), captured("application-error-and-old-status"), "pending", "Synced/Healthy; ComparisonError: ",
    ),
    "good: nothing in its folder": (
        good(), captured("application-path-missing"), "pending", "apps/newcomer: app path does not exist",
    ),
    "good: Synced and Healthy, but with a condition": (
        good(),
        captured("application-without-project"),
        "pending",
        "Synced/Healthy; InvalidSpecError: Application referencing project neuroscale-platform which does not exist",
    ),
    "good: Synced, and its last sync failed at this commit": (
        good(), operation(ENDED), "pending", "operation Failed: Operation terminated, so nothing is healed until",
    ),
    "good: Synced, and its last sync failed at another commit": (
        good(), ENDED_EARLIER, "met", "Synced/Healthy; operation Failed: Operation terminated",
    ),
    "good: the same, but no commit elsewhere makes it try again": (
        good(), by_folder(ENDED_EARLIER), "pending", "argocd app sync",
    ),
    "good: made from a folder, and in order": (good(), by_folder(GOOD), "met", "Synced/Healthy"),
    "good: Synced, but not at the end": (
        good(), captured("application-operation-running"), "pending", "but an operation is under way",
    ),
    "good: brand-new": (good(), {"metadata": {"name": "a"}}, "pending", "Unknown/Unknown"),
    "good: absent": (good(), None, "pending", "does not exist"),
    "at: the commit": (at(COMMIT), GOOD, "met", "Synced/Healthy"),
    "at: any commit": (at(None), GOOD, "met", "Synced/Healthy"),
    "at: another commit": (at(OTHER), GOOD, "pending", f"but at {COMMIT[:8]}"),
    "at: not good at all": (at(COMMIT), OUT_OF_SYNC, "pending", "OutOfSync"),
    "at: absent": (at(COMMIT), None, "pending", "does not exist"),
    "in charge: just synced": (evaluate_in_charge, GOOD, "met", f"synced at {COMMIT[:8]} (Succeeded), 0 attempts"),
    "in charge: two attempts": (
        evaluate_in_charge, operation({"operation": {"sync": {"autoHealAttemptsCount": 2}}}), "met", "2 attempts",
    ),
    "in charge: backing off": (
        evaluate_in_charge, operation({"operation": {"sync": {"autoHealAttemptsCount": 3}}}), "pending", "3 attempts",
    ),
    "in charge: the commit was never synced": (
        evaluate_in_charge, status({"sync": {"revision": OTHER}}), "pending", f"{COMMIT[:8]} (Succeeded)",
    ),
    "in charge: the sync failed": (evaluate_in_charge, operation({"phase": "Failed"}), "pending", "(Failed)"),
    "in charge: never synced at all": (
        evaluate_in_charge, captured("application-child"), "pending", "last synced at no commit (None)",
    ),
    "in charge: absent": (evaluate_in_charge, None, "pending", "does not exist"),
    "uncomparable": (evaluate_uncomparable, UNCOMPARABLE, "met", "Unknown/Healthy; ComparisonError: "),
    "uncomparable: old status": (evaluate_uncomparable, GOOD, "pending", "Synced/Healthy"),
    "uncomparable: OutOfSync was compared": (evaluate_uncomparable, OUT_OF_SYNC, "pending", "OutOfSync"),
    "uncomparable: an error beside the old status": (
        evaluate_uncomparable, captured("application-error-and-old-status"), "pending", "Synced/Healthy; Comp",
    ),
    "uncomparable: Unknown, and nothing said of it": (
        evaluate_uncomparable, captured("application-unknown"), "pending", "Unknown/Healthy; 4 resources not Synced",
    ),
    "uncomparable: another error": (
        evaluate_uncomparable,
        {**UNCOMPARABLE, "status": {"conditions": [{"type": "InvalidSpecError", "message": "no project"}]}},
        "pending",
        "Unknown/Unknown; InvalidSpecError: no project",
    ),
    "uncomparable: not yet": (evaluate_uncomparable, {"metadata": {"name": "a"}}, "pending", "Unknown/Unknown"),
    "uncomparable: absent": (evaluate_uncomparable, None, "pending", "does not exist"),
    "error: unparsable manifest": (
        shows("Failed to unmarshal", "ComparisonError"), UNPARSABLE, "met", "ComparisonError: ",
    ),
    "error: the same type with other words": (
        shows("Failed to unmarshal", "ComparisonError"), UNCOMPARABLE, "pending", "no ComparisonError with",
    ),
    "error: the words under another type": (
        shows("Failed to unmarshal", "SyncError"), UNPARSABLE, "pending", "no SyncError with 'Failed to unmarshal'",
    ),
    "error: an object is refused": (
        shows("left-over.experiment.neuroscale.io"), BLOCKED, "met", "failed calling webhook",
    ),
    "error: nothing is wrong": (shows("left-over"), GOOD, "pending", "no SyncError or OperationFailed or SyncFailed"),
    "error: under way is not failed": (
        shows("successfully"), operation({"phase": "Running", "message": "successfully"}), "pending", "Running",
    ),
    "error: failed and being tried again": (
        shows("refused", "OperationFailed"),
        operation({"phase": "Running", "message": "refused. Retrying attempt #1", "retryCount": 1}),
        "met",
        "OperationFailed: refused",
    ),
    "error: one resource failed": (
        shows("Invalid value: -1", "SyncFailed"),
        operation({
            "phase": "Failed",
            "syncResult": {
                "resources": [
                    {"status": "Synced", "message": "Invalid value: -1, but it was taken"},
                    {"status": "SyncFailed", "message": "spec.replicas: Invalid value: -1"},
                ]
            },
        }),
        "met",
        "SyncFailed: spec.replicas: Invalid value: -1",
    ),
    "error: absent": (shows("a"), None, "pending", "does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_judgement(case: str) -> None:
    evaluate, app, state, words = CASES[case]
    verdict = evaluate(app)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


@pytest.mark.parametrize(
    ("app", "commit", "state", "words"),
    [
        (GOOD, COMMIT, "met", "Synced/Healthy"),
        (GOOD, OTHER, "pending", f"at {COMMIT[:8]}"),
        (captured("application-out-of-sync"), COMMIT, "pending", "OutOfSync"),
        ({"metadata": {}}, COMMIT, "pending", "at no commit"),
        (None, COMMIT, "pending", "it does not exist"),
    ],
)
def test_synced_to_is_of_one_commit(app: Object | None, commit: str, state: State, words: str) -> None:
    verdict = argo.evaluate_synced_to(app, commit)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_a_long_message_is_cut() -> None:
    app = status({"conditions": [{"type": "ComparisonError", "message": "x" * 5000}]})
    assert len(describe(app)) < 400
    assert len(evaluate_error_shown(app, ("ComparisonError",), "x").observed) < 400


# --- facts of one Application


def test_what_an_application_says_of_its_last_operation() -> None:
    assert revision(GOOD) == COMMIT
    assert revision({"metadata": {}}) == ""
    assert attempts(GOOD) == attempts({}) == 0
    ended = datetime.fromisoformat(GOOD["status"]["operationState"]["finishedAt"])
    since = since_last_sync(GOOD)
    assert since is not None
    assert since == pytest.approx((datetime.now(UTC) - ended).total_seconds(), abs=5)
    assert since_last_sync(captured("application-child")) is None
    assert is_out_of_sync(OUT_OF_SYNC)
    assert not is_out_of_sync(UNCOMPARABLE)


def test_an_operation_began_when_it_is_asked_for_or_its_state_is_young_enough() -> None:
    began = datetime.fromisoformat(GOOD["status"]["operationState"]["startedAt"])
    assert started_after(GOOD, began + timedelta(milliseconds=900))  # Argo CD writes whole seconds
    assert not started_after(GOOD, began + timedelta(seconds=1))
    assert started_after({**GOOD, "operation": {}}, began + timedelta(days=1))
    assert not started_after({"metadata": {}}, began)
    assert SYNCING["status"]["operationState"]["phase"] == "Running"


# --- several Applications


def test_names_are_compared_both_ways() -> None:
    assert evaluate_names({"a", "b"}, {"b", "a"}).observed == "2 Applications: a, b"
    wrong = evaluate_names({"a", "made-by-hand"}, {"a", "b"})
    assert (wrong.state, wrong.observed) == ("pending", "missing: b; not described by Git: made-by-hand")
    assert evaluate_names({"a"}, set()).state == evaluate_names(set(), set()).state == "unrecoverable"


def test_one_bad_application_is_enough() -> None:
    apps = {"good": GOOD, "drifted": OUT_OF_SYNC, "absent": None}
    verdict = evaluate_each(apps, COMPARED)
    assert verdict.state == "pending"
    assert verdict.observed.startswith("absent: it does not exist; drifted: OutOfSync/")
    assert "good:" not in verdict.observed
    assert evaluate_each({"good": GOOD}, COMPARED).observed == "all 1 are Synced and Healthy"
    assert evaluate_each({"good": GOOD}, COMPARED, OTHER).observed.startswith("good: Synced/Healthy")
    assert evaluate_each({}, COMPARED).state == "unrecoverable"


def test_an_owner_is_known_by_uid_and_controls() -> None:
    owner, reference = captured("applicationset"), GOOD["metadata"]["ownerReferences"][0]
    assert evaluate_owner(GOOD, owner).observed == "owned by ApplicationSet neuroscale-model-endpoints"
    assert evaluate_owner(GOOD, owner)
    assert not evaluate_owner(GOOD, having(owner, uid="of-a-namesake"))
    assert not evaluate_owner(having(GOOD, ownerReferences=[{**reference, "controller": False}]), owner)
    others = [{**reference, "uid": "of-somebody", "controller": False}, reference]
    assert evaluate_owner(having(GOOD, ownerReferences=others), owner)
    assert evaluate_owner(captured("application-child"), owner).observed == "owned by nobody"
    assert evaluate_owner(None, owner).observed == "the Application does not exist"
    assert evaluate_owner(GOOD, None).observed == "the ApplicationSet does not exist"


# --- probes


@pytest.fixture
def fresh(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Object:
    """The good Application, compared a moment ago, in a cluster that knows ApplicationSets."""
    kinds = {**apiserver.KINDS["/apis/argoproj.io/v1alpha1"], "applicationsets": ("ApplicationSet", True)}
    monkeypatch.setitem(apiserver.KINDS, "/apis/argoproj.io/v1alpha1", kinds)
    return put(api, status({"reconciledAt": datetime.now(UTC).isoformat()}))


def put(api: ApiServer, app: Object) -> Object:
    return api.put(f"{APPLICATIONS}/{app['metadata']['name']}", app)


def test_a_probe_asks_about_its_application(api: ApiServer, cluster: Cluster, fresh: Object) -> None:
    assert argo.good("test-app").check(cluster)
    assert argo.good_at("test-app", COMMIT).check(cluster)
    assert not argo.good_at("test-app", OTHER).check(cluster)
    assert argo.good("other").check(cluster).observed == "it does not exist"
    assert not argo.uncomparable("test-app").check(cluster)
    assert argo.evaluate_out_of_sync(fresh).state == argo.evaluate_out_of_sync(None).state == "pending"
    assert argo.evaluate_out_of_sync(OUT_OF_SYNC).state == "met"
    put(api, UNCOMPARABLE)
    assert argo.uncomparable("test-app").check(cluster)
    put(api, UNPARSABLE)
    probe = argo.shows_error("test-app", ("ComparisonError",), "Failed to unmarshal")
    assert probe.check(cluster)
    assert probe.description == "Application \"test-app\" shows ComparisonError with 'Failed to unmarshal'"


def test_the_clock_is_read_at_each_look(api: ApiServer, cluster: Cluster, fresh: Object) -> None:
    probe = argo.good("test-app")
    assert probe.check(cluster)
    put(api, GOOD)
    assert "last compared" in probe.check(cluster).observed


def test_all_applications_are_asked(api: ApiServer, cluster: Cluster, fresh: Object) -> None:
    both = frozenset({"test-app", "second"})
    assert ApplicationsExist(both).check(cluster).observed == "missing: second"
    assert "second: it does not exist" in EachApplication(both).check(cluster).observed
    put(api, having(fresh, name="second"))
    assert ApplicationsExist(both).check(cluster)
    assert EachApplication(both, COMMIT).check(cluster)
    assert EachApplication(both, COMMIT).description.endswith(f"is Synced and Healthy at {COMMIT[:8]}")
    assert EachApplication(both).description.endswith("is Synced and Healthy")
    assert not EachApplication(both, OTHER).check(cluster)


def test_the_application_set_that_exists_now_is_the_owner(api: ApiServer, cluster: Cluster, fresh: Object) -> None:
    probe, owner = OwnedByApplicationSet("test-app"), captured("applicationset")
    assert probe.check(cluster).observed == "the ApplicationSet does not exist"
    api.put(f"{APPLICATIONS.removesuffix('s')}sets/{owner['metadata']['name']}", owner)
    assert probe.check(cluster)


def test_gone_is_more_than_being_deleted(api: ApiServer, cluster: Cluster) -> None:
    ref, path = Ref("ConfigMap", "nginx-page", "default"), "/api/v1/namespaces/default/configmaps/nginx-page"
    assert Gone(ref).check(cluster)
    api.put(path, captured("configmap"))
    assert Gone(ref).check(cluster).observed == "it exists"
    api.put(path, having(captured("configmap"), deletionTimestamp="2026-11-23T07:00:00Z"))
    assert (Gone(ref).check(cluster).state, Gone(ref).check(cluster).observed) == ("pending", "it is being deleted")


def test_argo_cd_is_all_of_its_workloads() -> None:
    names = {ref.name for ref in argo.workloads_ready().refs}
    assert {argo.REPO_SERVER.name, argo.CONTROLLER.name} < names
    manifests = Path(__file__).parents[2] / "bootstrap" / "argocd" / "without-dex.yaml"
    assert "argocd-dex-server" in manifests.read_text(encoding="utf-8")
    assert "argocd-dex-server" not in names


@pytest.mark.parametrize(
    ("annotated", "same", "good"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_one_made_from_a_single_folder_may_be_at_a_commit_that_has_it_as_this_one(
    annotated: bool, same: bool, good: bool
) -> None:
    asked: list[tuple[str, str, str]] = []

    def ask(*question: str) -> bool:
        asked.append(cast("tuple[str, str, str]", question))
        return same

    app = copy.deepcopy(GOOD)
    app["metadata"]["annotations"] = {"argocd.argoproj.io/manifest-generate-paths": "."} if annotated else {}
    app["spec"]["source"]["path"] = "a/folder"
    verdict = evaluate_each({"first": app}, COMPARED, OTHER, ask)
    assert bool(verdict) == good
    assert asked == [("a/folder", COMMIT, OTHER)] * annotated
    assert not evaluate_each({"first": None}, COMPARED, OTHER, ask)
    assert evaluate_each({"first": app}, COMPARED, COMMIT, ask)
    assert len(asked) == annotated, "one that is at the commit needs no question"


def test_an_object_of_a_kind_that_is_no_longer_watched_is_not_good() -> None:
    """Seen after the CRD of models was deleted and restored: Synced and Healthy, no drift healed, nothing removed."""
    resources = copy.deepcopy(GOOD["status"]["resources"])
    assert resources
    assert {one["status"] for one in resources} == {"Synced"}
    resources[0]["status"] = "Unknown"
    verdict = good()(status({"resources": resources}))
    assert (verdict.state, "1 resources not Synced" in verdict.observed) == ("pending", True)
