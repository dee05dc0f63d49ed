"""The manifests render, fit their schemas and projects, and have the reference platform's names."""

from __future__ import annotations

import copy
import functools
import operator
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from argo_schema import MODELS as ARGO
from kserve_schema import MODELS as KSERVE
from kubernetes_validate.utils import schema_contents
from kyverno_schema import MODELS as KYVERNO
from pydantic import ValidationError
from rendered import all_objects, images, manifests, objects_of, places

from neuroscale.bootstrap.profile import APPLICATIONS, PRODUCTION
from neuroscale.components import COMPONENTS
from neuroscale.errors import SupplyError
from neuroscale.gate import appproject
from neuroscale.gate.findings import Finding
from neuroscale.gate.scopes import cluster_scoped
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.git_server_api import BRANCH
from neuroscale.guardrails import oracle
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents
from neuroscale.probes import pull_requests
from neuroscale.probes.expected import application_names
from neuroscale.settings import APPLICATION_SET, ROOT, ROOT_APPLICATION
from neuroscale.supply.pins import pins

#: Kubernetes minor version whose schemas hold, as the node's.
VERSION = re.search(r"v(\d+\.\d+)", pins().modules["k3s"].known_as)

#: The reference platform's inventory: name -> (kind, folder, destination namespace), as far as it is built here.
REFERENCE = {
    "neuroscale-infrastructure": ("Application", "infrastructure/apps", "argocd"),
    "neuroscale-default-namespace-resources": ("Application", "infrastructure/namespaces/default", "default"),
    "neuroscale-kserve-runtimes": ("Application", "infrastructure/kserve", "kserve"),
    "neuroscale-policy-guardrails": ("Application", "infrastructure/kyverno", "kyverno"),
    "neuroscale-model-endpoints": ("ApplicationSet", "apps/*", "default"),
    "neuroscale-serving-stack": ("Application", "infrastructure/serving-stack", "default"),
}
REFERENCE_WORKLOADS = {"test-app", "demo-iris-2", "ai-model-alpha"}


def validate(obj: Object) -> str:
    """Raise unless an object fits its schema, without a key too many; says by which schema."""
    if obj["apiVersion"].startswith("argoproj.io/"):
        ARGO[obj["kind"]].model_validate(obj)
        return "argo"
    if obj["apiVersion"].startswith("serving.kserve.io/"):
        KSERVE[obj["kind"]].model_validate(obj)
        return "kserve"
    if obj["apiVersion"].startswith("policies.kyverno.io/"):
        KYVERNO[obj["kind"]].model_validate(obj)
        return "kyverno"
    assert VERSION is not None
    return str(kubernetes_validate.validate(obj, VERSION[1], strict=True))


@pytest.fixture(autouse=True, scope="module")
def _schemas_are_read_once() -> Iterator[None]:
    """2 MB for each object otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kubernetes_validate.utils, "schema_contents", functools.cache(schema_contents))
        yield


def _named(obj: Object) -> str:
    return f"{obj['kind']} {obj['metadata']['name']}"


def test_every_manifest_is_rendered_somewhere() -> None:
    """What lies in a folder and is forgotten in its kustomization is checked by nobody and applied by nobody."""
    assert len(manifests()) >= 15
    assert len(all_objects()) >= 20
    known = set(places())
    for file in manifests():
        wanted, folder = file, file.parent
        while True:
            if (folder / "kustomization.yaml").exists() and wanted.name != "kustomization.yaml":
                named = (folder / "kustomization.yaml").read_text(encoding="utf-8")
                assert str(wanted.relative_to(folder)) in named, f"{wanted} is not in its kustomization"
                wanted = folder  # … which may be a part of another
            if str(folder.relative_to(ROOT)) in known:
                break
            folder = folder.parent
            assert folder != ROOT, f"{file} belongs to no place"


def test_every_manifest_of_production_is_taken_by_somebody() -> None:
    """By the component that it lies beside, or by what adds the component."""
    files = [file for top in ("bootstrap", "infrastructure") for file in (ROOT / top).rglob(f"{PRODUCTION}/*.yaml")]
    assert len(files) >= 10
    adding = [*(ROOT / APPLICATIONS).glob("*.yaml"), ROOT / "neuroscale/bootstrap/profile.py"]
    added = "\n".join(file.read_text(encoding="utf-8") for file in adding)
    for file in files:
        named = (file.parent / "kustomization.yaml").read_text(encoding="utf-8")
        taken = re.search(rf"^ *- (path: )?{file.name}$", named, re.MULTILINE)
        assert taken or file.name in ("kustomization.yaml", "requests.yaml"), file
    components = [
        file for file in files if file.is_relative_to(ROOT / "infrastructure") and "Component" in file.read_text()
    ]
    assert added.count("components: [production]") == len(components) == 3
    assert added.count("/requests.yaml") == 3


def _misfit(obj: Object) -> str:
    """Why an object does not fit its schema; nothing: it does."""
    try:
        assert validate(obj), "no schema was found"
    except (ValidationError, kubernetes_validate.ValidationError) as error:
        return str(error)
    return ""


def test_each_object_fits_its_schema() -> None:
    misfits = {f"{place}: {_named(obj)}": _misfit(obj) for place, obj in all_objects()}
    assert {name: why for name, why in misfits.items() if why} == {}


def test_schemas_would_notice_a_misspelt_key() -> None:
    """Each object's schema is there and strict; else the test above passes for nothing."""
    unnoticed = [f"{place}: {_named(obj)}" for place, obj in all_objects() if not _misfit({**obj, "metdata": {}})]
    assert unnoticed == []


def test_no_container_is_given_a_variable_twice() -> None:
    """The API server takes it, and the last one counts: in the reference platform a value of the chart's own lost."""
    given = {
        f"{place}: {_named(obj)}/{container['name']}": [one["name"] for one in container.get("env") or []]
        for place, obj in all_objects()
        for pod in oracle.pods(obj)
        for container in pod.containers()
    }
    assert sum(map(len, given.values())) > 30
    assert {name: found for name, found in given.items() if len(found) > len(set(found))} == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.syncPolicy.automated.selfheal", True),
        ("spec.syncPolicy.automated.prune", False),
        ("spec.source.branch", "main"),
        ("spec.syncPolicy.retry.backoff.duration", 5),
    ],
)
def test_an_application_that_is_subtly_wrong_is_noticed(path: str, value: object) -> None:
    app = copy.deepcopy(applications()[ROOT_APPLICATION])
    *parents, key = path.split(".")
    functools.reduce(operator.getitem, parents, app)[key] = value
    with pytest.raises(ValidationError):
        validate(app)


def test_a_folder_that_does_not_render_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n", encoding="utf-8")
    with pytest.raises(SupplyError, match="should render"):
        objects_of(tmp_path)


# --- names, versions, images


def applications() -> dict[str, Object]:
    """Every Application by name: the root, those of the root's folder, those that are made of folders."""
    found = {obj["metadata"]["name"]: obj for _, obj in all_objects() if obj["kind"] == "Application"}
    template = application_set()["spec"]["template"]
    for folder in sorted(place for place in places() if re.fullmatch(r"apps/[^/]+", place)):
        text = (
            yaml.safe_dump(template)
            .replace("{{ .path.basename }}", Path(folder).name)
            .replace("{{ .path.path }}", folder)
        )
        found[Path(folder).name] = {"kind": "Application", **yaml.load(text, Loader=yaml.CSafeLoader)}
    return found


def application_set() -> Object:
    """The ApplicationSet of models."""
    return application_sets()[APPLICATION_SET]


def application_sets() -> dict[str, Object]:
    """Every ApplicationSet by name."""
    return {obj["metadata"]["name"]: obj for _, obj in all_objects() if obj["kind"] == "ApplicationSet"}


def generated() -> list[Object]:
    """Every Application, and what the ApplicationSet of pull requests makes of each."""
    return [*applications().values(), application_sets()[pull_requests.APPLICATION]["spec"]["template"]]


def projects() -> dict[str, Object]:
    """Every AppProject by name."""
    text = (ROOT / "bootstrap" / "projects.yaml").read_text(encoding="utf-8")
    return {obj["metadata"]["name"]: obj for obj in documents(text)}


def test_names_and_folders_are_the_reference_platforms() -> None:
    sources = {name: (app["spec"]["source"]["path"], app["spec"]["destination"]["namespace"])
               for name, app in applications().items()}  # fmt: skip
    generator = application_set()["spec"]["generators"][0]["git"]
    assert application_set()["metadata"]["name"] == APPLICATION_SET
    for name, (kind, folder, namespace) in REFERENCE.items():
        if kind == "ApplicationSet":
            assert (name, generator["directories"][0]) == (APPLICATION_SET, {"path": folder})
        else:
            assert sources[name] == (folder, namespace)
    declared = {name for component in COMPONENTS for name in component.applications}
    assert declared >= set(REFERENCE)
    assert set(sources) | {APPLICATION_SET} == declared | REFERENCE_WORKLOADS


def test_the_platforms_workloads_are_those_that_components_declare() -> None:
    declared = {(ref.kind, ref.namespace, ref.name) for component in COMPONENTS for ref in component.workloads}
    where = {app["spec"]["source"]["path"]: app["spec"]["destination"]["namespace"] for app in generated()}
    described = {
        (obj["kind"], obj["metadata"].get("namespace") or where[place], obj["metadata"]["name"])
        for place, obj in all_objects()
        if obj["kind"] in {"Deployment", "StatefulSet", "DaemonSet"} and not place.startswith("apps/")
    }
    assert declared == described


def test_no_workload_can_take_the_name_of_a_platform_application() -> None:
    """The ApplicationSet would rewrite it, and its objects would be pruned."""
    (excluded,) = (entry for entry in application_set()["spec"]["generators"][0]["git"]["directories"][1:])
    assert excluded["exclude"] is True
    ours = [name for name in applications() if name not in REFERENCE_WORKLOADS]
    assert len(ours) >= 5
    assert [name for name in ours if not fnmatchcase(f"apps/{name}", excluded["path"])] == []


def test_names_are_computed_from_git_as_the_suite_does() -> None:
    texts = {f.name: f.read_text(encoding="utf-8") for f in (ROOT / "infrastructure" / "apps").glob("*.yaml")}
    folders = [folder.name for folder in (ROOT / "apps").iterdir() if folder.is_dir()]
    assert application_names(texts, folders) == set(applications())


def test_the_test_application_is_the_reference_platforms() -> None:
    objects = {obj["kind"]: obj for obj in places()["apps/test-app"]}
    assert objects["Deployment"]["metadata"]["name"] == "nginx-test"
    assert objects["Service"]["metadata"]["name"] == "nginx-service"
    assert [port["port"] for port in objects["Service"]["spec"]["ports"]] == [8080]


def test_the_bounds_of_the_default_namespace_are_the_reference_platforms() -> None:
    objects = {obj["kind"]: obj for obj in places()["infrastructure/namespaces/default"]}
    assert objects["ResourceQuota"]["spec"]["hard"] == {
        "requests.cpu": "4",
        "requests.memory": "8Gi",
        "limits.cpu": "8",
        "limits.memory": "16Gi",
        "pods": "20",
        "count/deployments.apps": "10",
        "count/inferenceservices.serving.kserve.io": "5",
    }
    (limits,) = objects["LimitRange"]["spec"]["limits"]
    assert {key: limits[key] for key in ("default", "defaultRequest", "max", "min")} == {
        "default": {"cpu": "500m", "memory": "512Mi"},
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "max": {"cpu": "2", "memory": "4Gi"},
        "min": {"cpu": "10m", "memory": "32Mi"},
    }


def test_each_image_is_pinned_and_supplied() -> None:
    named = {(place, image) for place, obj in all_objects() for image in images(obj)}
    assert len({image for _, image in named}) >= 3
    supplied = set(pins().images.values())
    assert [(place, image) for place, image in sorted(named) if image not in supplied] == []
    assert [image for image in supplied if not re.search(r"(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$", image)] == []


def test_revisions_do_not_float_except_on_our_own_repository() -> None:
    sources = [app["spec"]["source"] for app in generated()]
    git = application_set()["spec"]["generators"][0]["git"]
    revisions = {(s["repoURL"], s["targetRevision"]) for s in sources} | {(git["repoURL"], git["revision"])}
    assert revisions == {(IN_CLUSTER_URL, BRANCH)}


def test_each_application_leads_to_a_folder_that_exists() -> None:
    assert {app["spec"]["source"]["path"] for app in generated()} <= set(places())


# --- projects


def violations(app: Object, objects: list[Object], project: Object) -> list[Finding]:
    """What Argo CD would reject."""
    return appproject.violations(app, app["spec"]["source"]["path"], objects, project, cluster_scoped(places()))


def test_each_application_stays_within_its_project() -> None:
    apps = {app["metadata"]["name"]: (app, app["spec"]["project"]) for app in generated()}
    assert [name for name, (_, project) in apps.items() if project == "default"] == []
    found = {
        name: violations(app, places()[app["spec"]["source"]["path"]], projects()[project])
        for name, (app, project) in apps.items()
    }
    assert {name: why for name, why in found.items() if why} == {}


PLANTED = {
    "ClusterRole": {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"}},
    "Namespace": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}},
    "ValidatingWebhookConfiguration": {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "x"},
    },
    "ValidatingPolicy": {
        "apiVersion": "policies.kyverno.io/v1beta1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": "x"},
    },
    "PolicyException": {
        "apiVersion": "policies.kyverno.io/v1beta1",
        "kind": "PolicyException",
        "metadata": {"name": "x"},
    },
    "PolicyException of old": {
        "apiVersion": "kyverno.io/v2",
        "kind": "PolicyException",
        "metadata": {"name": "x"},
    },
    "ValidatingAdmissionPolicyBinding": {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "x"},
    },
    "RoleBinding": {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "x"},
    },
    "ResourceQuota": {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "x"}},
    "Secret": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}},
    "Role": {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}},
    "Application": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "x"}},
    "ConfigMap elsewhere": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "argocd"}},
    "Deployment of another group": {"apiVersion": "evil.io/v1", "kind": "Deployment", "metadata": {"name": "x"}},
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_workload_cannot_reach_beyond_its_namespace(planted: str) -> None:
    """Whoever may merge below apps/ must not get further than that."""
    app = applications()["test-app"]
    project = projects()[app["spec"]["project"]]
    assert violations(app, [PLANTED[planted]], project) != []
    assert violations(app, [], project) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("repoURL", "https://example.com/evil.git"), ("namespace", "kube-system"), ("server", "https://other")],
)
def test_an_application_that_leads_elsewhere_is_out_of_bounds(key: str, value: str) -> None:
    app = copy.deepcopy(applications()["test-app"])
    app["spec"]["source" if key == "repoURL" else "destination"][key] = value
    assert violations(app, [], projects()[app["spec"]["project"]]) != []


def test_no_project_allows_everything() -> None:
    for project in projects().values():
        assert "*" not in yaml.safe_dump(project["spec"])


def test_no_project_allows_what_nobody_needs() -> None:
    assert {name: excess for name, project in projects().items() if (excess := _not_needed(name, project))} == {}


def _not_needed(name: str, project: Object) -> list[object]:
    """Kinds and namespaces that a project allows, and none of its Applications uses; and the other way round."""
    apps = [app for app in generated() if app["spec"]["project"] == name]
    objects = [obj for app in apps for obj in places()[app["spec"]["source"]["path"]]]
    used = {(obj["apiVersion"].rpartition("/")[0], obj["kind"]) for obj in objects}
    spec = project["spec"]
    allowed = [*spec["clusterResourceWhitelist"], *spec.get("namespaceResourceWhitelist", [])]
    namespaces = {obj["metadata"]["namespace"] for obj in objects if "namespace" in obj["metadata"]}
    wanted = namespaces | {app["spec"]["destination"]["namespace"] for app in apps}
    reached = {to["namespace"] for to in spec["destinations"]}
    return [*(rule for rule in allowed if (rule["group"], rule["kind"]) not in used), *(reached ^ wanted)]
