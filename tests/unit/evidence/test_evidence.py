"""Evidence: complete, and within its limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from fake_cluster import CONTROLLER, DEPLOYMENT, SINCE, FakeCluster, deployment, event, gather, pod, secret
from hypothesis import given
from hypothesis import strategies as st

from neuroscale import evidence
from neuroscale.components import COMPONENTS, Component, selected
from neuroscale.errors import ClusterUnreachable
from neuroscale.evidence.difference import differences
from neuroscale.evidence.redaction import REDACTED
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Timeline


def test_everything_that_bears_on_a_failure_is_there(cluster: FakeCluster, tmp_path: Path) -> None:
    text = gather(cluster, tmp_path / "e")
    index = (tmp_path / "e" / "index.md").read_text()
    for expected in (
        "It should be so, but was not.",
        "pytest -k drift",
        "argocd: v3.2.1",
        "difference.txt",
        "timeline.txt",
    ):
        assert expected in index
    assert "Not collected" not in index
    assert "Cut" not in index
    assert "spec.replicas\n  before: 1\n  now:    3\n  owner:  kubectl-edit (Update, 2026-11-20T10:05:00Z)" in text
    assert "managedFields" in (tmp_path / "e/objects/Deployment.default.test-app.now.yaml").read_text()
    assert "BackOff (x3) Pod default/test-app-1: new" in text
    assert ": old" not in text
    assert "3 replicas" in text
    logs = {file.name for file in (tmp_path / "e/logs").iterdir()}
    assert logs == {f"argocd.{CONTROLLER}-0.main.txt", "default.test-app-1.main.txt"}


def test_the_pruned_difference_holds_only_what_differs(cluster: FakeCluster, tmp_path: Path) -> None:
    gather(cluster, tmp_path)
    told = (tmp_path / "difference.txt").read_text()
    assert told.count("before:") == 1
    for noise in ("managedFields", "resourceVersion", "lastUpdateTime", "observedGeneration"):
        assert noise not in told


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (deployment(), None, "It existed before the fault and does not exist now."),
        (None, None, "It does not exist now."),
        (None, deployment(), "There is no snapshot"),
        (deployment(), deployment(), "It is as it was before the fault."),
    ],
)
def test_what_is_not_there_is_said(
    cluster: FakeCluster, tmp_path: Path, before: Object | None, now: Object | None, said: str
) -> None:
    cluster.objects = {DEPLOYMENT: now} if now else {}
    assert said in gather(cluster, tmp_path, snapshots={DEPLOYMENT: before} if before else {})


# --- whose fields


def test_owners_of_elements_keys_with_dots_and_fields_that_are_gone() -> None:
    before, now = deployment(), deployment()
    now["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2"
    before["metadata"]["labels"] = {"by-hand": "yes"}
    before["metadata"]["annotations"] = {"a.b/c": "1"}
    found = {difference.path: difference for difference in differences(before, now)}
    image = found["spec", "template", "spec", "containers", "[web]", "image"]
    assert (image.before, image.now) == ('"nginx:1"', '"nginx:2"')
    assert image.owners == ("argocd-controller (Apply, 2026-11-20T10:00:00Z)",)
    gone = found["metadata", "labels", "by-hand"]
    assert gone.now == "absent"
    assert gone.owners == ("kubectl-edit (Update, 2026-11-20T10:05:00Z)",)
    assert found["metadata", "annotations", "a.b/c"].owners == ()
    assert len(found) == 3


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_an_object_does_not_differ_from_itself(obj: Object) -> None:
    assert differences(obj, obj) == []


# --- limits


def test_a_dead_cluster_still_leaves_what_is_known(cluster: FakeCluster, tmp_path: Path) -> None:
    def fail() -> None:
        raise ClusterUnreachable("The API server should answer, but: connection refused")

    cluster.before_each = fail
    written = gather(cluster, tmp_path)
    for expected in (
        "It should be so, but was not.",
        "3 replicas",
        "pytest -k drift",
        "connection refused",
        "## Not collected",
    ):
        assert expected in written


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """A wait that ends with the test."""
    event_ = threading.Event()
    yield event_
    event_.set()


def test_a_cluster_that_never_answers_costs_no_more_than_the_limit(
    cluster: FakeCluster, tmp_path: Path, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evidence._LOOK_SECONDS + evidence._LOG_SECONDS <= evidence.MOST_SECONDS - 2
    monkeypatch.setattr(evidence, "_LOOK_SECONDS", 0.2)
    cluster.before_each = lambda: cast("None", stuck.wait(30))
    start = time.monotonic()
    written = gather(cluster, tmp_path)
    assert time.monotonic() - start < 2
    assert "no answer within 200 ms" in written
    assert "3 replicas" in written


def test_one_slow_log_does_not_cost_the_others(
    cluster: FakeCluster, tmp_path: Path, stuck: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "_LOG_SECONDS", 0.3)
    answer = cluster.logs

    def logs(pod_: Ref, container: str, **options: Any) -> str:
        if pod_.name == "test-app-1":
            stuck.wait(30)
        return answer(pod_, container, **options)

    monkeypatch.setattr(cluster, "logs", logs)
    written = gather(cluster, tmp_path)
    assert "comparing app" in written
    assert "log default.test-app-1.main: no answer" in written


def test_size_is_bounded_the_newest_is_kept_and_the_cut_is_told(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.lists["Pod", "default"] = [pod(f"p{index}", ready="False") for index in range(20)]
    lines = "".join(f"line {index} of a long and boring log without any news in it\n" for index in range(15_000))
    cluster.texts = {f"p{index}/main": lines for index in range(20)}
    huge = deployment(replicas=3)
    huge["metadata"]["annotations"] = {"blob": "x" * 1_500_000}
    cluster.objects[DEPLOYMENT] = huge
    start = time.monotonic()
    gather(cluster, tmp_path, timelines=[Timeline("t" * 3_000_000)], error="e" * 900_000)
    assert time.monotonic() - start < evidence.MOST_SECONDS
    assert sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()) <= evidence.MOST_BYTES
    log = (tmp_path / "logs/default.p0.main.txt").read_text()
    assert log.endswith("line 14999 of a long and boring log without any news in it\n")
    assert log.startswith("line ")


def test_what_was_cut_stands_in_the_index(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.texts["test-app-1/main"] = "a line of a log\n" * 50_000
    gather(cluster, tmp_path)
    index = (tmp_path / "index.md").read_text()
    assert "## Cut" in index
    assert "`logs/default.test-app-1.main.txt`: its end kept" in index


def test_a_secret_is_not_cut_in_half_by_the_size(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.lists["Secret", "default"] = [secret("A" * 40 + "Z")]
    cluster.texts["test-app-1/main"] = ("A" * 40 + "Z\n") * 30_000
    written = gather(cluster, tmp_path)
    assert "AAAA" not in written
    assert REDACTED in written


def test_names_of_objects_cannot_lead_out_of_the_folder(cluster: FakeCluster, tmp_path: Path) -> None:
    odd = Ref("ClusterRole", "system:../../../../escape", None, "rbac.authorization.k8s.io/v1")
    cluster.objects[odd] = {"kind": "ClusterRole", "metadata": {"name": odd.name}}
    gather(cluster, tmp_path / "deep" / "folder", refs=[odd])
    outside = [
        file for file in tmp_path.rglob("*") if file.is_file() and not file.is_relative_to(tmp_path / "deep/folder")
    ]
    assert outside == []


def test_the_components_that_a_scenario_needs_are_heard_and_no_others(cluster: FakeCluster, tmp_path: Path) -> None:
    owner = [{"kind": "ReplicaSet", "name": "kserve-controller-manager-5d4f"}]
    controller = pod("kserve-controller-manager-5d4f-x1", namespace="kserve")
    controller["metadata"]["ownerReferences"] = owner
    cluster.lists["Pod", "kserve"] = [controller]
    cluster.texts["kserve-controller-manager-5d4f-x1/main"] = "reconciling the model\n"
    cluster.lists["Event", "knative-serving"] = [event("no ingress", SINCE + timedelta(seconds=2))]
    condition = {"type": "Ready", "status": "False", "reason": "RevisionFailed", "message": "no image"}
    cluster.lists["InferenceService", ""] = [
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": "iris", "namespace": "default"},
            "status": {"conditions": [condition]},
        }
    ]
    told = (
        "reconciling the model",
        "no ingress",
        'InferenceService "default/iris"\n  Ready=False RevisionFailed: no image',
    )
    without = gather(cluster, tmp_path / "a")
    assert [text for text in told if text in without] == []
    needed = gather(cluster, tmp_path / "b", components=selected("b"))
    assert [text for text in told if text not in needed] == []


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_what_components_are_heard_for_is_theirs(component: Component) -> None:
    assert set(component.evidence.logs) <= set(component.workloads)
    assert component.evidence.kinds
