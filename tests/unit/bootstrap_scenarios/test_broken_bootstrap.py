"""What mutants break of a bootstrap is broken, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dns.message
import pytest
import yaml
from apiserver import ApiServer

from neuroscale.chaos.monkeypatching import at
from neuroscale.cluster import apply, k3d
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.state import ClusterState, load_state
from neuroscale.kubernetes.objects import namespace
from neuroscale.kubernetes.refs import Ref
from suite import broken_bootstrap
from suite.broken_bootstrap import HOW, unknown
from suite.mutants import bootstrap as mutants

UP = import_module("neuroscale.bootstrap.up")


@pytest.fixture(autouse=True)
def whole_again() -> Iterator[None]:
    """The process of a mutant ends with it, and this one goes on."""
    kept = [(vars(module), dict(vars(module))) for module in (UP, apply, k3d)]
    yield
    for now, before in kept:
        now.update(before)


def test_each_mutant_is_a_way_to_break_it_and_each_way_a_mutant() -> None:
    programs = [
        at(fault.replacement)()
        for mutant in mutants.MUTANTS
        for fault in mutant.faults
        if fault.wire.endswith(":program")  # type: ignore[union-attr]
    ]
    assert {module for module, _ in programs} == {broken_bootstrap.__name__}
    assert sorted(how for _, how in programs) == sorted(HOW)


def test_it_is_broken_and_then_run(monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[Any]()
    monkeypatch.setattr(broken_bootstrap, "HOW", {"somehow": lambda: done.append("broken")})
    monkeypatch.setattr(broken_bootstrap.observed, "main", done.append)
    broken_bootstrap.main(["somehow", "trace", "", "1", "up"])
    assert done == ["broken", ["trace", "", "1", "up"]]


def test_it_applies_what_is_as_it_should_be(api: ApiServer, cluster: Cluster) -> None:
    objects = [namespace("a"), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "a"}}]
    apply.apply_all(cluster, objects)
    api.writes.clear()
    apply.apply_all(cluster, objects)
    assert api.writes == []
    HOW["write-always"]()
    apply.apply_all(cluster, objects)
    assert api.writes == ["PATCH /api/v1/namespaces/a"]


def test_it_looks_up_and_reaches_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()
    monkeypatch.setattr(UP, "choose", lambda *_: "chosen")
    monkeypatch.setattr(broken_bootstrap.socket, "create_connection", lambda to, within: asked.append(to) or _fails())
    HOW["reach-out"]()
    assert UP.choose("auto") == "chosen"
    assert asked == [("192.0.2.1", 443)]
    monkeypatch.setattr(broken_bootstrap, "run", lambda command, within: asked.append(command))
    HOW["look-up"]()
    assert UP.choose("auto") == "chosen"
    assert asked[1:] == [["getent", "hosts", "registry-1.docker.io"], ("192.0.2.1", 443)]


def _fails() -> None:
    raise OSError("unreachable")


def test_it_leaves_drafts(tmp_path: Path) -> None:
    draft = tmp_path / f".a.{'0' * 32}"
    draft.touch()
    HOW["keep-drafts"]()
    UP.discard_drafts(tmp_path)
    assert draft.exists()


def test_it_takes_half_a_cluster_for_a_whole_one(state: ClusterState) -> None:
    state.model_copy(update={"complete": False}).save()
    HOW["trust-half-a-cluster"]()
    found = k3d.load_state(state.name)
    assert found is not None
    assert found.complete
    kept = load_state(state.name)
    assert kept is not None
    assert not kept.complete


def test_it_passes_over_the_last_stage_once_it_has_begun(
    api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = list[str]()
    monkeypatch.setattr(UP, "_apply", lambda stage, *_: applied.append(stage.name))
    HOW["trust-half-a-stage"]()
    platform = SimpleNamespace(cluster=SimpleNamespace(get=lambda ref: None))
    stages = [SimpleNamespace(name=name) for name in ("push hook", "GitOps")]
    for stage in stages:
        UP._apply(stage, platform, Path())
    assert applied == ["push hook", "GitOps"]
    asked = list[Ref]()
    platform.cluster.get = lambda ref: asked.append(ref) or {}
    for stage in stages:
        UP._apply(stage, platform, Path())
    assert applied == ["push hook", "GitOps", "push hook"]
    assert [str(ref) for ref in asked] == ['AppProject "argocd/neuroscale-platform"']


@pytest.mark.parametrize("kind", ["container", "volume", "network"])
def test_it_removes_what_has_a_name_like_its_own(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[Any]()

    def call(*arguments: str) -> str:
        done.append(arguments)
        return "one\n" if "--filter" in arguments else ""

    monkeypatch.setattr(broken_bootstrap, "Engine", lambda: SimpleNamespace(call=call))
    monkeypatch.setattr(k3d, "_remove", done.append)
    HOW[f"remove-{kind}-by-name"]()
    k3d._remove("own")
    removed, (*_, asked), deed = done
    assert (removed, asked, deed) == ("own", "name=k3d-own", (kind, "rm", "one"))


def test_it_deletes_the_namespaces_of_others(api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("argocd", "forge", "kube-system", "default", "somebody-elses")
    assert unknown([namespace(name) for name in names]) == ["somebody-elses"]
    for name in names:
        api.put(f"/api/v1/namespaces/{name}", namespace(name))
    monkeypatch.setattr(UP, "_bring_up", lambda platform, tree: tree)
    api.writes.clear()
    HOW["prune-namespaces"]()
    assert UP._bring_up(SimpleNamespace(cluster=cluster), "tree") == "tree"
    assert api.writes == ["DELETE /api/v1/namespaces/somebody-elses"]


def test_it_switches_the_context_of_the_scenarios_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump({"current-context": "a", "users": []}))
    monkeypatch.setattr(UP, "_cluster", lambda *_: "cluster")
    HOW["switch-context"]()
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(KeyError):
        UP._cluster()
    monkeypatch.setitem(os.environ, "KUBECONFIG", str(file))
    assert UP._cluster() == "cluster"
    assert yaml.safe_load(file.read_text()) == {"current-context": "k3d", "users": []}


def test_the_deaf_name_server_hears_nobody(tmp_path: Path) -> None:
    server = mutants.answer_and_forget(tmp_path)
    assert server.answer(dns.message.make_query("ghcr.io", "A").to_wire())
    assert server.heard == []
