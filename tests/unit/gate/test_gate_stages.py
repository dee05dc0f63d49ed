"""Each stage of the gate by itself."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from stages import DEFINITIONS, definition, no_chart, python_program

from neuroscale.errors import Inconclusive, SupplyError
from neuroscale.gate import appproject, policy, resources, schema, scopes
from neuroscale.gate.render import folders, render, render_folder
from neuroscale.gate.schema import Schemas, kubernetes
from neuroscale.gate.tools import Tools
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


def test_a_file_that_argo_cd_is_told_to_skip_is_skipped(tmp_path: Path) -> None:
    put(tmp_path / "a.yaml", yaml.safe_dump(CONFIG))
    put(tmp_path / "catalog-info.yaml", "# +argocd:skip-file-rendering\n{kind: Component, of: the portal}\n")
    assert render_folder(tmp_path, "a", no_chart) == ([CONFIG], [])


def test_a_chart_is_rendered_by_helm(tmp_path: Path) -> None:
    put(tmp_path / "apps/a/Chart.yaml", "name: a\n")
    places, findings = render(tmp_path, lambda folder, values=(): [{**CONFIG, "metadata": {"name": folder.name}}])
    assert findings == []
    assert [obj["metadata"]["name"] for obj in places["apps/a"]] == ["a"]


@pytest.mark.parametrize(
    "text", ["[1, 2]", "{kind: A, apiVersion: v1, metadata: [name]}", "a: {b: 1, b: 2}", "? [a]\n: 1", "- a\n- b"]
)
def test_what_is_no_object_is_said(text: str, tmp_path: Path) -> None:
    put(tmp_path / "a.yaml", text)
    objects, (finding,) = render_folder(tmp_path, "a", no_chart)
    assert (objects, finding.stage, finding.rule) == ([], "render", "unreadable")


def test_keys_and_dates_are_text(tmp_path: Path) -> None:
    put(tmp_path / "a.yaml", yaml.safe_dump(CONFIG) + "data: {on: 2026-11-23, 8080: yes}\n")
    (obj,), _ = render_folder(tmp_path, "a", no_chart)
    assert obj["data"] == {"true": "2026-11-23", "8080": True}


def helm(tmp_path: Path, program: str) -> Tools:
    file = python_program(tmp_path / "helm", program)
    return Tools(file, {}, lambda: file)


def test_helm_is_asked_for_the_folder(tmp_path: Path) -> None:
    tools = helm(tmp_path, "import sys, json; print(json.dumps({'kind': 'List', 'said': sys.argv[1:]}))")
    assert tools.chart(tmp_path / "x") == [{"kind": "List", "said": ["template", "x", str(tmp_path / "x")]}]


def test_a_chart_gets_the_values_that_its_application_names(tmp_path: Path) -> None:
    source = {"path": "infrastructure/portal/chart", "helm": {"valueFiles": ["../values.yaml"]}}
    app = {**CONFIG, "kind": "Application", "metadata": {"name": "portal"}, "spec": {"source": source}}
    put(tmp_path / "infrastructure/portal/chart/Chart.yaml", "name: portal\n")
    put(tmp_path / "infrastructure/portal/values.yaml", "replicas: 1\n")
    put(tmp_path / "infrastructure/portal/values-prod.yaml", "replicas: 2\n")
    put(tmp_path / "infrastructure/zzz/app.yaml", yaml.safe_dump(app))
    given: list[Sequence[Path]] = []

    def chart(folder: Path, values: Sequence[Path] = ()) -> list[Object]:
        given.append(values)
        return [CONFIG]

    places, findings = render(tmp_path, chart)
    assert findings == []
    assert set(places) == {"infrastructure/portal/chart", "infrastructure/zzz"}, "values are no manifests"
    assert given == [[tmp_path / "infrastructure/portal/values.yaml"]]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"helm": {"parameters": [{"name": "replicas", "value": "9"}]}}, ["it sets source.helm.parameters"]),
        ({"helm": {"valuesObject": {"replicas": 9}, "values": "replicas: 9"}}, [
            "it sets source.helm.values", "it sets source.helm.valuesObject",
        ]),
        ({"helm": {"valueFiles": ["../../elsewhere.yaml"]}}, ["its values ../../elsewhere.yaml are no file"]),
        ({"helm": {"valueFiles": ["../../../../outside.yaml"]}}, ["its values ../../../../outside.yaml are no file"]),
        ({"helm": {"valueFiles": ["https://example.com/v"]}}, ["its values https://example.com/v are no file"]),
        ({"kustomize": {"images": ["nginx:latest"]}}, ["it sets source.kustomize"]),
        ({"directory": {"exclude": "*"}}, ["it sets source.directory"]),
        ({"plugin": {"name": "any"}}, ["it sets source.plugin"]),
        ({"helm": {"valueFiles": ["../values.yaml"]}}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["Application", "ApplicationSet"])
def test_what_an_application_makes_otherwise_than_its_folder_says_is_rejected(
    kind: str, source: Object, why: list[str], tmp_path: Path
) -> None:
    """Argo CD would deploy what the gate never saw."""
    tree = tmp_path / "tree"
    put(tmp_path / "outside.yaml", "replicas: 9\n")
    put(tree / "infrastructure/portal/chart/Chart.yaml", "name: portal\n")
    put(tree / "infrastructure/portal/values.yaml", "replicas: 1\n")
    spec = {"source": {"path": "infrastructure/portal/chart", "repoURL": "r", "targetRevision": "main", **source}}
    app = {**CONFIG, "kind": kind, "spec": spec if kind == "Application" else {"template": {"spec": spec}}}
    put(tree / "infrastructure/zzz/app.yaml", yaml.safe_dump(app))
    _, findings = render(tree, lambda folder, values=(): [{**CONFIG, "metadata": {"name": "other"}}])
    assert [finding.rule for finding in findings] == ["unseen"] * len(why)
    assert all(words in str(finding) for words, finding in zip(why, findings, strict=True))


def test_an_application_of_several_sources_is_rejected(tmp_path: Path) -> None:
    app = {**CONFIG, "kind": "Application", "spec": {"sources": [{"path": "a"}], "sourceHydrator": {"drySource": {}}}}
    put(tmp_path / "infrastructure/zzz/app.yaml", yaml.safe_dump(app))
    _, findings = render(tmp_path, lambda folder, values=(): [CONFIG])
    said = [finding.description.rpartition("but ")[2] for finding in findings]
    assert said == ["it sets sources", "it sets sourceHydrator"]


def test_values_in_a_workloads_folder_are_manifests(tmp_path: Path) -> None:
    """Argo CD would take them for that."""
    put(tmp_path / "apps/a/chart/Chart.yaml", "name: a\n")
    put(tmp_path / "apps/a/values.yaml", "replicas: 1\n")
    _, findings = render(tmp_path, lambda folder, values=(): [CONFIG])
    assert [str(finding).split(":")[1].strip() for finding in findings] == ["apps/a"]


def test_a_chart_that_does_not_render_is_said(tmp_path: Path) -> None:
    tools = helm(tmp_path, "import sys; sys.exit('Error: no such value')")
    with pytest.raises(SupplyError, match="Error: no such value"):
        tools.chart(tmp_path / "x")


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


@pytest.mark.parametrize(
    ("folder", "generated"),
    [("apps/a", True), ("apps/a/b", False), ("apps", False), ("other/a", False), ("apps/left-out", False)],
)
def test_an_application_set_finds_folders_as_argo_cd_does(folder: str, generated: bool) -> None:
    places = projects()
    application_set = places["bootstrap"][-1]
    application_set["spec"]["generators"][0]["git"]["directories"].append({"path": "apps/left-*", "exclude": True})
    found = appproject.applications({**places, folder: [CONFIG]})
    assert [app["spec"]["source"]["path"] for app in found] == ([folder] if generated else [])


def test_a_project_that_is_not_there_is_said() -> None:
    places = {"bootstrap": projects()["bootstrap"][-1:], "apps/a": [CONFIG]}
    (finding,) = appproject.check(places)
    assert "neuroscale-models is not" in finding.description


def test_two_applications_of_one_name_are_said() -> None:
    """Each would undo what the other does."""
    (app,) = appproject.applications({**projects(), "apps/a": [CONFIG]})
    itself = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **app}
    found = appproject.check({**projects(), "infrastructure/apps": [itself], "apps/a": [CONFIG]})
    assert ("collision", "apps/a") in {(finding.rule, finding.where) for finding in found}


def test_two_applications_of_one_folder_are_said() -> None:
    """Incident F1: one that was made by hand beside the generated one."""
    (app,) = appproject.applications({**projects(), "apps/a": [CONFIG]})
    by_hand = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **app, "metadata": {"name": "by-hand"}}
    places = {**projects(), "infrastructure/apps": [by_hand], "apps/a": [CONFIG]}
    said = {finding.where: finding.description for finding in appproject.check(places) if finding.rule == "collision"}
    assert list(said) == ["apps/a"]
    assert "both by-hand and a do" in said["apps/a"]


def test_a_third_application_is_said_beside_two_of_one_name() -> None:
    """Of two with one name, which both exist in Git, either may be the one that Argo CD has."""
    (app,) = appproject.applications({**projects(), "apps/a": [CONFIG]})
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    moved = {**app, "spec": {**app["spec"], "source": {**app["spec"]["source"], "path": "apps/b/c"}}}
    third = {**moved, "metadata": {"name": "third"}}
    places = {"infrastructure/apps": [{**kind, **app}, {**kind, **moved}, {**kind, **third}], "apps/b/c": [CONFIG]}
    assert [finding.description for finding in appproject.check(places) if finding.rule == "collision"] == [
        "its Application should have a name of its own, but apps/a has one named a, too",
        "one Application should deploy it, but both a and third do, and each undoes the other's work",
    ]


def test_a_folder_that_nobody_deploys_is_said() -> None:
    (finding,) = appproject.check({**projects(), "elsewhere/a": [CONFIG]})
    assert (finding.rule, finding.where) == ("not-deployed", "elsewhere/a")


def test_an_application_that_leads_nowhere_is_said() -> None:
    app = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "x"},
        "spec": {"source": {"path": "gone"}},
    }
    (finding,) = appproject.check({"bootstrap": [app]})
    assert (finding.rule, finding.where) == ("source", "gone")


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
def test_the_cli_is_spared_what_no_policy_is_about(groups: list[str], resources: list[str], concerned: bool) -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    policy = about(groups, resources)
    assert scopes.concerns(policy, deployment) is concerned
    policy["spec"]["matchConstraints"]["resourceRules"].append({"apiGroups": [""], "resources": ["services"]})
    assert scopes.concerns(policy, deployment) is concerned


def test_an_object_is_known_by_its_namespace_too() -> None:
    """What has none is in ``default`` to the CLI, and it leaves that out of its report."""
    here, there = {"name": "a"}, {"name": "a", "namespace": "there"}
    keys = [policy.key_of({**CONFIG, "metadata": meta}) for meta in (here, there)]
    assert keys == [("", "ConfigMap", "default", "a"), ("", "ConfigMap", "there", "a")]
    subjects = [{"apiVersion": "v1", "kind": "ConfigMap", **meta} for meta in (here, there)]
    report = {"results": [{"policy": "p", "result": "fail", "resources": subjects}]}
    results, talk = policy.parse(json.dumps(report))
    assert ([result.subject for result in results], talk) == (keys, "")
    assert policy.evaluated(results) == {"p": 2}


def test_what_another_policy_judged_is_passed_over_by_this_one() -> None:
    name = POLICIES[3]
    deployment: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    installed = [{**about(["*"], ["*"]), "metadata": {"name": one}} for one in POLICIES]
    judged = [policy.Result(one, "pass", policy.key_of(deployment), "") for one in POLICIES if one != name]
    (finding,) = policy.check({"a": [deployment, *installed]}, judged)
    assert (finding.rule, finding.description) == (name, "the policy should judge it, but passed it over")


def test_one_policy_that_is_about_an_object_is_enough(tmp_path: Path) -> None:
    program = python_program(tmp_path / "cli", f"open({str(tmp_path / 'asked')!r}, 'w')\n")
    assert policy.simulate(program, {"a": [about(["*"], ["secrets"]), about([""], ["configmaps"]), CONFIG]}) == []
    assert (tmp_path / "asked").exists()


def test_the_cli_is_given_the_namespaces_kinds_and_user(tmp_path: Path) -> None:
    """It has no cluster to ask."""
    program = python_program(
        tmp_path / "cli",
        "import json, os, sys\n"
        "names = [name for name in [*sys.argv, os.environ['NEUROSCALE_KINDS']] if name.startswith('/')]\n"
        "files = {name: open(name).read() for name in names}\n"
        f"open('{tmp_path}/said', 'w').write(json.dumps([sys.argv[1:], list(os.environ), files]))\n",
    )
    rule = about(["*"], ["configmaps"])
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine", "labels": {"a": "b"}}}
    obj = {**CONFIG, "metadata": {"name": "a", "namespace": "other"}}
    assert policy.simulate(program, {"x": [rule, namespace, obj, *DEFINITIONS]}) == []
    arguments, environment, files = json.loads((tmp_path / "said").read_text(encoding="utf-8"))
    assert arguments[0] == "apply"
    assert "KUBECONFIG" not in environment
    read = {Path(name).name: text for name, text in files.items()}
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(read["objects.yaml"])] == ["a"]
    given = yaml.safe_load(read["values.yaml"])["namespaces"]
    assert [one["metadata"]["name"] for one in given] == ["default", "mine", "other"]
    assert given[1]["metadata"]["labels"] == {"kubernetes.io/metadata.name": "mine", "a": "b"}
    assert yaml.safe_load(read["user.yaml"])["userInfo"]["username"].endswith(":argocd-application-controller")
    groups = {group["Group"]["name"]: group["VersionedResources"] for group in json.loads(read["kinds.json"])}
    assert groups["serving.kserve.io"]["v1beta1"][0] == {
        "name": "inferenceservices",
        "singularName": "inferenceservice",
        "namespaced": True,
        "kind": "InferenceService",
        "verbs": ["create"],
    }


def test_a_cli_that_does_not_end_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("kyverno", 120)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(Inconclusive, match="did not end within 120 s"):
        policy.simulate(tmp_path, {"a": [about(["*"], ["*"]), CONFIG]})


def test_one_of_several_sources_is_enough() -> None:
    source, where = {"repoURL": "https://b/x.git", "path": "a"}, {"server": "https://s", "namespace": "n"}
    app = {"spec": {"project": "p", "source": source, "destination": where}}
    rules = {"sourceRepos": ["https://a/*", "https://b/*"], "destinations": [{**where, "namespace": "m"}, where]}
    assert appproject.violations(app, "a", [], {"spec": rules}, frozenset()) == []
    (finding,) = appproject.violations(app, "a", [], {"spec": {**rules, "sourceRepos": ["https://a/*"]}}, frozenset())
    assert finding.description == "repository https://b/x.git is no source of project p"


# --- resources


@pytest.mark.parametrize(
    ("what", "amount", "text"),
    [("requests.cpu", "0.25", "250m"), ("limits.cpu", "1", "1"), ("requests.memory", "134217728", "128Mi"),
     ("requests.memory", "0", "0"), ("requests.memory", "1000", "1000"), ("pods", "3", "3"),
     ("limits.memory", "-1073741824", "-1Gi")],
)  # fmt: skip
def test_amounts_are_written_as_in_manifests(what: str, amount: str, text: str) -> None:
    assert resources.readable(what, Decimal(amount)) == text


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


def test_one_amount_that_differs_is_a_change() -> None:
    before, after = {"pods": Decimal(1), "limits.cpu": Decimal(1)}, {"pods": Decimal(1), "limits.cpu": Decimal(2)}
    assert [change.name for change in resources.changes({"a": before}, {"a": after})] == ["a"]
    assert resources.changes({"a": before}, {"a": before}) == []


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
