"""What two undisturbed bootstraps agree on, and whether another cluster is alike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from apiserver import ApiServer

from neuroscale.bootstrap_scenarios import fingerprint
from neuroscale.bootstrap_scenarios.fingerprint import (
    Undisturbed,
    assert_as_undisturbed,
    assert_known,
    differences,
    evaluate_likeness,
    leaves,
)
from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout, PreconditionFailed

THING = "ConfigMap argocd/argocd-cm"
ONE = {THING: {"/data/url": "a", "/data/password": "1"}, "network k3d-own": {}}
OTHER = {THING: {"/data/url": "a", "/data/password": "2"}, "network k3d-own": {}}
KNOWN = Undisturbed(ONE, OTHER)


def test_what_two_bootstraps_disagree_on_may_be_anything() -> None:
    now = {THING: {"/data/url": "a", "/data/password": "3"}, "network k3d-own": {}}
    assert differences(KNOWN, now) == []
    assert evaluate_likeness(KNOWN, now).state == "met"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({THING: ONE[THING]}, ["network k3d-own is missing"]),
        ({**ONE, "container k3d-own-tools running": {}}, ["container k3d-own-tools running is there besides"]),
        ({**ONE, THING: {**ONE[THING], "/data/url": "b"}}, [f"{THING}/data/url is b and not a"]),
        ({**ONE, THING: {"/data/password": "1"}}, [f"{THING}/data/url is missing and not a"]),
        ({**ONE, THING: {**ONE[THING], "/data/more": "x"}}, [f"{THING}/data/more is there besides"]),
    ],
)
def test_each_difference_is_named(now: dict[str, dict[str, str]], said: list[str]) -> None:
    assert differences(KNOWN, now) == said
    seen = evaluate_likeness(KNOWN, now)
    assert (seen.state, seen.observed) == ("pending", f"1 differences: {said[0]}")


def test_a_cluster_that_stays_unlike_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_SETTLES_WITHIN", 0)
    monkeypatch.setattr(fingerprint, "take", lambda own: {THING: ONE[THING]} if own == "unlike" else ONE)
    assert_as_undisturbed("like", KNOWN)  # type: ignore[arg-type]
    with pytest.raises(ConditionTimeout, match="network k3d-own is missing"):
        assert_as_undisturbed("unlike", KNOWN)  # type: ignore[arg-type]


EVERY_SORT = {
    "Application argocd/root": {}, "Deployment forge/gitea": {}, "Secret forge/bot": {}, "in Git apps": {},
    "container node running": {}, "network k3d-own": {}, "remembered state.json": {},
}  # fmt: skip


def test_what_is_known_is_of_every_sort() -> None:
    assert_known(Undisturbed(EVERY_SORT, EVERY_SORT))
    for thing in EVERY_SORT:
        less = {key: value for key, value in EVERY_SORT.items() if key != thing}
        with pytest.raises(PreconditionFailed, match=r"nothing is known of: \['"):
            assert_known(Undisturbed(less, less))


def test_two_bootstraps_that_make_unlike_things_are_no_measure() -> None:
    with pytest.raises(PreconditionFailed, match=r"only one made \['volume x'\]"):
        assert_known(Undisturbed(EVERY_SORT, {**EVERY_SORT, "volume x": {}}))


def test_leaves_are_all_that_has_no_parts() -> None:
    found = dict(leaves({"a": [{"b": 1}, "x"], "c": {}, "d": None, "e": []}))
    assert found == {"/a/0/b": "1", "/a/1": '"x"', "/c": "{}", "/d": "null", "/e": "[]"}


def test_of_an_object_all_is_taken_but_what_counts_it(api: ApiServer, cluster: Cluster) -> None:
    def served(path: str, **content: Any) -> None:
        api.answers[f"GET {path}"] = (200, fingerprint.json.dumps(content).encode(), {})

    verbs = ["get", "list"]
    served("/apis", groups=[])
    resources = [
        {"name": "secrets", "kind": "Secret", "verbs": verbs, "namespaced": True},
        {"name": "pods", "kind": "Pod", "verbs": verbs, "namespaced": True},
        {"name": "pods/log", "kind": "Pod", "verbs": verbs, "namespaced": True},
        {"name": "bindings", "kind": "Binding", "verbs": ["create"], "namespaced": True},
    ]
    served("/api/v1", resources=resources)
    assert list(fingerprint._listed(cluster)) == [("v1", "Secret")]
    meta = {"name": "s", "namespace": "default", "labels": {"a": "b"}}
    api.put("/api/v1/namespaces/default/secrets/s", {"kind": "Secret", "metadata": meta, "data": {"k": "c2VjcmV0"}})
    found = dict(fingerprint._in_cluster(cluster))
    values = found["Secret default/s"]
    assert "/data/k" in values
    assert {"/metadata/uid", "/metadata/resourceVersion", "/metadata/creationTimestamp"} & values.keys() == set()
    assert "/metadata/labels/a" in values
    assert "c2VjcmV0" not in str(found)


def test_docker_and_git_are_asked_for_what_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "ps": "k3d-own-server-0 running\n",
        "volume": "k3d-own-images\nk3d-another-images\n",
        "network": "bridge\nk3d-own\nk3d-own-too\n",
    }

    def call(kind: str, *arguments: str) -> str:
        assert kind != "ps" or "label=k3d.cluster=own" in arguments
        return said[kind]

    monkeypatch.setattr(fingerprint, "Engine", lambda: SimpleNamespace(call=call))
    assert set(fingerprint._in_docker("own")) == {
        "container k3d-own-server-0 running",
        "volume k3d-own-images",
        "network k3d-own",
    }
    answers = {"trees": {"tree": [{"path": "apps", "sha": "1"}]}, "commits": [{}, {}]}
    monkeypatch.setattr(fingerprint, "_asked", lambda url: answers["trees" if "/trees/" in url else "commits"])
    assert fingerprint._at_git_server("http://git") == {"in Git apps": {"content": "1"}, "in Git": {"commits": "2"}}
