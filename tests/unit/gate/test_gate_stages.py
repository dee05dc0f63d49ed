"""Each stage of the gate by itself."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import yaml
from stages import DEFINITIONS, definition, python_program, render_folder, tree_of

from neuroscale.errors import Inconclusive, SupplyError
from neuroscale.gate import appproject, policy, resources, schema, scopes
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Tree
from neuroscale.gate.helm import template
from neuroscale.gate.render import folders, render
from neuroscale.gate.schema import Schemas, kubernetes
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

CONFIG: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def put(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


# --- render


def test_what_is_inside_a_kustomization_or_a_chart_is_no_place_of_its_own(tmp_path: Path) -> None:
    for name in ("a/kustomization.yaml", "a/base/kustomization.yml", "a/x/y.yaml", "b/Chart.yaml", "b/templates/z.yaml",
                 "c/d/one.yml", "e/two.json", "f/Kustomization", "g/notes.md"):  # fmt: skip
        put(tmp_path / name, "{}")
    assert [str(folder.relative_to(tmp_path)) for folder in folders(tmp_path)] == ["a", "b", "c/d", "e", "f"]


def test_what_the_portal_reads_is_no_manifest(tmp_path: Path) -> None:
    for name in ("apps/a/a.yaml", "backstage/catalog/org.yaml", "backstage/templates/x/skeleton/kustomization.yaml"):
        put(tmp_path / name, "{}")
    assert [str(folder.relative_to(tmp_path)) for folder in folders(tmp_path)] == ["apps/a"]


@pytest.mark.parametrize("text", ["[1, 2]", "{kind: A, apiVersion: v1, metadata: [name]}", "kind: A", "- a\n- b"])
def test_what_is_no_object_is_said_and_the_rest_is_made(text: str, tmp_path: Path) -> None:
    put(tmp_path / "a" / "a.yaml", text)
    put(tmp_path / "a" / "b.yaml", yaml.safe_dump(CONFIG))
    objects, (finding,) = render_folder(tmp_path, "a")
    assert (objects, finding.stage, finding.rule) == ([CONFIG], "render", "unreadable")


def answer(*places: Object, problems: Sequence[Object] = (), applications: Sequence[Object] = ()) -> Engine:
    """An engine that says this of a single checkout."""

    class Answering(Engine):
        def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
            return {"trees": [{"places": places, "problems": problems, "applications": applications}]}

    return Answering(Path("/nonexistent"))


def made(path: str, *objects: Object, **more: object) -> Object:
    return {
        "path": path,
        "type": "Directory",
        "objects": objects,
        "origins": [""] * len(objects),
        "problems": [],
    } | more


def test_fields_that_are_null_are_not_there(tmp_path: Path) -> None:
    """As the API server takes them; an item of a list stays, and is no container."""
    meta = {"name": "a", "labels": None, "namespace": None}
    said = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"volumes": None, "containers": [None]}}
    tree, findings = render(answer(made("apps/a", said)), tmp_path)
    assert findings == []
    assert tree.places["apps/a"][0] == {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [None]},
    }  # fmt: skip


def test_what_is_wrong_with_a_folder_is_said_at_its_file_and_line(tmp_path: Path) -> None:
    problem = {"rule": "unreadable", "where": "apps/a", "file": "apps/a/x.yaml", "line": 3, "message": "it is not YAML"}
    _, (finding,) = render(answer(made("apps/a", problems=[problem])), tmp_path)
    assert str(finding) == "render: apps/a (apps/a/x.yaml:3): it is not YAML [unreadable]"


def test_an_object_is_known_by_its_file_and_line(tmp_path: Path) -> None:
    tree, _ = render(answer(made("apps/a", CONFIG, origins=["apps/a/x.yaml:1"])), tmp_path)
    assert tree.origins == {("apps/a", "ConfigMap", "a"): "apps/a/x.yaml:1"}


def test_a_folder_that_makes_nothing_is_said(tmp_path: Path) -> None:
    _, (finding,) = render(answer(made("apps/a")), tmp_path)
    assert (finding.rule, finding.where) == ("empty", "apps/a")


def test_one_object_of_two_folders_has_two_masters_whoever_names_its_namespace(tmp_path: Path) -> None:
    explicit = {**CONFIG, "metadata": {"name": "a", "namespace": "default"}}
    engine = answer(made("apps/a", CONFIG), made("apps/b", explicit), made("bootstrap/c", CONFIG))
    assert [one.rule for one in render(engine, tmp_path)[1]] == ["twice"]
    other = answer(made("apps/a", CONFIG), made("apps/b", {**CONFIG, "metadata": {"name": "a", "namespace": "other"}}))
    assert render(other, tmp_path)[1] == []


def test_folders_that_no_application_deploys_are_idle(tmp_path: Path) -> None:
    for name in ("apps/a/a.yaml", "apps/a/sub/b.yaml", "bootstrap/x.yaml"):
        put(tmp_path / name, "{}")
    tree, _ = render(answer(made("apps/a", CONFIG), made("bootstrap", CONFIG)), tmp_path)
    assert tree.idle == ("apps/a/sub",)


def test_an_engine_without_an_answer_is_no_verdict(tmp_path: Path) -> None:
    for said, why in (("sys.exit('no tree')", "exit code 1 and said: no tree"), ("print('[')", "exit code 0 and said")):
        program = python_program(tmp_path / "engine", f"import sys; {said}")
        with pytest.raises(Inconclusive, match=f"should render, but ended with {why}"):
            render(Engine(program), tmp_path)


def test_an_engine_is_asked_for_what_argo_cd_would_be_told(tmp_path: Path) -> None:
    program = python_program(
        tmp_path / "engine",
        "import json, os, sys\n"
        f"open('{tmp_path}/said', 'w').write(json.dumps([sys.argv[1:], dict(os.environ), json.load(sys.stdin)]))\n"
        "print(json.dumps({'trees': [{'places': [], 'problems': [], 'applications': []}]}))\n",
    )
    put(tmp_path / "tree" / "bootstrap" / "argocd" / "kustomization.yaml", "{}")
    put(tmp_path / "tree" / "apps" / "a" / "a.yaml", "{}")
    render(Engine(program, (tmp_path / "helm", tmp_path / "kustomize")), tmp_path / "tree")
    arguments, environment, asked = json.loads((tmp_path / "said").read_text(encoding="utf-8"))
    assert arguments == ["render"]
    assert environment["PATH"] == f"{tmp_path}/helm:{tmp_path}/kustomize"
    assert environment["HOME"] == "/nonexistent"
    assert asked["trees"] == [{"root": str(tmp_path / "tree"), "byHand": ["bootstrap/argocd"]}]
    assert asked["kubeVersion"] == "1.31"
    assert {"v1", "v1/Pod", "apps/v1/Deployment", "policy/v1/PodDisruptionBudget"} < set(asked["apiVersions"])
    assert not {"policy/v1beta1", "storage.k8s.io/v1alpha1", "v1/Binding", "v1/PodList"} & set(asked["apiVersions"])


def test_helm_is_asked_for_the_folder(tmp_path: Path) -> None:
    file = python_program(tmp_path / "helm", "import sys, json; print(json.dumps({'said': sys.argv[1:]}))")
    assert template(file, tmp_path / "x") == [{"said": ["template", "x", str(tmp_path / "x")]}]


def test_a_chart_that_does_not_render_is_said(tmp_path: Path) -> None:
    file = python_program(tmp_path / "helm", "import sys; sys.exit('Error: no such value')")
    with pytest.raises(SupplyError, match="Error: no such value"):
        template(file, tmp_path / "x")


# --- schema


def test_schemas_are_those_of_the_node() -> None:
    assert kubernetes() == "1.31"


def test_a_kubernetes_whose_schemas_are_unknown_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = SimpleNamespace(modules={"k3s": SimpleNamespace(known_as="main")})
    monkeypatch.setattr(schema, "pins", lambda: unknown)
    with pytest.raises(SupplyError, match=r"should say which Kubernetes k3s is, but does not\. Next: "):
        schema.kubernetes.__wrapped__()
    monkeypatch.setattr(schema, "kubernetes", lambda: "9.99")
    with pytest.raises(SupplyError, match=r"should have the schemas of Kubernetes 9\.99, but has not\. Next: "):
        schema._folder.__wrapped__()


RICH: Object = {
    "type": "object",
    "properties": {
        "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "maybe": {"type": "string", "nullable": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}}}},
        "whole": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}},
        "few": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
        "amount": {"x-kubernetes-int-or-string": True, "pattern": r"^(\d+m?|\$|[$]+)$"},
    },
}


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({"port": 80}, True),
        ({"port": "http"}, True),
        ({"port": [80]}, False),
        ({"maybe": None}, True),
        ({"maybe": 1}, False),
        ({"free": {"anything": {"goes": 1}}}, True),
        ({"map": {"x": {"a": 1}}}, True),
        ({"map": {"x": {"b": 1}}}, False),
        ({"list": [{"a": 1}, {"a": "1"}]}, False),
        ({"list": [{"b": 1}]}, False),
        ({"whole": {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}}, True),
        ({"few": 1}, True),
        ({"few": 0}, False),
        ({"amount": "50m"}, True),
        ({"amount": 50}, True),
        ({"amount": "50m\n"}, False),
        ({"amount": "\u0665m"}, False),
        ({"amount": "$"}, True),
        ({"amount": "$$"}, True),
        ({"amount": "$\n"}, False),
        ({"other": 1}, False),
    ],
)
def test_a_definition_is_taken_as_the_api_server_takes_it(spec: Object, fits: bool) -> None:
    schemas = Schemas([definition("example.com", "v1", "Thing", RICH)])
    obj = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec}
    assert (schemas.findings("a", obj) == []) is fits


def test_a_version_that_is_not_served_does_not_exist() -> None:
    old = definition("example.com", "v1", "Thing", RICH)
    old["spec"]["versions"][0]["served"] = False
    obj = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}
    (finding,) = Schemas([old]).findings("a", obj)
    assert finding.rule == "unknown-kind"


# --- AppProjects


def projects() -> dict[str, list[Object]]:
    texts = [
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("bootstrap/projects.yaml", "infrastructure/apps/model-endpoints-appset.yaml")
    ]
    return {"bootstrap": [obj for text in texts for obj in yaml.safe_load_all(text)]}


def test_a_project_that_is_not_there_is_said() -> None:
    places = {"bootstrap": projects()["bootstrap"][-1:], "apps/a": [CONFIG]}
    (finding,) = appproject.check(tree_of(places))
    assert "neuroscale-models is not" in finding.description


def deployed(name: str = "a", folder: str = "apps/a") -> Tree:
    """A folder, and the Application that is generated for it."""
    tree = tree_of({**projects(), folder: [CONFIG]})
    (app,) = tree.applications
    return replace(tree, applications=({**app, "metadata": {"name": name}},))


def test_two_applications_of_one_name_are_said() -> None:
    """Each would undo what the other does."""
    tree = deployed()
    found = appproject.check(replace(tree, applications=tree.applications * 2))
    assert ("collision", "apps/a") in {(finding.rule, finding.where) for finding in found}


def test_two_applications_of_one_folder_are_said() -> None:
    """Incident F1: one that was made by hand beside the generated one."""
    tree, by_hand = deployed(), deployed("by-hand")
    both = replace(tree, applications=(*by_hand.applications, *tree.applications))
    (finding,) = appproject.check(both)
    assert (finding.rule, finding.where) == ("collision", "apps/a")
    assert "both by-hand and a do" in finding.description


@pytest.mark.parametrize(
    ("name", "good"),
    [("a", True), ("a.v2", True), ("a-1", True), ("a_b", False), ("a b", False), ("A", False), (".a", False),
     ("a.", False), ("-a", False), ("a" * 63, True), ("a" * 64, False), ("a\n", False)],
)  # fmt: skip
def test_an_application_has_a_name_that_kubernetes_takes(name: str, good: bool) -> None:
    found = appproject.check(deployed(name))
    assert [one.rule for one in found] == ([] if good else ["name"])


def test_a_third_application_is_said_beside_two_of_one_name() -> None:
    """Of two with one name, which both exist in Git, either may be the one that Argo CD has."""
    tree = deployed()
    (app,) = tree.applications
    moved = {**app, "spec": {**app["spec"], "source": {**app["spec"]["source"], "path": "apps/b/c"}}}
    third = {**moved, "metadata": {"name": "third"}}
    found = appproject.check(replace(tree, applications=(app, moved, third)))
    assert [finding.description for finding in found if finding.rule == "collision"] == [
        "its Application should have a name of its own, but apps/a has one named a, too",
        "one Application should deploy it, but both a and third do, and each undoes the other's work",
    ]


def test_a_folder_that_nobody_deploys_is_said() -> None:
    (finding,) = appproject.check(replace(deployed(), idle=("elsewhere/a",)))
    assert (finding.rule, finding.where) == ("not-deployed", "elsewhere/a")


@pytest.mark.parametrize("spec", [{"source": {"path": "gone"}}, {}, {"sources": [{"path": "a"}], "destination": {}}])
def test_an_application_that_leads_nowhere_is_said(spec: Object) -> None:
    (finding,) = appproject.check(Tree({"bootstrap": []}, ({"metadata": {"name": "x"}, "spec": spec},)))
    assert (finding.rule, finding.where) == ("source", spec.get("source", {}).get("path", "x"))


def test_no_app_replaces_a_project_that_is_applied_by_hand() -> None:
    wide = {"kind": "AppProject", "apiVersion": "argoproj.io/v1alpha1", "metadata": {"name": "neuroscale-models"}}
    own = {**wide, "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}}
    tree = deployed()
    found = appproject.check(replace(tree, places={**tree.places, "apps/a": [own]}))
    assert {one.description for one in found} == {"project neuroscale-models does not allow its kind"}


@pytest.mark.parametrize(
    ("option", "own", "fits"),
    [("", "", False), ("ServerSideApply=true", "", True), ("", "Prune=false, Replace=true", True)],
)
def test_what_a_client_side_apply_cannot_keep_is_too_large(option: str, own: str, fits: bool) -> None:
    """Incident B2."""
    meta = {"name": "a", "annotations": {"argocd.argoproj.io/sync-options": own}}
    large = {**CONFIG, "metadata": meta, "data": {"a": "x" * 262_144}}
    tree = deployed()
    (app,) = copy.deepcopy(tree.applications)
    app["spec"]["syncPolicy"]["syncOptions"] = [option]
    found = appproject.check(replace(tree, places={**tree.places, "apps/a": [large]}, applications=(app,)))
    assert [one.rule for one in found] == ([] if fits else ["too-large"])


def test_a_kind_that_a_definition_gives_no_namespace_belongs_to_the_cluster() -> None:
    whole = definition("example.com", "v1", "Thing", RICH, "Cluster")
    assert "Thing" in scopes.cluster_scoped({"a": [whole]})
    assert "Thing" not in scopes.cluster_scoped({"a": []})


# --- policy


def about(groups: list[str], resources: list[str]) -> Object:
    """A policy."""
    rules = [{"apiGroups": groups, "resources": resources}]
    kind = {"apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy", "metadata": {"name": "p"}}
    return {**kind, "spec": {"matchConstraints": {"resourceRules": rules}}}


@pytest.mark.parametrize(
    ("groups", "resources", "concerned"),
    [
        (["apps"], ["deployments"], True),
        (["*"], ["*"], True),
        (["", "apps"], ["pods", "*/*"], True),
        (["apps"], ["deployments/scale"], False),
        (["apps"], ["statefulsets"], False),
        (["batch"], ["deployments"], False),
    ],
)
def test_the_engine_is_spared_what_no_policy_is_about(groups: list[str], resources: list[str], concerned: bool) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    policy = about(groups, resources)
    assert scopes.concerns(policy, deployment) is concerned
    policy["spec"]["matchConstraints"]["resourceRules"].append({"apiGroups": [""], "resources": ["services"]})
    assert scopes.concerns(policy, deployment) is concerned


def test_what_another_policy_judged_is_passed_over_by_this_one() -> None:
    name = POLICIES[3]
    deployment: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    installed = [{**about(["*"], ["*"]), "metadata": {"name": one}} for one in POLICIES]
    judged = [policy.Result(one, "pass", "a", 0, "") for one in POLICIES if one != name]
    (finding,) = policy.check({"a": [deployment, *installed]}, judged)
    assert (finding.rule, finding.description) == (name, "the policy should judge it, but passed it over")


def test_two_objects_of_one_name_are_told_apart() -> None:
    deployment: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    installed = [{**about(["*"], ["*"]), "metadata": {"name": one}} for one in POLICIES]
    results = [policy.Result(one, "pass", "a", number, "") for one in POLICIES[1:] for number in (0, 1)]
    results[1] = policy.Result(POLICIES[1], "fail", "a", 1, "no")
    places = {"a": [deployment, deployment, *installed]}
    assert [one.rule for one in policy.check(places, results)] == [POLICIES[1]]
    assert policy.evaluated(results)[POLICIES[1]] == 2
    assert {one.rule for one in policy.check(places, results[::2])} == {*POLICIES[1:]}


def test_the_engine_is_given_namespaces_kinds_and_user(tmp_path: Path) -> None:
    """It has no cluster to ask."""
    asked: list[Mapping[str, Any]] = []

    class Asked(Engine):
        def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
            asked.append({"what": what, **request})
            return {"results": [{"policy": "p", "object": 0, "outcome": "fail", "message": "no"}]}

    rule = about(["*"], ["configmaps"])
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine", "labels": {"a": "b"}}}
    obj = {**CONFIG, "metadata": {"name": "a", "namespace": "other"}}
    places = {"w": [about(["*"], ["secrets"])], "x": [rule, namespace, obj, *DEFINITIONS]}
    assert policy.simulate(Asked(tmp_path), places) == [policy.Result("p", "fail", "x", 2, "no")]
    (request,) = asked
    assert (request["what"], request["objects"], len(request["policies"])) == ("judge", [obj], 2)
    assert request["username"].endswith(":argocd-application-controller")
    assert request["namespaces"]["mine"] == {"kubernetes.io/metadata.name": "mine", "a": "b"}
    assert set(request["namespaces"]) == {"default", "mine", "other"}
    assert request["kinds"][0] == {
        "group": "serving.kserve.io", "kind": "InferenceService", "resource": "inferenceservices",
    }  # fmt: skip


@pytest.mark.parametrize("results", [[{"policy": "p"}], [{"policy": "p", "object": 7}], None])
def test_an_answer_about_something_else_is_no_verdict(results: object, tmp_path: Path) -> None:
    class Astray(Engine):
        def ask(self, what: Literal["render", "judge"], request: Mapping[str, Any]) -> Any:
            return {"results": results}

    with pytest.raises(Inconclusive, match="should judge 1 objects, but answers"):
        policy.simulate(Astray(tmp_path), {"a": [about(["*"], ["configmaps"]), CONFIG]})


def test_an_engine_that_does_not_end_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("gate-engine", 300)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(Inconclusive, match="did not end within 300 s"):
        policy.simulate(Engine(tmp_path), {"a": [about(["*"], ["*"]), CONFIG]})


def test_one_of_several_sources_is_enough() -> None:
    source, where = {"repoURL": "https://b/x.git", "path": "a"}, {"server": "https://s", "namespace": "n"}
    app = {"spec": {"project": "p", "source": source, "destination": where}}
    rules = {"sourceRepos": ["https://a/*", "https://b/*"], "destinations": [{**where, "namespace": "m"}, where]}
    assert appproject.violations(app, "a", [], {"spec": rules}, frozenset()) == []
    (finding,) = appproject.violations(app, "a", [], {"spec": {**rules, "sourceRepos": ["https://a/*"]}}, frozenset())
    assert finding.description == "repository https://b/x.git is no source of project p"


# --- resources


def container(cpu: str, **more: object) -> Object:
    return {"name": "a", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu, "memory": "1Mi"}}, **more}


def asked(obj: Object, *others: Object) -> resources.Amounts:
    (found,) = resources.demands({"a": [obj, *others]}).values()
    return found


def workload(kind: str, spec: Object, pod: Object) -> Object:
    version = {"CronJob": "batch/v1", "Job": "batch/v1", "Service": "serving.knative.dev/v1"}.get(kind, "apps/v1")
    body = (
        {"jobTemplate": {"spec": {**spec, "template": {"spec": pod}}}}
        if kind == "CronJob"
        else {**spec, "template": {"spec": pod}}
    )
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": body}


@pytest.mark.parametrize(
    ("init", "cpu"),
    [
        ([], 3),
        ([container("1")], 3),
        ([container("5")], 5),
        ([container("1", restartPolicy="Always")], 4),
        ([container("1", restartPolicy="Always"), container("5")], 6),
        ([container("5"), container("1", restartPolicy="Always")], 5),
        ([container("2500m", restartPolicy="Always")], Decimal("5.5")),
    ],
)
def test_what_a_pod_asks_for_is_its_peak(init: list[Object], cpu: Decimal) -> None:
    pod = {"containers": [container("1"), container("2")], "initContainers": init}
    found = asked(workload("Deployment", {}, pod))
    assert found["requests.cpu"] == cpu


def test_a_limit_stands_in_for_a_request() -> None:
    assert asked(workload("Deployment", {}, {"containers": [container("1")]}))["requests.memory"] == 1024**2


@pytest.mark.parametrize(
    ("kind", "spec", "pods"),
    [("Deployment", {"replicas": 3}, 3), ("Deployment", {}, 1), ("Deployment", {"replicas": 0}, 0),
     ("Deployment", {"replicas": None}, 1), ("Job", {"parallelism": None}, 1),
     ("DaemonSet", {}, 1), ("Job", {"parallelism": 2}, 2), ("CronJob", {"parallelism": 2}, 2), ("Service", {}, 0)],
)  # fmt: skip
def test_replicas_count(kind: str, spec: Object, pods: int) -> None:
    found = asked(workload(kind, spec, {"containers": [container("1")]}))
    assert (found["pods"], found["requests.cpu"]) == (pods, pods)


def test_a_model_takes_from_its_runtime_what_it_leaves_out() -> None:
    """Incident E2."""
    runtime = yaml.safe_load((ROOT / "infrastructure/kserve/sklearn-runtime.yaml").read_text(encoding="utf-8"))
    model = yaml.safe_load((ROOT / "apps/demo-iris-2/inference-service.yaml").read_text(encoding="utf-8"))
    model["spec"]["predictor"] |= {"minReplicas": 2}
    model["spec"]["predictor"]["model"]["resources"] = {"requests": {"cpu": "300m"}}
    found = asked(model, runtime)
    assert (found["requests.cpu"], found["limits.cpu"], found["pods"]) == (Decimal("0.6"), 2, 2)
    named = copy.deepcopy(model)
    named["spec"]["predictor"]["model"]["runtime"] = "another"
    assert asked(named, runtime)["limits.cpu"] == 0


@pytest.mark.parametrize(
    ("kind", "plural"), [("Ingress", "ingresses"), ("NetworkPolicy", "networkpolicies"), ("Pod", "pods")]
)
def test_numbers_of_objects_have_quotas_too(kind: str, plural: str) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": "n"},
        "spec": {"hard": {f"count/{plural}": "1"}},
    }
    one, two, elsewhere = (
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": {}}
        for name, namespace in (("a", "n"), ("b", "n"), ("c", "m"))
    )
    assert resources.check({"x": [quota, one, elsewhere]}) == []
    (finding,) = resources.check({"x": [quota, one], "y": [two, elsewhere]})
    assert finding.description == f"n should ask for at most 1 count/{plural}, but asks for 2"


def test_a_sidecar_alone_sets_no_peak() -> None:
    init = [container("1", restartPolicy="Always")]
    found = asked(workload("Deployment", {}, {"containers": [container("100m")], "initContainers": init}))
    assert found["requests.cpu"] == Decimal("1.1")


def test_a_quota_on_what_nobody_asks_for_is_kept() -> None:
    meta = {"name": "q", "namespace": "n"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"services": "0"}}}
    assert resources.check({"x": [quota]}) == []
    assert resources.totals({"a": {}}) == dict.fromkeys(resources.COUNTED, Decimal(0))


def test_a_quota_counts_what_a_model_takes_from_its_runtime() -> None:
    """The runtime is of no namespace."""
    runtime = yaml.safe_load((ROOT / "infrastructure/kserve/sklearn-runtime.yaml").read_text(encoding="utf-8"))
    model = yaml.safe_load((ROOT / "apps/demo-iris-2/inference-service.yaml").read_text(encoding="utf-8"))
    model["metadata"]["namespace"] = "n"
    model["spec"]["predictor"]["model"]["resources"] = None
    meta = {"name": "q", "namespace": "n"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"limits.cpu": "1m"}}}
    assert [one.rule for one in resources.check({"x": [quota], "a": [model], "b": [runtime]})] == ["quota"]
    assert resources.check({"x": [quota], "a": [model]}) == []


@pytest.mark.parametrize(("cpu", "namespace", "found"), [("3", "n", ["limit-range"]), ("2", "n", []), ("3", "m", [])])
def test_a_container_above_the_range_of_its_namespace_is_said(cpu: str, namespace: str, found: list[str]) -> None:
    most = {"type": "Container", "max": {"cpu": "2"}}
    limits = {"kind": "LimitRange", "apiVersion": "v1", "metadata": {"name": "l", "namespace": "n"}}
    obj = workload("Deployment", {}, {"containers": [container(cpu)]})
    obj["metadata"]["namespace"] = namespace
    pod = {"type": "Pod", "max": {"cpu": "1"}}
    assert [one.rule for one in resources.check({"x": [{**limits, "spec": {"limits": [pod, most]}}, obj]})] == found


@pytest.mark.parametrize("scale", ["words", "-1", None, 1.5])
def test_a_number_that_is_none_is_the_default(scale: object) -> None:
    obj = workload("Service", {}, {"containers": [container("1")]})
    obj["spec"]["template"]["metadata"] = {"annotations": {"autoscaling.knative.dev/min-scale": scale}}
    assert asked(obj)["pods"] == 0
    bare = {**obj, "spec": {}}
    assert asked(bare)["pods"] == 0


def test_an_amount_that_is_none_counts_nothing() -> None:
    assert asked(workload("Deployment", {}, {"containers": [container("much")]}))["limits.cpu"] == 0
