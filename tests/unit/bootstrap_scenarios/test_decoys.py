"""What is somebody else's: whether a change of any of it is seen."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from neuroscale.bootstrap_scenarios import decoys
from neuroscale.bootstrap_scenarios.decoys import Decoys, assert_untouched, changed
from neuroscale.bootstrap_scenarios.own_cluster import OwnCluster
from neuroscale.errors import ConditionTimeout, HostError, PreconditionFailed
from neuroscale.kubernetes.refs import Object, Ref

NAME = "k3d-own-somebody-elses"


class Docker:
    """One container, volume and network of somebody else, and no more."""

    def __init__(self) -> None:
        self.there = dict.fromkeys(("container", "volume", "network"), "as made")
        self.images, self.labels = "sha256:1\n", list[tuple[str, ...]]()

    def call(self, kind: str, verb: str, *rest: str) -> str:
        match verb:
            case "ls":
                return self.images
            case "create":
                self.labels.append((kind, *rest))
                self.there[kind] = "as made"
            case "rm":
                assert rest[-1] == NAME
                if self.there.pop(kind, None) is None:
                    raise HostError("no such thing")
            case "inspect":
                if kind not in self.there:
                    raise HostError("no such thing")
                return json.dumps([self.there[kind]])
        return ""


class Place:
    """A cluster beside all that, with what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name, self.done = folder, "own", list[str]()
        self.objects: dict[str, Object] = {}
        self.platform = SimpleNamespace(cluster=SimpleNamespace(get=self._get, create=self._create))

    def _get(self, ref: Ref) -> Object | None:
        return self.objects.get(str(ref))

    def _create(self, obj: Object) -> None:
        self.objects[str(Ref.to(obj))] = obj

    def delete(self) -> None:
        self.done.append("delete")

    def make_anew(self, env: dict[str, str]) -> None:
        self.done.append("make")
        assert Path(env["KUBECONFIG"]).is_file()


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Docker:
    fake = Docker()
    monkeypatch.setattr(decoys, "Engine", lambda: fake)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return fake


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def placed(docker: Docker, place: Place) -> Decoys:
    return decoys.place(cast("OwnCluster", place))


def test_all_of_it_is_there_before_the_cluster_and_in_it(placed: Decoys, place: Place, docker: Docker) -> None:
    assert place.done == ["delete", "make"]
    assert len(placed.before) == 7
    assert "" not in placed.before.values()
    assert all(f"k3d.cluster={NAME}" in one for one in docker.labels), "near to the cluster's own"
    assert placed.environment == {"KUBECONFIG": str(placed.kubeconfig)}
    assert_untouched(placed)


@pytest.mark.parametrize("kind", ["container", "volume", "network"])
def test_what_of_docker_is_gone_or_changed_is_named(kind: str, placed: Decoys, docker: Docker) -> None:
    docker.there[kind] = "otherwise"
    with pytest.raises(ConditionTimeout, match=rf"is not: the {kind} is changed\. "):
        assert_untouched(placed, with_cluster=False)
    del docker.there[kind]
    with pytest.raises(ConditionTimeout, match=rf"is not: the {kind} is gone\. "):
        assert_untouched(placed)


@pytest.mark.parametrize("what", ['Namespace "somebody-elses"', 'ConfigMap "somebody-elses/settings"'])
def test_what_is_gone_from_the_cluster_is_named_while_the_cluster_is_there(
    what: str, placed: Decoys, place: Place
) -> None:
    del place.objects[what]
    with pytest.raises(ConditionTimeout, match=f"the {what} is gone"):
        assert_untouched(placed)
    assert_untouched(placed, with_cluster=False)


def test_a_namespace_that_is_about_to_go_is_changed(placed: Decoys, place: Place) -> None:
    place.objects['Namespace "somebody-elses"']["metadata"]["deletionTimestamp"] = "now"
    with pytest.raises(ConditionTimeout, match='the Namespace "somebody-elses" is changed'):
        assert_untouched(placed)


def test_a_kubeconfig_with_another_context_is_changed(placed: Decoys, tmp_path: Path) -> None:
    content = placed.kubeconfig.read_text()
    placed.kubeconfig.write_text(content.replace("current-context: somebody-elses", "current-context: k3d-own"))
    with pytest.raises(ConditionTimeout, match="the kubeconfig of somebody else is changed"):
        assert_untouched(placed)
    placed.kubeconfig.write_text(content)
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    (tmp_path / "home" / ".kube" / "config").write_text("new")
    with pytest.raises(ConditionTimeout, match="the kubeconfig of this user is changed"):
        assert_untouched(placed)


def test_without_an_image_there_is_no_container(docker: Docker, place: Place) -> None:
    docker.images = ""
    with pytest.raises(PreconditionFailed, match="should have an image"):
        decoys.place(cast("OwnCluster", place))


def test_what_is_gone_already_need_not_be_taken_away(placed: Decoys, place: Place, docker: Docker) -> None:
    own: Any = place
    for _ in range(2):
        decoys.remove(own)
        assert docker.there == {}


def test_what_is_as_it_was_is_no_change() -> None:
    assert changed({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == []
    assert changed({"a": "1", "b": "2"}, {"a": "3", "b": ""}) == ["the a is changed", "the b is gone"]
