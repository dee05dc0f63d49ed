"""When drift counts as healed, how long that took, and that a heal which does not come is on record too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from apiserver import NONCE, ApiServer, merge
from fake_git_server import fake_platform
from fixtures import captured, having

from neuroscale.chaos.breakage import Breakage, Effect
from neuroscale.chaos.faults import Fault, FieldsEdited, ObjectCreated, ObjectDeleted
from neuroscale.chaos.journal import Journal
from neuroscale.chaos.objects import fresh
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.watch import Watcher, WatchEvent
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.git_server import EPOCH_FILES
from neuroscale.gitops import drift_scenarios
from neuroscale.gitops.drift_scenarios import (
    KINDS,
    Drifted,
    Healed,
    Judge,
    StaysHealed,
    came_back,
    end_self_heal_backoffs,
    force_new_revision,
    make,
    phases,
    reset_self_heal_backoff,
    stays_broken,
    values_are_back,
    wait_for_heal,
    was_pruned,
)
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import State, met, pending
from neuroscale.probes.reference_app import NGINX, TEST_APP
from neuroscale.results import Recorder, Sample
from neuroscale.settings import ROOT, Budgets

NOWHERE = cast("Cluster", None)
DEPLOYMENT, PAGE_NOW = captured("deployment-complete"), captured("configmap")
SERVICE = captured("service")
SCALE = FieldsEdited(target=NGINX, patch={"spec": {"replicas": 3}})
LABEL = FieldsEdited(target=NGINX, patch={"metadata": {"labels": {"owner": "somebody-else", "added": "by hand"}}})
GONE = ObjectDeleted(target=NGINX)
BEFORE = {
    "Deployment": DEPLOYMENT, "Service": SERVICE, "ConfigMap": PAGE_NOW, "Application": captured("application-child"),
}  # fmt: skip


def reborn(obj: Object, change: Object | None = None) -> Object:
    """The same object, recreated."""
    return cast("Object", merge(having(obj, uid="reborn"), change or {}))


CASES: dict[str, tuple[Judge, Object | None, State, str]] = {
    "back, with its pods": (came_back(DEPLOYMENT, GONE), reborn(DEPLOYMENT), "met", "new UID: 1 of 1 pods ready"),
    "back, without its pods": (
        came_back(DEPLOYMENT, GONE),
        reborn(DEPLOYMENT, {"status": {"readyReplicas": None}}),
        "pending",
        "back with a new UID: 0 of 1 pods ready",
    ),
    "back, with other content": (
        came_back(DEPLOYMENT, GONE), reborn(DEPLOYMENT, {"spec": {"replicas": 2}}), "pending", "with other content",
    ),
    "back, without a label": (
        came_back(DEPLOYMENT, GONE),
        reborn(DEPLOYMENT, {"metadata": {"labels": {"owner": None}}}),
        "pending",
        "with other content",
    ),
    "back: a ConfigMap has no pods": (came_back(PAGE_NOW, GONE), reborn(PAGE_NOW), "met", "back with a new UID"),
    "back: a ConfigMap with other data": (
        came_back(PAGE_NOW, GONE), reborn(PAGE_NOW, {"data": {"index.html": "?"}}), "pending", "other content",
    ),
    "back: a Service has another address": (
        came_back(SERVICE, GONE), reborn(SERVICE, {"spec": {"clusterIP": "10.43.0.9"}}), "met", "back with a new UID",
    ),
    "back: a Service leads elsewhere": (
        came_back(SERVICE, GONE), reborn(SERVICE, {"spec": {"selector": {"app": "x"}}}), "pending", "other content",
    ),
    "not back": (came_back(DEPLOYMENT, GONE), None, "pending", "it is gone"),
    "never deleted": (came_back(DEPLOYMENT, GONE), DEPLOYMENT, "unrecoverable", "it was never deleted"),
    "back from nowhere": (came_back(None, GONE), DEPLOYMENT, "unrecoverable", "was not there before"),
    "old values": (values_are_back(DEPLOYMENT, SCALE), DEPLOYMENT, "met", "the old values are back: 1 of 1 pods ready"),
    "edited values": (
        values_are_back(DEPLOYMENT, SCALE),
        captured("deployment-complete", {"spec": {"replicas": 3}}),
        "pending",
        "edited values",
    ),
    "old values, the extra pods still there": (
        values_are_back(DEPLOYMENT, SCALE), captured("deployment-shrinking"), "pending", "old values are back: 2 of 1",
    ),
    "half of the old values": (
        values_are_back(DEPLOYMENT, LABEL),
        captured("deployment-complete", {"metadata": {"labels": {"added": "by hand"}}}),
        "pending",
        "edited values",
    ),
    "old values of what has no pods": (
        values_are_back(BEFORE["Application"], SCALE), captured("application-child"), "met", "the old values are back",
    ),
    "edited and gone": (values_are_back(DEPLOYMENT, SCALE), None, "pending", "it is gone"),
    "edited out of nothing": (values_are_back(None, SCALE), DEPLOYMENT, "unrecoverable", "was not there before"),
    "pruned": (was_pruned(None, GONE), None, "met", "it is gone"),
    "not pruned": (was_pruned(None, GONE), PAGE_NOW, "pending", "it is there"),
    "being pruned": (
        was_pruned(None, GONE), having(PAGE_NOW, deletionTimestamp="2026-11-23T07:00:00Z"), "pending", "being deleted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_healed(case: str) -> None:
    evaluate, now, state, words = CASES[case]
    verdict = evaluate(now)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def before_of(words: str) -> Object | None:
    return None if "adds" in words else BEFORE[KINDS[words].target.kind]


def done(fault: Fault, before: Object | None) -> Object | None:
    """What the cluster holds right after the deed."""
    match fault:
        case FieldsEdited():
            return cast("Object", merge(before, fault.patch))
        case ObjectCreated():
            return fault.manifest
    return None


@pytest.mark.parametrize("words", KINDS)
def test_a_drift_of_any_kind_is_not_healed_by_itself_and_is_when_undone(words: str) -> None:
    kind, before = KINDS[words], before_of(words)
    fault = kind.fault(before)
    evaluate = kind.healed(before, fault)
    assert evaluate(done(fault, before)).state == "pending"
    assert evaluate(reborn(before) if before else None).state == "met"


def test_editing_a_container_leaves_the_rest_of_it() -> None:
    fault = KINDS["changes the image"].fault(DEPLOYMENT)
    assert isinstance(fault, FieldsEdited)
    old = DEPLOYMENT["spec"]["template"]["spec"]["containers"][0]
    (new,) = fault.patch["spec"]["template"]["spec"]["containers"]
    assert {key for key in old if old[key] != new[key]} == {"image"}


# --- when it was healed


@dataclass
class Seen:
    """In place of a watcher: sightings that are told beforehand."""

    watch_events: tuple[WatchEvent, ...]


FAULT_AT, FAULT_CLOCK = 100.0, datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
DRIFTED = captured("deployment-complete", {"spec": {"replicas": 3}})


def event(at: float, obj: Object, event: str = "MODIFIED") -> WatchEvent:
    return WatchEvent(event, obj, at, FAULT_CLOCK + timedelta(seconds=at - FAULT_AT))


def a_drift(
    *target: WatchEvent, app: tuple[WatchEvent, ...] = (), fault: Fault = SCALE, before: Object | None = DEPLOYMENT
) -> Drifted:
    """A drift whose every sighting is known."""
    judges = {"fields-edited": values_are_back, "object-deleted": came_back, "object-created": was_pruned}
    watchers = cast("Watcher", Seen(target)), cast("Watcher", Seen(app))
    effect = Effect(fault, {"before": before}, FAULT_AT, FAULT_AT, FAULT_CLOCK, "seen", watchers[0])
    return Drifted(NGINX, effect, watchers[1], judges[fault.kind](before, fault), 0, None)


HEAL_TIMES = {
    "the first good one": ([(100, DRIFTED), (104, DEPLOYMENT)], 104),
    "good ones after it do not count": ([(100, DRIFTED), (104, DEPLOYMENT), (106, DEPLOYMENT)], 104),
    "a relapse starts the run anew": (
        [(100, DRIFTED), (101, DEPLOYMENT), (103, DRIFTED), (105, DEPLOYMENT), (107, DEPLOYMENT)], 105,
    ),
    "old values without pods are not yet good": (
        [(100, DRIFTED), (102, captured("deployment-shrinking")), (108, DEPLOYMENT)], 108,
    ),
    "what was before the fault does not count": ([(90, DEPLOYMENT), (100, DRIFTED), (103, DEPLOYMENT)], 103),
    "good from the proof on": ([(90, DEPLOYMENT), (100, DEPLOYMENT), (103, DEPLOYMENT)], 100),
}  # fmt: skip


@pytest.mark.parametrize("case", HEAL_TIMES)
def test_the_heal_is_as_old_as_the_unbroken_run_of_good_sightings(case: str) -> None:
    seen, expected = HEAL_TIMES[case]
    probe = Healed(a_drift(*(event(at, obj) for at, obj in seen)))
    assert probe.check(NOWHERE).state == "met"
    assert probe.at == expected


def test_not_healed_has_no_time() -> None:
    for seen in ([], [event(90, DEPLOYMENT)], [event(104, DEPLOYMENT), event(105, DRIFTED)]):
        probe = Healed(a_drift(*seen))
        assert probe.check(NOWHERE).state == "pending"
        assert probe.at is None
    assert Healed(a_drift(event(90, DEPLOYMENT))).check(NOWHERE).observed == "nothing has happened to it since"


def test_a_deletion_is_an_absence() -> None:
    drifted = a_drift(event(100, DEPLOYMENT, "DELETED"), fault=GONE)
    assert Healed(drifted).check(NOWHERE).observed == "it is gone"
    stray = a_drift(event(100, PAGE_NOW, "ADDED"), event(109, PAGE_NOW, "DELETED"), fault=_stray(), before=None)
    probe = Healed(stray)
    assert probe.check(NOWHERE)
    assert probe.at == 109


def _stray() -> Fault:
    return ObjectCreated(manifest=fresh(PAGE_NOW))


# --- phases


def app(at: float, change: Object) -> WatchEvent:
    return event(at, captured("application-good", {"status": change}))


def test_phases_count_from_the_fault() -> None:
    started = {"operationState": {"startedAt": "2026-11-23T07:00:02Z", "phase": "Running"}}
    drifted = a_drift(
        event(100, DRIFTED),
        event(103.5, captured("deployment-shrinking")),
        event(106, DEPLOYMENT),
        app=(
            app(99, {"sync": {"status": "OutOfSync"}}),  # of an earlier drift
            app(101, {"sync": {"status": "OutOfSync"}}),
            app(102.25, {"sync": {"status": "OutOfSync"}, **started}),
        ),
    )
    assert phases(drifted, 6.0) == {"out of sync": 1.0, "operation started": 2.25, "applied": 3.5, "healed": 6.0}


def test_a_phase_that_was_not_seen_has_no_figure() -> None:
    synced = app(105, {})
    assert phases(a_drift(event(100, DRIFTED), app=(synced,)), None) == {
        "out of sync": None, "operation started": None, "applied": None, "healed": None,
    }  # fmt: skip


APPLIED = {
    "a deleted object is there again": (
        GONE, DEPLOYMENT, [(100, DEPLOYMENT, "DELETED"), (102, reborn(DEPLOYMENT), "ADDED")],
    ),
    "an edited object has its old values": (
        SCALE, DEPLOYMENT, [(100, DRIFTED, "MODIFIED"), (102, DEPLOYMENT, "MODIFIED")],
    ),
    "a stray object is gone": (_stray(), None, [(100, PAGE_NOW, "ADDED"), (102, PAGE_NOW, "DELETED")]),
}  # fmt: skip


@pytest.mark.parametrize("case", APPLIED)
def test_applied_is_the_first_trace_of_the_answer(case: str) -> None:
    fault, before, seen = APPLIED[case]
    drifted = a_drift(*(event(at, obj, kind) for at, obj, kind in seen), fault=fault, before=before)
    assert phases(drifted, None)["applied"] == 2


# --- the figure


@pytest.fixture
def kept() -> list[Sample]:
    return []


def test_a_heal_is_kept_with_its_time(kept: list[Sample]) -> None:
    drifted = a_drift(event(100, DRIFTED), event(104.5, DEPLOYMENT))
    stays = wait_for_heal(drifted, cast("Platform", _NoPlatform()), Recorder("scenario", kept.append))
    (sample,) = kept
    assert (sample.seconds, sample.censored, sample.series) == (4.5, False, "first drift at a commit")
    assert (sample.at, sample.scenario, sample.claim) == (FAULT_CLOCK, "scenario", "drift-heal")
    assert sample.phases["healed"] == 4.5
    assert stays == StaysHealed(drifted)


def test_a_heal_that_does_not_come_is_kept_as_censored(kept: list[Sample]) -> None:
    drifted = replace(a_drift(event(100, DRIFTED)), attempt=2, since_last_sync=7.5)
    with pytest.raises(ConditionTimeout, match="edited values"):
        wait_for_heal(drifted, cast("Platform", _NoPlatform()), Recorder("scenario", kept.append), within=0.05)
    (sample,) = kept
    assert (sample.seconds, sample.censored, sample.phases["healed"]) == (0.05, True, None)
    assert sample.series == "repeated drift at a commit"
    assert sample.facts == {"attempts before": 2, "seconds since last sync": 7.5}


def test_staying_broken_is_asked_of_the_object_itself() -> None:
    broken = replace(a_drift(), evaluate=lambda now: pending("still so"))
    stays_broken(broken, cast("Platform", _NoPlatform()), lasting=0)
    with pytest.raises(ConditionTimeout, match="it was corrected: as before"):
        stays_broken(replace(broken, evaluate=lambda now: met("as before")), cast("Platform", _NoPlatform()), lasting=0)


class _NoCluster:
    def get(self, ref: Ref) -> Object | None:
        return None


class _NoPlatform:
    cluster = _NoCluster()


# --- made and healed, against an API server


PAGES = "/api/v1/namespaces/default/configmaps/nginx-page"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"


@pytest.fixture
def breakage(api: ApiServer, cluster: Cluster, tmp_path: Path) -> Iterator[Breakage]:
    api.put(PAGES, PAGE_NOW)
    api.put(f"{APPLICATIONS}/{TEST_APP}", captured("application-syncing"))
    with Breakage(fake_platform(cluster), Journal(tmp_path / "journal.jsonl", NONCE)) as broken:
        yield broken


def test_a_drift_is_made_watched_and_timed(api: ApiServer, breakage: Breakage, kept: list[Sample]) -> None:
    drifted = make("deletes the ConfigMap", breakage)
    assert PAGES not in api.objects
    assert drifted.attempt == 1
    api.put(PAGES, fresh(PAGE_NOW))
    probe = wait_for_heal(drifted, breakage.platform, Recorder("scenario", kept.append), within=5)
    assert probe.check(breakage.platform.cluster).state == "met"
    assert 0 <= kept[0].seconds < 5
    assert kept[0].series == "repeated drift at a commit"
    api.remove(PAGES)
    assert probe.check(breakage.platform.cluster).observed == "it is gone"


# --- self-heal in charge


@pytest.fixture
def epochs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    begun: list[str] = []
    monkeypatch.setattr(drift_scenarios, "force_new_revision", lambda platform, name: begun.append(name))
    return begun


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ("application-good", []),
        ("application-child", [TEST_APP]),  # at a commit that was never synced, automated sync would mend it
        ("application-syncing", [TEST_APP]),
    ],
)
def test_a_new_epoch_begins_only_when_self_heal_is_not_in_charge(
    obj: str, expected: list[str], api: ApiServer, cluster: Cluster, epochs: list[str]
) -> None:
    api.put(f"{APPLICATIONS}/{TEST_APP}", having(captured(obj), name=TEST_APP))
    reset_self_heal_backoff("the test application", fake_platform(cluster))
    assert epochs == expected


def test_a_new_epoch_is_a_commit_that_was_synced(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_scenarios, "BUDGETS", Budgets(pick_up=0.1))
    before = {path: (ROOT / path).read_text(encoding="utf-8") for path in EPOCH_FILES.values()}
    platform = fake_platform(cluster, before)
    with pytest.raises(
        PreconditionFailed, match=r"The self-heal backoff was not reset, so nothing was broken.*does not exist"
    ):
        force_new_revision(platform)
    for path, old in before.items():
        now = platform.git_server.read(path)
        assert now is not None
        assert now != old
        assert now.splitlines()[:-1] == old.splitlines()[:-1]

    def follow(method: str, path: str) -> None:
        """Argo CD, quick."""
        head = platform.git_server.head()
        synced = {"phase": "Succeeded", "syncResult": {"revision": head}}
        change = {"reconciledAt": datetime.now(UTC).isoformat(), "sync": {"revision": head}, "operationState": synced}
        api.objects[f"{APPLICATIONS}/{TEST_APP}"] = captured("application-good", {"status": change})

    api.before = follow
    force_new_revision(platform)


def put_healed(api: ApiServer, attempts: int) -> None:
    operation = {"phase": "Succeeded", "operation": {"sync": {"autoHealAttemptsCount": attempts}}}
    status = {"reconciledAt": datetime.now(UTC).isoformat(), "operationState": operation}
    api.objects[f"{APPLICATIONS}/{TEST_APP}"] = captured("application-good", {"status": status})


def test_without_a_backoff_nothing_is_synced(api: ApiServer, cluster: Cluster) -> None:
    put_healed(api, 2)
    end_self_heal_backoffs(fake_platform(cluster))
    assert "operation" not in api.objects[f"{APPLICATIONS}/{TEST_APP}"]


def test_a_backoff_ends_with_a_sync_by_hand(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_scenarios, "BUDGETS", Budgets(pick_up=0.1))
    put_healed(api, 3)
    with pytest.raises(PreconditionFailed, match=r"so nothing was broken\. Timed out .* but after 3 attempts"):
        end_self_heal_backoffs(fake_platform(cluster))
    assert api.objects[f"{APPLICATIONS}/{TEST_APP}"]["operation"]["initiatedBy"] == {"username": "neuroscale"}

    def follow(method: str, path: str) -> None:
        """Argo CD, quick."""
        if "operation" in api.objects[f"{APPLICATIONS}/{TEST_APP}"]:
            put_healed(api, 0)

    put_healed(api, 3)
    api.before = follow
    end_self_heal_backoffs(fake_platform(cluster))


@pytest.mark.parametrize("damaged", EPOCH_FILES.values())
@pytest.mark.parametrize("content", ["data: {}\n", None])
def test_without_every_epoch_file_no_epoch_begins(damaged: str, content: str | None, cluster: Cluster) -> None:
    whole = {path: 'data:\n  epoch: "0"\n' for path in EPOCH_FILES.values() if path != damaged}
    platform = fake_platform(cluster, whole | ({damaged: content} if content else {}))
    head = platform.git_server.head()
    with pytest.raises(PreconditionFailed, match=rf"^{damaged} on main should have a line.*Next: "):
        force_new_revision(platform)
    assert platform.git_server.head() == head


def test_every_application_that_is_responsible_has_an_epoch_file() -> None:
    assert set(drift_scenarios.RESPONSIBLE.values()) == set(EPOCH_FILES)
    assert {kind.application for kind in KINDS.values()} <= set(EPOCH_FILES)
    for file in EPOCH_FILES.values():
        assert "\n  epoch: " in (ROOT / file).read_text(encoding="utf-8")
