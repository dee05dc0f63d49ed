"""Commits that change the platform on purpose, and when the cluster followed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from apiserver import NONCE, ApiServer
from fake_git_server import fake_platform
from fixtures import captured, having, refused, uncomparable

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.gitops import commit_scenarios
from neuroscale.gitops.commit_scenarios import (
    NEWCOMER,
    ComparedWith,
    Replicas,
    add_folder,
    add_object,
    arrived,
    break_manifest,
    commit_replicas,
    evaluate_noticed,
    revert,
    wait_for_sync,
)
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import State
from neuroscale.probes import argo
from neuroscale.probes.reference_app import MANIFEST
from neuroscale.results import Recorder, Sample
from neuroscale.settings import ROOT, Budgets

ORIGINAL = (ROOT / MANIFEST).read_text(encoding="utf-8")
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/nginx-test"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
COMMIT, OTHER = "1" * 40, "2" * 40


# --- the defects


def test_the_manifest_that_is_not_yaml_is_not() -> None:
    spoil, _ = commit_scenarios._DEFECTS["is not YAML"]
    with pytest.raises(yaml.YAMLError):
        list(yaml.safe_load_all(spoil(ORIGINAL)))


def test_the_manifest_that_is_refused_is_good_yaml_with_one_bad_value() -> None:
    spoil, _ = commit_scenarios._DEFECTS["the API server rejects"]
    good, bad = yaml.safe_load(ORIGINAL), yaml.safe_load(spoil(ORIGINAL))
    assert bad["spec"].pop("replicas") == -1
    assert good["spec"].pop("replicas") > 0
    assert bad == good


SHOWN = {
    "is not YAML": uncomparable(
        'Failed to unmarshal "deployment.yaml": yaml: line 43: did not find expected node content'
    ),
    "the API server rejects": refused(
        'Deployment.apps "nginx-test" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0'
    ),
    "nothing is broken": captured("application-good"),
    "the repo-server is down": captured("application-uncomparable"),
    "a webhook is stale": refused(
        'Internal error occurred: failed calling webhook "left-over.experiment.neuroscale.io"'
    ),
}


@pytest.mark.parametrize("defect", commit_scenarios._DEFECTS)
def test_each_defect_is_told_from_every_other_trouble(defect: str, api: ApiServer, cluster: Cluster) -> None:
    _, error = commit_scenarios._DEFECTS[defect]
    for trouble, app in SHOWN.items():
        api.put(f"{APPLICATIONS}/test-app", app)
        assert (error.check(cluster).state == "met") == (trouble == defect), trouble


# --- probes

REPLICAS: dict[str, tuple[int, Object | None, State, str]] = {
    "as many, all ready": (1, captured("deployment-complete"), "met", "1 of 1 pods ready"),
    "another number": (2, captured("deployment-complete"), "pending", "it wants 1 replicas"),
    "wanted, not yet ready": (2, captured("deployment-growing"), "pending", "1 of 2 pods ready"),
    "one too many still there": (1, captured("deployment-shrinking"), "pending", "2 of 1 pods ready"),
    "absent": (1, None, "pending", "it does not exist"),
}


@pytest.mark.parametrize("case", REPLICAS)
def test_replicas(case: str, api: ApiServer, cluster: Cluster) -> None:
    count, obj, state, words = REPLICAS[case]
    if obj:
        api.objects[DEPLOYMENT] = obj
    verdict = Replicas(count).check(cluster)
    assert (verdict.state, words in verdict.observed) == (state, True), verdict


def test_exists(api: ApiServer, cluster: Cluster) -> None:
    probe = argo.Exists(Ref("ConfigMap", "nginx-page", "default"))
    assert probe.check(cluster).observed == "it does not exist"
    page = api.put(f"{CONFIG_MAPS}/nginx-page", captured("configmap"))
    assert probe.check(cluster).observed == f"it exists with UID {page['metadata']['uid']}"


def pushed(at: datetime | None = None) -> PushedCommit:
    page = Ref("ConfigMap", "nginx-page", "default")
    return PushedCommit(COMMIT, at or datetime.now(UTC), argo.Exists(page), argo.Gone(page))


def compare(api: ApiServer, name: str, commit: str) -> None:
    app = captured("application-good", {"status": {"sync": {"revision": commit}}})
    api.put(f"{APPLICATIONS}/{name}", having(app, name=name))


def test_one_application_that_was_compared_with_the_commit_is_enough(api: ApiServer, cluster: Cluster) -> None:
    probe = ComparedWith(pushed())
    assert probe.check(cluster).state == "pending"
    compare(api, "a", OTHER)
    api.put(f"{APPLICATIONS}/never-compared", having(captured("application-good", {"status": None}), name="b"))
    assert (probe.check(cluster).state, probe.check(cluster).observed) == ("pending", f"a at {OTHER[:8]}; b at ")
    compare(api, "c", COMMIT)
    assert (probe.check(cluster).state, probe.check(cluster).observed) == ("met", "compared: c")


# --- commits


@pytest.fixture
def breakage(cluster: Cluster, tmp_path: Path) -> Iterator[Breakage]:
    """The Git server holds the test application's manifest."""
    with Breakage(fake_platform(cluster, {MANIFEST: ORIGINAL}), Journal(tmp_path / "journal.jsonl", NONCE)) as broken:
        yield broken


def test_a_commit_gives_replicas_and_its_revert_takes_them(breakage: Breakage) -> None:
    git_server = breakage.platform.git_server
    change = commit_replicas(breakage, 2)
    assert (change.expects, change.before) == (Replicas(2), Replicas(1))
    assert change.commit == git_server.head()
    assert yaml.safe_load(git_server.read(MANIFEST) or "")["spec"]["replicas"] == 2
    back = revert(change, breakage.platform)
    assert (back.expects, back.before) == (Replicas(1), Replicas(2))
    assert back.commit == git_server.head() != change.commit
    assert git_server.read(MANIFEST) == ORIGINAL


def test_each_kind_of_commit_says_what_is_to_be_seen(breakage: Breakage) -> None:
    git_server = breakage.platform.git_server
    added, folder = add_object(breakage), add_folder(breakage)
    extra = yaml.safe_load(git_server.read("apps/test-app/extra.yaml") or "")
    assert added.expects == argo.Exists(Ref("ConfigMap", extra["metadata"]["name"], "default"))
    assert added.before == argo.Gone(Ref("ConfigMap", extra["metadata"]["name"], "default"))
    assert git_server.folders("apps") == [NEWCOMER, "test-app"]
    assert folder.expects.description == f'Application "{NEWCOMER}" is Synced and Healthy'
    assert folder.before == argo.Gone(argo.application(NEWCOMER))


def test_a_broken_manifest_is_undone_with_the_rest(breakage: Breakage) -> None:
    broken = break_manifest(breakage, "the API server rejects")
    assert "ComparisonError" not in broken.expects.description
    assert "replicas: -1" in (breakage.platform.git_server.read(MANIFEST) or "")
    breakage.roll_back()
    assert breakage.platform.git_server.read(MANIFEST) == ORIGINAL


def test_without_the_manifest_nothing_is_committed(breakage: Breakage) -> None:
    git_server = breakage.platform.git_server
    git_server.commit({MANIFEST: "spec: {}\n"}, "No replicas")
    with pytest.raises(PreconditionFailed, match=r"should hold a line `replicas: N`.*Next: "):
        commit_replicas(breakage, 2)
    git_server.commit({MANIFEST: None}, "No manifest")
    with pytest.raises(PreconditionFailed, match=rf"{MANIFEST} should be on main, but is not.*Next: "):
        break_manifest(breakage, "is not YAML")
    assert breakage.effects == []


# --- following


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_scenarios, "BUDGETS", Budgets(pick_up=0.05))


@pytest.mark.usefixtures("hasty")
def test_what_the_scenario_begins_with_must_arrive(api: ApiServer, cluster: Cluster) -> None:
    change = pushed()
    with pytest.raises(PreconditionFailed, match=r"that the scenario begins with did not arrive.*does not exist"):
        arrived(change, fake_platform(cluster))
    api.put(f"{CONFIG_MAPS}/nginx-page", captured("configmap"))
    assert arrived(change, fake_platform(cluster)) is change


@pytest.mark.usefixtures("hasty")
def test_picked_up_and_arrived_are_timed_from_the_push(api: ApiServer, cluster: Cluster) -> None:
    kept: list[Sample] = []
    compare(api, "test-app", COMMIT)
    api.put(f"{CONFIG_MAPS}/nginx-page", captured("configmap"))
    change = pushed(at=datetime.now(UTC) - timedelta(seconds=30))
    assert wait_for_sync(change, fake_platform(cluster), Recorder("scenario", kept.append)) is change.expects
    (sample,) = kept
    picked_up, there = sample.phases["picked up"], sample.phases["arrived"]
    assert picked_up is not None
    assert there is not None
    assert 30 <= picked_up <= there < 40
    assert (sample.seconds, sample.censored, sample.claim) == (there, False, "git-pick-up")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("noticed", [False, True])
def test_a_commit_that_is_not_followed_is_kept_as_censored(noticed: bool, api: ApiServer, cluster: Cluster) -> None:
    kept: list[Sample] = []
    compare(api, "test-app", COMMIT if noticed else OTHER)
    with pytest.raises(ConditionTimeout, match="does not exist" if noticed else rf"test-app at {OTHER[:8]}"):
        wait_for_sync(pushed(), fake_platform(cluster), Recorder("scenario", kept.append))
    (sample,) = kept
    assert (sample.seconds, sample.censored, sample.phases["arrived"]) == (0.05, True, None)
    assert (sample.phases["picked up"] is not None) == noticed


@pytest.mark.parametrize(
    ("seconds", "state", "seen"),
    [
        ([0.8, 1.0], "met", "told after 800 ms, 1 s"),
        ([0.8, 1.0, 4.0], "met", "told after 800 ms, 1 s, 4 s"),
        ([0.8, 1.01, 4.0], "unrecoverable", "told after 800 ms, 1.01 s, 4 s"),
        ([0.8, None], "unrecoverable", "told after 800 ms, never"),
        ([], "unrecoverable", "told after no push at all"),
    ],
)
def test_every_push_is_noticed(seconds: list[float | None], state: str, seen: str) -> None:
    verdict = evaluate_noticed(seconds, 1)
    assert (verdict.state, verdict.observed) == (state, seen)
