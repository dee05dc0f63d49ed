"""The portal's catalog and its template: what can be said of them without a Backstage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import jsonschema
import pytest
import yaml

from neuroscale.git_server_api import SERVICE_URL
from neuroscale.guardrails import oracle
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import APPLICATION_SET, PORTAL_USER, ROOT

#: What Argo CD passes over.
SKIPPED = "+argocd:skip-file-rendering"
PORTAL = ROOT / "backstage"
TEMPLATE = PORTAL / "templates" / "model-endpoint"
#: What a form holds when everything is as it should be, and nothing that may be left out.
REQUEST: Object = {
    "name": "iris-3",
    "owner": "ml-platform",
    "costCenter": "cc-ml",
    "modelFormat": "sklearn",
    "storageUri": "http://models.example.org/iris/1.0.0/model.joblib",
}


def read(file: Path) -> list[Any]:
    return list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def template() -> Object:
    (found,) = read(TEMPLATE / "template.yaml")
    return dict(found)


def form() -> Object:
    (page,) = template()["spec"]["parameters"]
    return dict(page)


def field(name: str) -> Object:
    return dict(form()["properties"][name])


def fill_in(**request: object) -> list[str]:
    """What the form complains about."""
    complaints = jsonschema.Draft7Validator(form()).iter_errors({**REQUEST, **request})
    return [str(one.path[0]) if one.path else one.validator for one in complaints]


def rendered(folder: Path, **request: object) -> Path:
    """The folder that a request becomes. Of the template language only what Jinja has as well is used."""
    values = {**REQUEST, "cpu": 100, "memory": 512, "argocdUrl": "https://argocd", "modelDomain": "models", **request}
    environment = jinja2.Environment(variable_start_string="${{", undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    for file in (TEMPLATE / "skeleton").iterdir():
        text = environment.from_string(file.read_text(encoding="utf-8")).render(values=values)
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


# --- the form


def test_who_may_own_and_pay_is_who_the_policies_let() -> None:
    assert set(field("owner")["enum"]) == oracle.OWNERS
    assert set(field("costCenter")["enum"]) == oracle.COST_CENTERS
    assert {obj["metadata"]["name"] for obj in catalog("Group")} == oracle.OWNERS


def test_a_format_is_one_that_a_runtime_of_the_platform_loads() -> None:
    runtimes = [obj for file in (ROOT / "infrastructure/kserve").glob("*.yaml") for obj in read(file)]
    formats = {one["name"] for obj in runtimes for one in (obj.get("spec") or {}).get("supportedModelFormats", [])}
    assert formats
    assert set(field("modelFormat")["enum"]) == formats


def test_resources_are_within_the_limit_range() -> None:
    (limits,) = read(ROOT / "infrastructure/namespaces/default/limit-range.yaml")
    (container,) = limits["spec"]["limits"]
    for name, resource, unit in (("cpu", "cpu", "m"), ("memory", "memory", "Mi")):
        least, most = (quantity(f"{field(name)[bound]}{unit}") for bound in ("minimum", "maximum"))
        assert quantity(container["min"][resource]) <= least < most == quantity(container["max"][resource])


@pytest.mark.parametrize("name", ["a", "iris", "iris-3", "a" * 39, "neuroscale", "kubernetes-1"])
def test_a_good_name_is_taken(name: str) -> None:
    assert fill_in(name=name) == []


@pytest.mark.parametrize(
    "name",
    ["", "a" * 40, "Iris", "3-iris", "-a", "a-", "a_b", "a.b", "a/b", "../a", "a b", "ä", "kubernetes", "neuroscale-x",
     "${{ 1 }}", "a: b", 3, None],
)  # fmt: skip
def test_what_is_no_dns_label_or_is_kept_for_the_platform_is_refused(name: object) -> None:
    assert set(fill_in(name=name)) == {"name"}


@pytest.mark.parametrize(
    "uri",
    [
        "gs://bucket/model",
        "s3://bucket/model",
        "pvc://claim/model",
        "file:///etc/passwd",
        "http://host",
        "http://host/",
        "http://user:secret@host/model",
        "https://host/model?signature=secret",
        "https://host/model#x",
        "https://host/a b",
        "https://host/model\nkind: Secret",
        "https://host/`rm`",
        'https://host/"',
        "https://host/${{ secrets.token }}",
        "HTTP://host/model",
        f"https://host/{'a' * 500}",
    ],
)
def test_a_location_that_the_storage_initializer_could_not_read_as_it_stands_is_refused(uri: str) -> None:
    assert set(fill_in(storageUri=uri)) == {"storageUri"}


@pytest.mark.parametrize(
    ("field", "value"), [("cpu", 49), ("cpu", 2001), ("cpu", "100m"), ("cpu", 0.5), ("memory", 255), ("memory", 4097)]
)
def test_resources_beyond_the_bounds_are_refused(field: str, value: object) -> None:
    assert set(fill_in(**{field: value})) == {field}


def test_what_the_form_does_not_know_is_refused_and_nothing_may_be_missing() -> None:
    assert fill_in() == []
    assert set(fill_in(branch="main")) == {"additionalProperties", "enum"}
    assert set(form()["required"]) == set(REQUEST)


# --- what becomes of it


@pytest.mark.parametrize(
    ("request_", "limits"),
    [({}, {"cpu": "1", "memory": "512Mi"}), ({"cpu": 1001, "memory": 4096}, {"cpu": "2", "memory": "4096Mi"})],
)
def test_a_request_becomes_one_governed_model(request_: dict[str, int], limits: Object, tmp_path: Path) -> None:
    made = rendered(tmp_path, **request_)
    skipped = [
        file.name for file in made.iterdir() if "+argocd:skip-file-rendering" in file.read_text(encoding="utf-8")
    ]
    (model,) = (obj for file in made.iterdir() if file.name not in skipped for obj in read(file))
    assert skipped == ["catalog-info.yaml"], "the portal's, which Argo CD passes over"
    assert model["kind"] == "InferenceService"
    assert model["metadata"] == {"name": "iris-3", "labels": {"owner": "ml-platform", "cost-center": "cc-ml"}}
    asked = model["spec"]["predictor"]["model"]
    assert asked["storageUri"] == REQUEST["storageUri"]
    assert asked["resources"]["limits"] == limits
    for resource, amount in asked["resources"]["requests"].items():
        assert quantity(amount) <= quantity(limits[resource])
    assert oracle.evaluate(model) == {}


def test_the_model_is_an_entity_of_its_owner(tmp_path: Path) -> None:
    (entity,) = read(rendered(tmp_path) / "catalog-info.yaml")
    assert entity["metadata"]["labels"] == {"cost-center": "cc-ml"}
    assert entity["spec"]["owner"] == "group:default/ml-platform"
    assert entity["spec"]["system"] in {obj["metadata"]["name"] for obj in catalog("System")}
    assert [link["url"] for link in entity["metadata"]["links"]] == [
        "https://argocd/applications/argocd/iris-3",
        "http://iris-3.models/v1/models/iris-3",
    ]


def test_each_request_for_a_name_has_the_same_branch_and_folder() -> None:
    render, *forges = template()["spec"]["steps"]
    assert render["input"]["targetPath"] == "apps/${{ parameters.name }}"
    assert {step["action"] for step in forges} == {"publish:gitea:pull-request", "publish:github:pull-request"}
    assert {step["input"]["branchName"] for step in forges} == {"model-${{ parameters.name }}"}


def test_an_application_is_made_of_each_name_that_the_form_takes() -> None:
    sets = read(ROOT / "infrastructure/apps/model-endpoints-appset.yaml")
    (found,) = (obj for obj in sets if obj["metadata"]["name"] == APPLICATION_SET)
    patterns = [one["path"] for one in found["spec"]["generators"][0]["git"]["directories"] if one.get("exclude")]
    # The form's own pattern leaves out what begins so.
    assert patterns == ["apps/neuroscale-*"]


@pytest.mark.parametrize("values", ["values.yaml", "values-prod.yaml"])
def test_the_portals_user_at_the_git_server_is_who_gets_a_token(values: str) -> None:
    text = (ROOT / "infrastructure" / "backstage" / values).read_text(encoding="utf-8")
    assert re.findall(r"^\s+username: (\S+)$", text, re.MULTILINE) == [PORTAL_USER]
    assert re.findall(r"^\s+- host: (\S+)$", text, re.MULTILINE) == [SERVICE_URL.partition("//")[2]]


# --- the catalog


def catalog(kind: str) -> list[Object]:
    return [obj for file in (PORTAL / "catalog").glob("*.yaml") for obj in read(file) if obj["kind"] == kind]


def test_the_catalog_leads_to_the_template_and_to_all_else() -> None:
    models, location = sorted(catalog("Location"), key=lambda obj: obj["metadata"]["name"])
    assert models["spec"]["targets"] == ["../../apps/*/catalog-info.yaml"]
    targets = [(PORTAL / "catalog" / target).resolve() for target in location["spec"]["targets"]]
    assert TEMPLATE / "template.yaml" in targets
    assert {file for file in (PORTAL / "catalog").glob("*.yaml") if file.name != "all.yaml"} < set(targets)
    kinds = {obj["kind"] for file in targets for obj in read(file)}
    (rule,) = read(PORTAL / "app" / "app-config.yaml")[0]["catalog"]["rules"]
    assert kinds | {"Component"} <= set(rule["allow"])
