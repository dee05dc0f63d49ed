"""Folders that are alike in several trees are rendered once, and every tree is what it would be by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from stages import ToyEngine, definition

from neuroscale.delta.compare import compare
from neuroscale.delta.workloads import survey
from neuroscale.delta.written import Format, written
from neuroscale.gate import alike
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Tree
from neuroscale.gate.placement import placed
from neuroscale.gate.render import Checkout, render, render_several
from neuroscale.prices import Prices, Thresholds

HOME, ARGO = "http://forge/platform.git", "argoproj.io/v1alpha1"
SERVING = "infrastructure/serving"
KUSTOMIZATION = f"{SERVING}/kustomization.yaml"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"a": "1"}}
THING = definition("example.com", "v1", "Thing", {"type": "object"})


def application(name: str, path: str, **source: Any) -> dict[str, Any]:
    where = {"repoURL": HOME, "path": path, **source}
    spec = {"source": where, "destination": {"namespace": "default"}}
    return {"apiVersion": ARGO, "kind": "Application", "metadata": {"name": name}, "spec": spec}


def application_set(**generator: Any) -> dict[str, Any]:
    template = application("{{ .path.basename }}", "{{ .path.path }}")
    spec = {
        "generators": [{"git": {"directories": [{"path": "apps/*"}], **generator}}],
        "template": {"metadata": template["metadata"], "spec": template["spec"]},
    }
    return {"apiVersion": ARGO, "kind": "ApplicationSet", "metadata": {"name": "apps"}, "spec": spec}


def put(root: Path, path: str, *objects: Any) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n---\n".join(map(json.dumps, objects)), encoding="utf-8")


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two that are the same, with one folder of upstream's."""
    first, second = tmp_path / "first", tmp_path / "second"
    put(first, "bootstrap/root.yaml", application("root", "infrastructure/apps"))
    put(first, "infrastructure/apps/serving.yaml", application("serving", SERVING))
    put(first, "infrastructure/apps/apps.yaml", application_set())
    put(first, KUSTOMIZATION, {"resources": ["upstream/deep/all.yaml", "own.yaml"]})
    put(first, f"{SERVING}/upstream/deep/all.yaml", THING)
    put(first, f"{SERVING}/own.yaml", CONFIG)
    put(first, "apps/a/a.yaml", {**CONFIG, "metadata": {"name": "a"}})
    shutil.copytree(first, second)
    return first, second


class Counting(ToyEngine):
    """Keeps what it is asked for; like the engine, it rejects what takes from elsewhere."""

    def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
        asked.append([len(request["trees"]), [list(one["byHand"]) for one in request["trees"]]])
        answer = super().ask(what, request)
        for tree, said in zip(request["trees"], answer["trees"], strict=True):
            for made in said["places"]:
                file = Path(tree["root"]) / made["path"] / "kustomization.yaml"
                if file.exists() and "../" in file.read_text(encoding="utf-8"):
                    problem = {"rule": "elsewhere", "where": made["path"], "file": "", "line": 0, "message": "../"}
                    made.update(objects=[], origins=[], problems=[problem])
        return answer


asked: list[list[Any]] = []


@pytest.fixture
def engine() -> Engine:
    asked.clear()
    return Counting(Path("/nonexistent/gate-engine"))


def by_themselves(engine: Engine, *roots: Path) -> list[Any]:
    """What each is alone; the roots may be asked for again, since nothing edits them here."""
    return [render(engine, root) for root in roots]


def together(engine: Engine, *roots: Path) -> list[Any]:
    return render_several(engine, [Checkout.whole(root) for root in roots])


def shared(engine: Engine, *roots: Path) -> bool:
    """Whether trees that are rendered together are what they are alone; and whether a folder was rendered once."""
    expected = by_themselves(engine, *roots)
    asked.clear()
    assert together(engine, *roots) == expected
    assert asked[0] == [1, [[SERVING]]] or asked == [[2, [["bootstrap"], ["bootstrap"]]]]
    return asked == [[1, [[SERVING]]], [2, [["bootstrap"], ["bootstrap"]]]]


def test_a_folder_that_is_alike_is_rendered_once(trees: tuple[Path, Path], engine: Engine) -> None:
    assert shared(engine, *trees)
    (before, _), (after, _) = together(engine, *trees)
    assert sorted(obj["kind"] for obj in after.places[SERVING]) == ["ConfigMap", "CustomResourceDefinition"]
    assert before.places[SERVING] is after.places[SERVING]
    assert (trees[0] / KUSTOMIZATION).read_bytes() == (trees[1] / KUSTOMIZATION).read_bytes()
    assert sorted(path.name for path in (trees[1] / SERVING).iterdir()) == [
        "kustomization.yaml",
        "own.yaml",
        "upstream",
    ]


def test_a_tree_by_itself_is_rendered_whole(trees: tuple[Path, Path], engine: Engine) -> None:
    together(engine, trees[0])
    assert asked == [[1, [["bootstrap"]]]]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (f"{SERVING}/own.yaml", {**CONFIG, "data": {"a": "2"}}),
        (f"{SERVING}/upstream/deep/all.yaml", definition("example.com", "v2", "Thing", {"type": "object"})),
        (f"{SERVING}/upstream/more.yaml", CONFIG),
        (KUSTOMIZATION, {"resources": ["own.yaml"]}),
    ],
)
def test_a_folder_that_differs_is_rendered_on_both_sides(
    trees: tuple[Path, Path], engine: Engine, path: str, content: Any
) -> None:
    put(trees[1], path, content)
    assert not shared(engine, *trees)
    assert asked == [[2, [["bootstrap"], ["bootstrap"]]]]


def test_what_is_around_a_folder_is_seen(trees: tuple[Path, Path], engine: Engine) -> None:
    """Other folders, the template of the ApplicationSet, and whether the folder is deployed at all."""
    other = application_set(directories=[{"path": "apps/*"}, {"path": "apps/b", "exclude": True}])
    other["spec"]["template"]["spec"]["destination"] = {"namespace": "elsewhere"}
    put(trees[1], "infrastructure/apps/apps.yaml", other)
    put(trees[1], "apps/a/a.yaml", {**CONFIG, "metadata": {"name": "a"}, "data": {"a": "3"}})
    put(trees[1], "apps/b/b.yaml", CONFIG)
    put(trees[1], "apps/c/c.yaml", CONFIG)
    assert shared(engine, *trees)
    (before, _), (after, _) = together(engine, *trees)
    assert before.places["apps/a"] != after.places["apps/a"]
    assert {"apps/c"} == set(after.places) - set(before.places)
    assert [app["spec"]["destination"]["namespace"] for app in after.applications[2:]] == ["elsewhere"] * 2
    (trees[1] / "infrastructure/apps/serving.yaml").unlink()
    assert shared(engine, *trees)
    assert SERVING not in together(engine, *trees)[1][0].places


LABELS = {"owner": "ml-platform", "cost-center": "cc-ml"}
MODEL = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "model", "labels": LABELS},
    "spec": {"predictor": {"minReplicas": 1, "maxReplicas": 1, "model": {"modelFormat": {"name": "sklearn"}}}},
}


def runtime(cpu: str) -> dict[str, Any]:
    formats = [{"name": "sklearn", "autoSelect": True}]
    containers = [{"name": "kserve-container", "resources": {"requests": {"cpu": cpu}}}]
    spec = {"supportedModelFormats": formats, "containers": containers}
    kind = "ClusterServingRuntime"
    return {"apiVersion": "serving.kserve.io/v1alpha1", "kind": kind, "metadata": {"name": "runtime"}, "spec": spec}


def limit_range(memory: str) -> dict[str, Any]:
    spec = {"limits": [{"type": "Container", "defaultRequest": {"memory": memory}}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}, "spec": spec}


def delta(before: tuple[Tree, Any], after: tuple[Tree, Any], cpu: str = "1") -> str:
    hourly = {"cpu": Decimal(cpu), "memory": Decimal(1)}
    priced = Prices("USD", hourly, Thresholds(Decimal(99), Decimal(2) ** 40))
    was, now = (survey(placed(tree), priced, pod_level=False) for tree, _ in (before, after))
    return written(compare(was, now, priced), Format.JSON)


@pytest.mark.parametrize(
    ("changed", "rows"),
    [
        ([], 0),
        ([runtime("2"), limit_range("1Gi")], 1),
        ([runtime("1"), limit_range("2Gi")], 1),
    ],
    ids=["nothing", "what a runtime asks for", "what a LimitRange gives"],
)
def test_what_decides_about_a_model_from_elsewhere_is_priced(
    trees: tuple[Path, Path], engine: Engine, changed: list[Any], rows: int
) -> None:
    for root in trees:
        put(root, "apps/model/model.yaml", MODEL)
        put(root, "infrastructure/around/all.yaml", runtime("1"), limit_range("1Gi"))
        put(root, "infrastructure/apps/around.yaml", application("around", "infrastructure/around"))
    if changed:
        put(trees[1], "infrastructure/around/all.yaml", *changed)
    assert shared(engine, *trees)
    found = delta(*together(engine, *trees))
    assert found == delta(*by_themselves(engine, *trees))
    assert len(json.loads(found)["workloads"]) == rows
    assert found != delta(*together(engine, *trees), cpu="2")


def test_a_base_beside_a_folder_is_no_part_of_it(trees: tuple[Path, Path], engine: Engine) -> None:
    """The engine rejects it, and whatever has something wrong with it is rendered whole."""
    for root, value in zip(trees, ("1", "2"), strict=True):
        put(root, "infrastructure/shared/kustomization.yaml", {"resources": ["x.yaml"]})
        put(root, "infrastructure/shared/x.yaml", {**CONFIG, "metadata": {"name": "x"}, "data": {"a": value}})
        put(root, KUSTOMIZATION, {"resources": ["../shared", "upstream/deep/all.yaml"]})
    assert not shared(engine, *trees)
    assert [one.rule for one in together(engine, *trees)[1][1]] == ["elsewhere"]


SET = "infrastructure/apps/serving.yaml"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (SET, application("serving", SERVING, kustomize={"namePrefix": "a-"})),
        (SET, application("serving", SERVING, directory={"recurse": True})),
        (SET, application("serving", SERVING, ref="values")),
        (SET, application("deep", f"{SERVING}/upstream/deep")),
        (SET, application("serving", "infrastructure", directory={"recurse": True})),
        ("infrastructure/apps/more.yaml", application("more", "apps/a", kustomize={"components": ["../../x"]})),
        ("infrastructure/apps/more.yaml", application("more", "apps/a", kustomize={"patches": [{"path": "../p"}]})),
        ("infrastructure/apps/more.yaml", application("more", "apps/a", helm={"valueFiles": [f"/{SERVING}/own.yaml"]})),
        ("infrastructure/apps/more.yaml", application("more", "apps/a", helm={"valueFiles": ["../../*/x.yaml"]})),
        (
            "infrastructure/apps/more.yaml",
            application("more", "apps/a", helm={"fileParameters": [{"name": "a", "path": f"../../{KUSTOMIZATION}"}]}),
        ),
        ("infrastructure/apps/apps.yaml", application_set(files=[{"path": "infrastructure/*/own.yaml"}])),
        ("infrastructure/apps/more.yaml", application("more", "apps/none")),
    ],
)
def test_whatever_else_may_decide_has_the_tree_rendered_whole(
    trees: tuple[Path, Path], engine: Engine, path: str, content: Any
) -> None:
    put(trees[1], path, content)
    assert not shared(engine, *trees)
    assert asked == [[1, [[SERVING]]], [2, [["bootstrap"], ["bootstrap"]]], [1, [["bootstrap"]]]]


def test_values_beside_a_chart_decide_about_nothing_else() -> None:
    source = {"repoURL": HOME, "path": "infrastructure/portal/chart", "helm": {"valueFiles": ["../values.yaml"]}}
    app = {"kind": "Application", "spec": {"source": source}}
    said = {"problems": [], "applications": [app], "places": []}
    ready = {SERVING: {"path": SERVING}}
    assert not alike._decided_elsewhere(said, ready)
    source["helm"] = {"valueFiles": ["../../serving/own.yaml"]}
    assert alike._decided_elsewhere(said, ready)


@pytest.mark.parametrize(
    "name", ["Chart.yaml", "kustomization.yml", ".argocd-source-serving.yaml", "rendered-once.yaml"]
)
def test_a_folder_that_is_more_than_a_kustomization_is_rendered_on_both_sides(
    trees: tuple[Path, Path], name: str
) -> None:
    assert list(alike.alike(trees)) == [SERVING]
    for root in trees:
        put(root, f"{SERVING}/{name}", CONFIG)
    assert alike.alike(trees) == {}


def test_where_there_are_links_nothing_is_alike(trees: tuple[Path, Path]) -> None:
    (trees[1] / "apps" / "b").symlink_to("a")
    assert alike.alike(trees) == {}
    assert alike.alike(trees[:1]) == {}


def test_a_folder_that_deploys_others_is_rendered_on_both_sides(trees: tuple[Path, Path], engine: Engine) -> None:
    for root in trees:
        put(root, f"{SERVING}/own.yaml", application("b", "infrastructure/b"))
        put(root, "infrastructure/b/b.yaml", CONFIG)
    expected = by_themselves(engine, *trees)
    assert together(engine, *trees) == expected
    assert "infrastructure/b" in together(engine, *trees)[0][0].places
