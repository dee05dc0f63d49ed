"""What goes to the Git server, in which order a platform comes up, and what it says while it does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from apiserver import ApiServer
from fake_git_server import fake_platform
from fakes import FAULTS

from neuroscale import components, polling
from neuroscale import kustomize as kustomize_module
from neuroscale.bootstrap import render
from neuroscale.bootstrap import up as bring_up_module
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.bootstrap.stages import ordered, stages
from neuroscale.chaos.journal import Journal
from neuroscale.cluster import apply as apply_module
from neuroscale.cluster.apply import apply_all
from neuroscale.cluster.client import Cluster
from neuroscale.components import COMPONENTS, Component, Stage, gitops, serving
from neuroscale.errors import (
    ApiError,
    ApiServerSlow,
    ClusterUnreachable,
    NeuroscaleError,
    PreconditionFailed,
    RevertFailed,
    SupplyError,
    WriteForbidden,
)
from neuroscale.git_server_api import CREDENTIALS
from neuroscale.kubernetes.objects import secret_values
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.kustomize import documents, kubectl, kustomize
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes import progress_reporter
from neuroscale.probes.probe_function import ProbeFunction
from neuroscale.settings import APPLICATION_SET, BUDGETS, ROOT, Budgets, cache_dir
from neuroscale.supply import Provisions

#: By name: the package has a function of the same name.

BringUp = Callable[..., tuple[dict[str, float], list[str]]]


# --- the tree


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one of everything."""
    for name in (
        "apps/test-app/deployment.yaml",
        "bootstrap/argocd/kustomization.yaml",
        "bootstrap/argocd/upstream/of-an-earlier-run.yaml",
        "infrastructure/apps/root.yaml",
        "infrastructure/images/nginx/Dockerfile",
        "infrastructure/kserve/kustomization.yaml",
        "neuroscale/not_for_argo_cd.py",
    ):
        file = tmp_path / "checkout" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    monkeypatch.setattr(render, "ROOT", tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """The manifests that a supply brings."""
    (tmp_path / "supplied" / "crds").mkdir(parents=True)
    (tmp_path / "supplied" / "install.yaml").write_text("a: 1")
    (tmp_path / "supplied" / "crds" / "crd.yaml").write_text("b: 2")
    return tmp_path / "supplied"


def test_the_tree_has_the_gitops_folders_and_upstream_where_it_belongs(checkout: Path, upstream: Path) -> None:
    with gitops_tree({"argocd": upstream, "kserve": upstream, "not-deployed": upstream}, "ab") as tree:
        found = {str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file()}
    assert found == {
        "apps/test-app/deployment.yaml",
        "bootstrap/argocd/kustomization.yaml",
        "bootstrap/argocd/upstream/install.yaml",
        "bootstrap/argocd/upstream/crds/crd.yaml",
        "infrastructure/apps/root.yaml",
        "infrastructure/kserve/kustomization.yaml",
        "infrastructure/kserve/upstream/install.yaml",
        "infrastructure/kserve/upstream/crds/crd.yaml",
    }
    assert not tree.exists()


def test_what_belongs_to_a_milestone_that_was_not_selected_is_left_out(checkout: Path, upstream: Path) -> None:
    with gitops_tree({"argocd": upstream, "kserve": upstream}, "a") as tree:
        found = {str(file.relative_to(tree)) for file in tree.rglob("*") if file.is_file()}
    assert found == {
        "apps/test-app/deployment.yaml",
        "bootstrap/argocd/kustomization.yaml",
        "bootstrap/argocd/upstream/install.yaml",
        "bootstrap/argocd/upstream/crds/crd.yaml",
        "infrastructure/apps/root.yaml",
    }


def test_this_checkouts_tree_has_what_the_stages_read() -> None:
    with gitops_tree({}, "a") as tree:
        for name in ("bootstrap/forge/kustomization.yaml", "bootstrap/argocd/kustomization.yaml"):
            # What is kept of a rendering is found again by the content of its folder alone.
            assert ".." not in (tree / name).read_text(encoding="utf-8")
        for name in ("projects.yaml", "root-app.yaml"):
            assert documents((tree / "bootstrap" / name).read_text())
        assert not list(tree.rglob("Dockerfile"))


def test_a_kustomization_that_does_not_render_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        SupplyError, match=rf"{tmp_path} should render, but kubectl exited with 1: .*Next: kubectl kustomize {tmp_path}"
    ):
        kustomize(tmp_path)
    assert Path(kubectl()).name == "kubectl"


def test_a_rendering_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kustomize_module, "_RENDER_SECONDS", 0.001)
    with pytest.raises(
        SupplyError, match=r"should render, but kubectl did not end within 0\.001 s\. Next: kubectl kustomize"
    ):
        kustomize(tmp_path)


@pytest.fixture
def kustomization(tmp_path: Path) -> Path:
    """A folder that renders to one ConfigMap."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "kustomization.yaml").write_text("resources: [page.yaml]\n")
    page = "{apiVersion: v1, kind: ConfigMap, metadata: {name: page}, data: {a: 'ä'}}\n"
    (tmp_path / "small" / "page.yaml").write_text(page)
    return tmp_path / "small"


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were really rendered."""
    folders, render_folder = list[Path](), kustomize_module._render

    def rendering(folder: Path, program: str) -> list[Object]:
        folders.append(folder)
        return render_folder(folder, program)

    monkeypatch.setattr(kustomize_module, "_render", rendering)
    return folders


def kept() -> list[Path]:
    return list((cache_dir() / "rendered").rglob("*.json"))


def test_what_was_rendered_is_not_rendered_again(kustomization: Path, renderings: list[Path], tmp_path: Path) -> None:
    first = kustomize(kustomization)
    assert first[0]["data"] == {"a": "ä"}
    (tmp_path / "elsewhere").mkdir()
    assert kustomize(kustomization.rename(tmp_path / "elsewhere" / "small")) == first
    assert len(renderings) == 1


@pytest.mark.parametrize("name", ["page.yaml", "kustomization.yaml", "new.yaml"])
def test_any_change_of_the_folder_is_rendered(name: str, kustomization: Path, renderings: list[Path]) -> None:
    kustomize(kustomization)
    with (kustomization / name).open("a") as file:
        file.write("# changed\n")
    kustomize(kustomization)
    assert len(renderings) == 2


def test_the_latest_four_renderings_of_a_folder_are_kept(kustomization: Path, renderings: list[Path]) -> None:
    page = kustomization / "page.yaml"
    contents = [page.read_text() + "# changed\n" * times for times in range(5)]
    for content in [*contents, *contents[1:]]:
        page.write_text(content)
        kustomize(kustomization)
    assert (len(renderings), len(kept())) == (5, 4)
    page.write_text(contents[0])
    kustomize(kustomization)
    assert (len(renderings), len(kept())) == (6, 4)


@pytest.mark.parametrize("damage", [b"", b"[]", b"\xff\xfe", None])
def test_a_damaged_cache_entry_is_rendered_anew(
    damage: bytes | None, kustomization: Path, renderings: list[Path]
) -> None:
    first = kustomize(kustomization)
    (file,) = kept()
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"page", b"pags") if damage is None else damage)
    assert kustomize(kustomization) == first
    assert len(renderings) == 2
    assert file.read_bytes() == whole


def test_a_cache_that_cannot_be_written_does_not_matter(kustomization: Path, renderings: list[Path]) -> None:
    cache_dir().write_text("a file where a folder should be")
    assert kustomize(kustomization) == kustomize(kustomization)
    assert len(renderings) == 2


def test_documents_leaves_out_the_empty_ones() -> None:
    assert documents("---\n# nothing\n---\na: 1\n---\n") == [{"a": 1}]


# --- what is applied


def deployment(**metadata: Any) -> Object:
    return {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"metadata": metadata}}}


def config_map(data: dict[str, str] | None) -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}


def stamp(*objects: Object) -> list[str | None]:
    copies = copy.deepcopy(list(objects))
    gitops._stamp_settings(copies)
    templates = [obj["spec"]["template"]["metadata"] for obj in copies if "spec" in obj]
    return [(template.get("annotations") or {}).get("neuroscale.io/settings") for template in templates]


def test_a_changed_setting_changes_every_template_and_nothing_else_does() -> None:
    pods = deployment(), {**deployment(labels={"a": "b"}), "kind": "StatefulSet"}
    first, second = stamp(config_map({"a": "1", "b": "2"}), *pods)
    assert first
    assert first == second
    assert stamp(*pods, config_map({"b": "2", "a": "1"}))[0] == first
    assert stamp(config_map({"a": "1", "b": "3"}), *pods)[0] != first
    assert stamp(config_map(None), *pods)[0] not in (None, first)


def test_the_stamp_leaves_other_annotations_and_kinds_alone() -> None:
    job = {"kind": "Job", "metadata": {"name": "j"}, "spec": {"template": {"metadata": {}}}}
    objects = [deployment(annotations={"a": "b"}), deployment(annotations=None), job]
    gitops._stamp_settings(objects)
    assert objects[0]["spec"]["template"]["metadata"]["annotations"].keys() == {"a", "neuroscale.io/settings"}
    assert objects[1]["spec"]["template"]["metadata"]["annotations"].keys() == {"neuroscale.io/settings"}
    assert job["spec"]["template"]["metadata"] == {}


class Applied:
    """A cluster that takes everything down in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def get(self, ref: Ref) -> None:
        return

    def apply(self, obj: Object) -> None:
        self.names.append(obj["metadata"]["name"])


def test_what_others_depend_on_is_applied_first() -> None:
    cluster = Applied()
    kinds = ("Deployment", "CustomResourceDefinition", "ConfigMap", "Namespace", "AppProject", "Application")
    objects = ({"apiVersion": "v1", "kind": kind, "metadata": {"name": kind}} for kind in kinds)
    apply_all(cast("Cluster", cluster), objects)
    assert cluster.names[:3] == ["CustomResourceDefinition", "Namespace", "AppProject"]
    assert sorted(cluster.names[3:]) == ["Application", "ConfigMap", "Deployment"]  # side by side


def test_an_object_that_is_refused_is_not_passed_over(api: ApiServer, cluster: Cluster) -> None:
    api.answers["PATCH /api/v1/namespaces/default/configmaps/c2"] = (403, b'{"reason": "Forbidden"}', {})
    meta = {"namespace": "default"}
    objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": f"c{n}"}} for n in range(4)]
    with pytest.raises(ApiError, match="c2 was answered 403 Forbidden"):
        apply_all(cluster, objects)


def test_what_is_as_it_should_be_is_not_written_again(api: ApiServer, cluster: Cluster) -> None:
    objects = [{"apiVersion": "v1", **config_map({name: "1"}), "kind": "ConfigMap"} for name in "ab"]
    for name, obj in zip("ab", objects, strict=True):
        obj["metadata"] = {"name": name, "namespace": "default"}
    path = "/api/v1/namespaces/default/configmaps/"
    apply_all(cluster, objects)
    assert sorted(api.writes) == [f"PATCH {path}a", f"PATCH {path}b"]
    api.writes.clear()
    apply_all(cluster, objects)
    assert api.writes == []
    api.put(f"{path}b", {**api.objects[f"{path}b"], "data": {"b": "2"}})
    apply_all(cluster, objects)
    assert api.writes == [f"PATCH {path}b"]
    assert api.objects[f"{path}b"]["data"] == {"b": "1"}


def test_what_only_says_who_wrote_it_when_is_no_difference() -> None:
    written = {"manager": "neuroscale", "operation": "Apply", "time": "1", "fieldsV1": {"f:data": {}}}
    other = {"manager": "k3s", "operation": "Update", "time": "1", "fieldsV1": {}}

    def stored(*managed: Object, version: str = "1", status: str = "old") -> Object:
        meta = {"name": "x", "resourceVersion": version, "managedFields": list(managed)}
        return {"kind": "Deployment", "metadata": meta, "spec": {}, "status": {"phase": status}}

    same = apply_module._applied(stored(written, other))
    assert apply_module._applied(stored({**written, "time": "2"}, version="2", status="new")) == same
    assert apply_module._applied(stored(other)) != same
    assert apply_module._applied(stored({**written, "fieldsV1": {}})) != same
    assert apply_module._applied({**stored(written), "spec": {"replicas": 2}}) != same


SECRETS = {
    "Git server": "/api/v1/namespaces/forge/secrets/gitea-bot",
    "Argo CD": "/api/v1/namespaces/argocd/secrets/argocd-redis",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_stage_makes_its_password_once(
    name: str, api: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second ``up`` must not lock everybody out."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SECRETS[name].split("/")[4]}}
    settings = {"apiVersion": "v1", **config_map({"a": "1"}), "metadata": {"name": "settings", "namespace": "x"}}
    monkeypatch.setattr(gitops, "kustomize", lambda folder: copy.deepcopy([settings, namespace]))
    (stage,) = (stage for stage in gitops.COMPONENT.stages if stage.name == name)
    stage.apply(fake_platform(cluster), ROOT)
    made = api.objects[SECRETS[name]]
    assert len(next(iter(made["data"].values()))) >= 8
    kinds = [write.split("/")[-1] for write in api.writes]
    assert kinds == [namespace["metadata"]["name"], "secrets", "settings"]
    stage.apply(fake_platform(cluster), ROOT)
    assert api.objects[SECRETS[name]] == made


def test_what_signs_the_push_hook_is_made_once(api: ApiServer, cluster: Cluster) -> None:
    told: list[tuple[str, bool]] = []
    git_server = SimpleNamespace(provide_push_hook=lambda shared, *, anew: told.append((shared, anew)))
    platform = cast("Platform", SimpleNamespace(cluster=cluster, git_server=git_server))
    (stage,) = (stage for stage in gitops.COMPONENT.stages if stage.name == "push hook")
    path = "/api/v1/namespaces/argocd/secrets/argocd-secret"
    api.put(path, {"apiVersion": "v1", **config_map({"admin.password": "eA=="}), "kind": "Secret"})
    for _ in range(2):
        stage.apply(platform, ROOT)
    (shared, _), _ = told
    assert told == [(shared, True), (shared, False)]
    assert secret_values(api.objects[path]) == {"admin.password": "x", "webhook.gogs.secret": shared}
    assert len(shared) >= 20
    assert [write.split()[0] for write in api.writes] == ["PATCH"]


def test_the_credentials_are_those_that_the_git_servers_client_reads() -> None:
    assert SECRETS["Git server"].endswith(f"/{CREDENTIALS.namespace}/secrets/{CREDENTIALS.name}")


# --- the order


class Recorded:
    """A stage's deeds, and a probe that is met at the third check."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def stage(self, name: str, *after: str, opens: bool = True) -> Stage:
        log, looks = self.log, iter([pending("starting"), pending("starting")])

        class Gate:
            description, area = f"{name} runs", "gitops"

            def check(self, cluster: Cluster) -> Verdict:
                verdict = next(looks, met("it runs") if opens else pending("it does not start"))
                if verdict:
                    log.append(f"{name} is ready")
                return verdict

        return Stage(name, lambda platform, tree: log.append(f"apply {name}"), lambda platform: [Gate()], after)


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def bring_up(monkeypatch: pytest.MonkeyPatch) -> BringUp:
    """Bring these stages up; a probe may take 0.1 s."""
    monkeypatch.setattr(bring_up_module, "eventually", partial(polling.eventually, every=0.01))

    def bring_up(*some: Stage, said: list[str] | None = None) -> tuple[dict[str, float], list[str]]:
        said = [] if said is None else said
        monkeypatch.setattr(bring_up_module, "stages", lambda milestones: some)
        platform = cast("Platform", SimpleNamespace(cluster=None))
        seconds = bring_up_module._bring_up(platform, ROOT, {"a"}, said.append, within=0.1)
        return seconds, said

    return bring_up


def test_what_one_stage_waits_for_another_may_ask_to_look_again(
    bring_up: BringUp, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped cluster took 3 min longer: the models waited for an ApplicationSet, and only GitOps, whose turn came
    later, would have asked it to look again."""
    monkeypatch.setattr(progress_reporter, "_TELL_SECONDS", -1)
    asked: list[str] = []

    def refresh(_: Platform) -> list[str]:
        asked.append("again")
        return []

    waiting = Stage(
        "models",
        lambda *_: None,
        lambda _: [ProbeFunction("it is so", lambda: met("it is") if asked else pending("no"), "serving")],
    )
    owner = replace(Recorded(log).stage("GitOps"), refresh=refresh)
    seconds, _ = bring_up(waiting, owner)
    assert list(seconds) == ["models", "GitOps"]


def test_a_stage_waits_for_those_it_needs_and_for_no_others(bring_up: BringUp, log: list[str]) -> None:
    of = Recorded(log)
    seconds, said = bring_up(of.stage("slow"), of.stage("forge"), of.stage("gitops", "forge"))
    assert log == ["apply slow", "apply forge", "forge is ready", "apply gitops", "slow is ready", "gitops is ready"]
    assert list(seconds) == ["forge", "slow", "gitops"]
    assert [line.split(":")[0] for line in said] == ["forge", "slow", "gitops"]


def test_a_probe_that_is_never_met_names_its_stage(bring_up: BringUp, log: list[str]) -> None:
    of = Recorded(log)
    with pytest.raises(PreconditionFailed, match=r"Stage forge did not become ready\. .*forge runs.*it does not start"):
        bring_up(of.stage("forge", opens=False), of.stage("gitops", "forge"))
    assert log == ["apply forge"]


def test_when_a_probe_is_never_met_what_later_stages_wait_for_is_said(bring_up: BringUp, log: list[str]) -> None:
    of, said = Recorded(log), list[str]()
    with pytest.raises(PreconditionFailed, match="Stage forge did not become ready"):
        bring_up(of.stage("forge", opens=False), of.stage("models", opens=False), of.stage("fine"), said=said)
    assert said[-2:] == ["  nor is it so that models runs: starting", "  nor is it so that fine runs: starting"]


@pytest.mark.parametrize(
    ("how", "had", "anew", "within", "error"),
    [
        ("resumed", ["a"], True, BUDGETS.settle, PreconditionFailed),
        ("resumed", ["a"], True, BUDGETS.settle, RevertFailed),
        ("reused", ["a"], False, BUDGETS.recover, PreconditionFailed),
        ("reused", ["a"], False, BUDGETS.recover, RevertFailed),
        ("reused", ["b"], False, BUDGETS.settle, PreconditionFailed),
        ("created", [], False, BUDGETS.settle, PreconditionFailed),
    ],
)
def test_only_a_cluster_that_had_been_stopped_is_recreated_when_it_does_not_get_healthy(
    how: Any,
    had: list[str],
    within: float,
    monkeypatch: pytest.MonkeyPatch,
    *,
    anew: bool,
    error: type[NeuroscaleError],
) -> None:
    """One that was there, and had all that is wanted well once, is not on its way: it is given less time."""
    kept: dict[str, Any] = {}
    provisions = Provisions("registry", {}, "k3s:v1", (), (), {}, (), {}, {}, {})
    chosen = SimpleNamespace(name="paper", reason="a test", provide=lambda demands: provisions)
    state = SimpleNamespace(name="c", nonce="n", server="s", forge_url="f", ports=None, save=lambda: None)
    # All of it was begun, and not all of it was well.
    state.milestones, state.healthy, state.model_copy = ["a", "b"], had, lambda update: kept.update(update) or state
    brought, rolled = list[float](), list[float]()

    def bring_up(*_: object, within: float) -> dict[str, float]:
        brought.append(within)
        if len(brought) == 1:
            raise error("the models do not come")
        return {}

    made = bring_up_module.k3d.ClusterHandle(cast("Any", state), how)
    fresh = bring_up_module.k3d.ClusterHandle(cast("Any", state), "recreated", "it was stopped")
    for name, stand_in in {
        "host": SimpleNamespace(prepare=lambda allow_install: SimpleNamespace(lines=[])),
        "choose": lambda *_, **__: chosen,
        "_cluster": lambda *_: made,
        "connect": lambda name: SimpleNamespace(cluster=None),
        "roll_back": lambda *_, within: rolled.append(within),
        "_bring_up": bring_up,
    }.items():
        monkeypatch.setattr(bring_up_module, name, stand_in)
    monkeypatch.setattr(bring_up_module.k3d, "recreate", lambda *_, **__: fresh)
    monkeypatch.setattr(bring_up_module.k3d, "assert_ours", lambda: None)
    said: list[str] = []
    if anew:
        assert bring_up_module.up({"a"}, say=said.append).how == "recreated"
        assert kept["healthy"] == ["a"]
        assert any("recreated: the models do not come" in line for line in said)
    else:
        with pytest.raises(error, match="the models do not come"):
            bring_up_module.up({"a"}, say=said.append)
        assert "healthy" not in kept
    assert len(brought) == 1 + anew
    assert rolled == [BUDGETS.recover] * len(brought)
    assert brought[0] == within


@pytest.mark.parametrize(
    ("failing", "within", "undone"), [(0, None, True), (1, None, False), (1, 5, True), (99, 0, False)]
)
def test_what_a_killed_run_left_is_undone_once_what_that_needs_has_started(
    failing: int, within: float | None, monkeypatch: pytest.MonkeyPatch, *, undone: bool
) -> None:
    """A stopped cluster resumes with a Git server that refuses connections for some seconds: commits stayed open."""
    left = iter(["starting"] * failing)

    def revert(*_: object) -> None:
        for why in left:
            raise ClusterUnreachable(why)

    fault, journal, said = FAULTS["committed"], Journal.of("n"), list[str]()
    monkeypatch.setattr(type(fault), "revert", revert)
    monkeypatch.setattr(type(fault), "rollback_complete", lambda *_: met("nothing of it is left"))
    entry = journal.open(fault, {})
    platform = cast("Platform", SimpleNamespace(cluster=None))
    with nullcontext() if undone else pytest.raises(RevertFailed, match=r"ClusterUnreachable: starting\. It stays"):
        assert bring_up_module.roll_back(platform, "n", said.append, within=within) == 1
    assert len(journal.unfinished()) == (not undone)
    assert said == [f"undoing what a killed run left behind: {fault.description} (since {entry.at})"]


@pytest.mark.parametrize("recorded", ["registry", "source", ""])
def test_a_cluster_keeps_the_supply_it_was_made_with_and_nothing_is_installed_unasked(
    recorded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}
    state = SimpleNamespace(milestones=["a"], supply=recorded) if recorded else None

    def choose(mode: str, milestones: object, **how: object) -> None:
        asked.update(how, mode=mode)
        raise SupplyError("that is all the test wants")

    def prepare(*, allow_install: bool) -> SimpleNamespace:
        asked["host"] = allow_install
        return SimpleNamespace(lines=[])

    monkeypatch.setattr(bring_up_module, "host", SimpleNamespace(prepare=prepare))
    monkeypatch.setattr(bring_up_module.k3d, "assert_ours", lambda: None)
    monkeypatch.setattr(bring_up_module, "load_state", lambda: state)
    monkeypatch.setattr(bring_up_module, "choose", choose)
    with pytest.raises(SupplyError, match="all the test wants"):
        bring_up_module.up({"a"}, say=lambda line: None)
    assert asked == {"mode": "auto", "recorded": recorded, "may_install": False, "host": False}


@pytest.mark.parametrize(
    ("milestones", "install", "lines"),
    [({"c"}, True, ["installed chromium: a browser"]), ({"c"}, False, []), ({"a"}, True, [])],
)
def test_what_scenarios_need_on_this_machine_is_installed_with_the_rest(
    milestones: set[str], lines: list[str], monkeypatch: pytest.MonkeyPatch, *, install: bool
) -> None:
    def choose(*_: object, **__: object) -> None:
        raise SupplyError("that is all the test wants")

    offered = SimpleNamespace(offer=lambda names, purpose: [f"installed {' '.join(names)}: {purpose}"])
    monkeypatch.setattr(bring_up_module, "host", SimpleNamespace(prepare=lambda **_: SimpleNamespace(lines=[])))
    monkeypatch.setattr(components, "packages", offered)
    monkeypatch.setattr(bring_up_module.k3d, "assert_ours", lambda: None)
    monkeypatch.setattr(bring_up_module, "load_state", lambda: None)
    monkeypatch.setattr(bring_up_module, "choose", choose)
    said: list[str] = []
    with pytest.raises(SupplyError, match="all the test wants"):
        bring_up_module.up(milestones, install=install, say=said.append)
    assert said == lines


def test_a_cluster_of_somebody_else_is_refused_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise WriteForbidden("it was left alone")

    monkeypatch.setattr(bring_up_module, "host", SimpleNamespace(prepare=lambda **_: SimpleNamespace(lines=[])))
    monkeypatch.setattr(bring_up_module.k3d, "assert_ours", refuse)
    monkeypatch.setattr(bring_up_module, "choose", lambda *_, **__: pytest.fail("images were sought"))
    with pytest.raises(WriteForbidden, match="left alone"):
        bring_up_module.up({"a"}, say=lambda line: None)


def test_the_stages_need_only_what_comes_before_them() -> None:
    of_a = {stage.name: stage for stage in stages({"a"})}
    assert list(of_a) == [
        "cluster DNS",
        "Git server",
        "Argo CD",
        "Argo CD's kinds",
        "repository",
        "push hook",
        "GitOps",
    ]
    every = stages({component.milestone for component in COMPONENTS})
    names = [stage.name for stage in every]
    # What is fetched from the model store is in Git, and whoever runs from Git finds credentials.
    before_git = {"model store", "portal's credentials", "gate's credentials"}
    assert set(of_a) | before_git <= set(names)
    assert max(map(names.index, before_git)) < names.index("GitOps")
    for number, stage in enumerate(every):
        assert set(stage.after) <= set(names[:number])
    assert "Git server" in of_a["repository"].after
    assert "repository" in of_a["GitOps"].after


def test_stages_that_wait_for_each_other_are_named() -> None:
    nothing = {"apply": lambda *_: None, "ready": lambda _: []}
    one, other = Stage("one", after=("other",), **nothing), Stage("other", before=("third",), after=("one",), **nothing)
    component = Component("c", "z", "a test", lambda _: [], stages=(one, other, Stage("third", **nothing)))
    with pytest.raises(ValueError, match="wait for each other: one, other, third"):
        ordered([component])


@pytest.mark.parametrize("milestones", [{"a"}, {"a", "b"}])
def test_the_repository_is_asked_for_once_and_before_what_goes_into_the_git_server(
    milestones: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    git_server = SimpleNamespace(
        url="",
        ensure_repository=lambda: asked.append("repository"),
        fill=lambda tree, message: asked.append("content"),
    )
    monkeypatch.setattr(serving, "ensure_models", lambda git_server: asked.append("models"))
    monkeypatch.setattr(gitops, "apply_all", lambda *_: None)
    monkeypatch.setattr(bring_up_module._Bootstrap, "finish", lambda *_: None)
    quiet = dict.fromkeys(("Git server", "Argo CD", "push hook", "KServe client"), lambda *_: None)
    some = [replace(stage, apply=quiet.get(stage.name, stage.apply)) for stage in stages(milestones)]
    monkeypatch.setattr(bring_up_module, "stages", lambda milestones: some)
    platform = cast("Platform", SimpleNamespace(cluster=None, git_server=git_server))
    bring_up_module._bring_up(platform, ROOT, milestones, lambda line: None, within=1)
    assert asked == ["repository", *(["models"] if "b" in milestones else []), "content"]


def test_a_long_wait_is_told_once_for_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    failed = "it answered 500, logId="
    answers = iter([
        pending("pulling"), pending("pulling"), pending("starting"),
        pending(f"{failed}bfced9d352e08c73bc8b"), pending(f"{failed}6a1249c7b1e8c28a3f63"), met("it runs"),
    ])  # fmt: skip
    probe = SimpleNamespace(description="it runs", area="gitops", check=lambda cluster: next(answers))
    monkeypatch.setattr(progress_reporter, "_TELL_SECONDS", -1)
    deeds = iter(["asked again"])
    telling = progress_reporter.ProgressReporter(probe, said.append, lambda: [next(deeds, "")])
    while not telling.check(cast("Cluster", None)):
        pass
    assert said == [
        "  waiting until it runs: pulling", "  asked again",
        "  ",
        "  waiting until it runs: starting", "  ",
        f"  waiting until it runs: {failed}bfced9d352e08c73bc8b", "  ",
        "  ",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [APPLICATION_SET, "neuroscale-pull-requests"])
@pytest.mark.parametrize("status", ["True", "False", None])
def test_an_application_set_is_asked_to_look_again_after_an_error_only(
    status: str | None, name: str, api: ApiServer, cluster: Cluster
) -> None:
    path = f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applicationsets/{name}"
    if status is not None:
        conditions = [{"type": "ErrorOccurred", "status": status}]
        api.objects[path] = {"kind": "ApplicationSet", "metadata": {}, "status": {"conditions": conditions}}
    stages = (stage for component in COMPONENTS for stage in component.stages)
    said = [line for stage in stages for line in stage.refresh(fake_platform(cluster))]
    assert len(said) == len(api.writes) == (status == "True")
    if said:
        assert api.objects[path]["metadata"]["annotations"] == {"argocd.argoproj.io/application-set-refresh": "true"}


# --- a cluster that is busy


def slow_once(calls: list[int]) -> None:
    calls.append(1)
    if len(calls) == 1:
        raise ApiServerSlow("The API server should answer, but: Read timed out")


def test_an_answer_that_comes_too_late_is_waited_for_again(tmp_path: Path, cluster: Cluster) -> None:
    """A node that unpacks images hardly answers; once that ended a bootstrap."""
    applied: list[int] = []
    asked: list[int] = []

    def evaluate() -> Verdict:
        slow_once(asked)
        return met("it is")

    stage = Stage("one", lambda *_: slow_once(applied), lambda _: [ProbeFunction("it is so", evaluate)])
    bring_up_module._apply(stage, fake_platform(cluster), tmp_path)
    bring_up_module._Bootstrap(fake_platform(cluster), lambda _: None, 10).finish(stage)
    assert (len(applied), len(asked)) == (2, 2)


def test_a_cluster_that_is_gone_is_not_waited_for(tmp_path: Path, cluster: Cluster) -> None:
    def apply(*_: object) -> None:
        raise ClusterUnreachable("The API server should answer, but: Connection refused")

    with pytest.raises(ClusterUnreachable, match="refused"):
        bring_up_module._apply(Stage("one", apply, lambda _: []), fake_platform(cluster), tmp_path)


def test_one_that_never_answers_in_time_is_said(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def apply(*_: object) -> None:
        raise ApiServerSlow("The API server should answer, but: Read timed out")

    monkeypatch.setattr(bring_up_module, "BUDGETS", Budgets(recover=0.1))
    with pytest.raises(PreconditionFailed, match=r"stage one is applied .*Read timed out"):
        bring_up_module._apply(Stage("one", apply, lambda _: []), fake_platform(cluster), tmp_path)
