"""The serving stack and what is deployed on it, rendered over stand-ins for the upstream manifests."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
import yaml
from rendered import all_objects, images, objects_of, places
from upstream import listed

from neuroscale.components import COMPONENTS
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import BUDGETS, ROOT

FOLDER = "infrastructure/serving-stack"
DOMAIN = "models.neuroscale.internal"
KOURIER = "kourier.ingress.networking.knative.dev"
NAMESPACES = {"knative-serving", "kourier-system", "kserve"}
MODELS = {"apps/demo-iris-2": ("demo-iris-2", "cc-demo"), "apps/ai-model-alpha": ("sklearn-iris", "cc-platform")}


def stack(kind: str) -> list[Object]:
    """Objects of one kind."""
    return [obj for obj in places()[FOLDER] if obj["kind"] == kind]


def named(kind: str, name: str) -> Object:
    """The one object of that kind and name."""
    (found,) = (obj for obj in stack(kind) if obj["metadata"]["name"] == name)
    return found


def container(deployment: Object) -> Object:
    """The container that matters; another would be a sidecar."""
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(only)


def setting(name: str, key: str) -> Any:
    """A JSON value of KServe's or a plain one of Knative's ConfigMaps."""
    value = named("ConfigMap", name)["data"][key]
    return json.loads(value) if value.startswith("{") else value


# --- what is in it


def test_each_object_is_rendered_once() -> None:
    seen = Counter(
        (obj["apiVersion"].partition("/")[0], obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])
        for place, obj in all_objects()
        if not place.startswith("bootstrap")
    )
    assert [key for key, count in seen.items() if count > 1] == []
    assert {obj["metadata"]["namespace"] for obj in places()[FOLDER] if "namespace" in obj["metadata"]} == NAMESPACES


def test_a_mistake_in_the_render_cannot_prune_a_definition() -> None:
    """Incident D3."""
    definitions = {obj["metadata"]["name"]: obj["metadata"]["annotations"] for obj in stack("CustomResourceDefinition")}
    assert {"inferenceservices.serving.kserve.io", "services.serving.knative.dev"} < set(definitions)
    assert len(definitions) == 18
    protection = {name: found.get("argocd.argoproj.io/sync-options") for name, found in definitions.items()}
    assert set(protection.values()) == {"Prune=false"}


def test_a_dry_run_of_kserve_is_not_tried_against_the_quota() -> None:
    hook = named("ValidatingWebhookConfiguration", "validation.webhook.serving.knative.dev")["webhooks"][0]
    assert [one["expression"] for one in hook["matchConditions"]] == ["!request.?dryRun.orValue(false)"]


def test_nothing_needs_what_the_platform_does_not_have() -> None:
    """The metrics-server, cert-manager, a chart renderer, the proxy of incident B3, upstream's build tool."""
    kinds = {obj["kind"] for obj in places()[FOLDER]}
    assert not kinds & {"HorizontalPodAutoscaler", "PodDisruptionBudget", "Certificate", "Issuer", "HelmChart"}
    text = yaml.safe_dump_all(places()[FOLDER])
    for word in ("cert-manager.io/inject", "kube-rbac-proxy", "ko://"):
        assert word not in text, word
    assert "helmCharts" not in (ROOT / FOLDER / "kustomization.yaml").read_text(encoding="utf-8")


def test_stand_ins_cover_upstream_as_the_kustomization_names_it() -> None:
    wanted = yaml.safe_load((ROOT / FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    assert {name.removeprefix("upstream/") for name in wanted if name.startswith("upstream/")} == set(
        listed("serving-stack")
    )


# --- that it starts, and fits


@pytest.mark.parametrize("deployment", stack("Deployment"), ids=lambda obj: obj["metadata"]["name"])
def test_each_deployment_starts_on_this_node(deployment: Object) -> None:
    only = container(deployment)
    assert only["imagePullPolicy"] == "IfNotPresent"
    awaited = deployment["metadata"]["name"] in {"webhook", "kserve-controller-manager"}
    assert only["resources"]["requests"] == {"cpu": "100m" if awaited else "20m", "memory": "64Mi"}
    assert only["readinessProbe"]["periodSeconds"] == 1
    knative = deployment["metadata"]["namespace"] == "knative-serving"
    minimum = {"name": "KUBERNETES_MIN_VERSION", "value": "v1.30.0"}
    assert (minimum in only.get("env", [])) == knative


def test_images_that_controllers_put_into_pods_are_seen_too() -> None:
    """Else the test that every image is pinned would pass for nothing."""
    found = {image for obj in places()[FOLDER] for image in images(obj)}
    for name in ("cmd/queue:", "storage-initializer:", "cmd/activator:", "envoy:", "kserve-controller:"):
        assert any(name in image for image in found), name
    assert any("sklearnserver:" in image for obj in places()["infrastructure/kserve"] for image in images(obj))


# --- that its parts speak to each other


def test_kourier_is_the_gateway_and_the_domain_is_ours() -> None:
    """Incidents B1, B4 and B9."""
    ingress = setting("inferenceservice-config", "ingress")
    assert ingress["disableIstioVirtualHost"] is True
    assert ingress["ingressDomain"] == DOMAIN
    assert ingress["ingressClassName"] == setting("config-network", "ingress-class") == KOURIER
    assert set(named("ConfigMap", "config-domain")["data"]) - {"_example"} == {DOMAIN}
    assert setting("inferenceservice-config", "deploy") == {"defaultDeploymentMode": "Knative"}


def test_tags_of_model_servers_are_not_looked_up() -> None:
    skipped = setting("config-deployment", "registries-skipping-tag-resolving").split(",")
    runtimes = [image for obj in places()["infrastructure/kserve"] for image in images(obj)]
    assert {image.partition("/")[0] for image in runtimes} == {"docker.io"}
    assert "index.docker.io" in skipped


def test_a_model_may_start_for_longer_than_the_platform_is_waited_for() -> None:
    """Incident B10: one that starts later is given up for good, and waiting for it would be in vain."""
    seconds = setting("config-deployment", "progress-deadline").removesuffix("s")
    assert float(seconds) > BUDGETS.settle


def test_the_storage_initializer_is_one_image_wherever_it_is_named() -> None:
    spec = named("ClusterStorageContainer", "default")["spec"]["container"]
    assert spec["image"] == setting("inferenceservice-config", "storageInitializer")["image"]


def test_each_webhook_has_its_service_and_each_of_kserves_its_certificate() -> None:
    services = {(obj["metadata"]["namespace"], obj["metadata"]["name"]) for obj in stack("Service")}
    configurations = stack("MutatingWebhookConfiguration") + stack("ValidatingWebhookConfiguration")
    called = [hook["clientConfig"]["service"] for obj in configurations for hook in obj["webhooks"]]
    assert {(service["namespace"], service["name"]) for service in called} <= services
    allowed = {
        (rule["resources"][0], name)
        for rule in named("ClusterRole", "kserve-webhook-certs")["rules"]
        for name in rule.get("resourceNames", [])
    }
    ours = {
        (f"{obj['kind'].lower()}s", obj["metadata"]["name"])
        for obj in configurations
        if obj["webhooks"][0]["clientConfig"]["service"]["namespace"] == "kserve"
    }
    assert len(ours) == 6
    assert allowed == ours


def test_kserve_waits_for_its_certificate() -> None:
    """A Secret volume with named keys is not mounted before they are there; the Secret is empty in Git."""
    (volume,) = named("Deployment", "kserve-controller-manager")["spec"]["template"]["spec"]["volumes"]
    secret = named("Secret", volume["secret"]["secretName"])
    assert not {"data", "stringData"} & set(secret)
    assert {item["key"] for item in volume["secret"]["items"]} == {"tls.crt", "tls.key"}


def test_differences_are_ignored_on_objects_that_exist_and_nowhere_else() -> None:
    """Incident B5."""
    (app,) = (obj for _, obj in all_objects() if obj["metadata"]["name"] == "neuroscale-serving-stack")
    assert {"ServerSideApply=true", "RespectIgnoreDifferences=true"} == set(app["spec"]["syncPolicy"]["syncOptions"])
    for difference in app["spec"]["ignoreDifferences"]:
        assert named(difference["kind"], difference["name"])
        assert difference["jqPathExpressions"] == [".webhooks[].rules"]


# --- waves


def test_models_come_after_runtimes_after_the_stack() -> None:
    waves = {
        obj["metadata"]["name"]: int(obj["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for obj in places()["infrastructure/apps"]
    }
    order = ["neuroscale-serving-stack", "neuroscale-kserve-runtimes", "neuroscale-model-endpoints"]
    assert sorted(order, key=waves.__getitem__) == order
    assert len({waves[name] for name in order}) == len(order)


# --- the runtime and the models


def test_the_runtime_is_chosen_for_sklearn_and_is_not_root() -> None:
    (runtime,) = places()["infrastructure/kserve"]
    assert runtime["metadata"]["name"] == "kserve-sklearn-server"
    spec = runtime["spec"]
    assert [(entry["name"], entry["autoSelect"]) for entry in spec["supportedModelFormats"]] == [("sklearn", True)]
    assert spec["protocolVersions"] == ["v1", "v2"]
    (server,) = spec["containers"]
    assert server["securityContext"] == {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert server["readinessProbe"]["httpGet"]["path"] == "/v2/models/{{.Name}}/ready"


@pytest.mark.parametrize("folder", MODELS)
def test_the_models_are_the_reference_platforms(folder: str) -> None:
    name, cost_center = MODELS[folder]
    (model,) = places()[folder]
    assert model["metadata"] == {"name": name, "labels": {"owner": "platform-team", "cost-center": cost_center}}
    (runtime,) = places()["infrastructure/kserve"]
    predictor = model["spec"]["predictor"]
    assert predictor["minReplicas"] == 1
    assert predictor["model"]["modelFormat"]["name"] == runtime["spec"]["supportedModelFormats"][0]["name"]
    assert predictor["model"]["storageUri"].endswith("/api/packages/neuroscale/generic/iris/1.0.0/model.joblib")


# --- milestones


def test_milestone_a_alone_finds_nothing_of_b() -> None:
    """Argo CD would deploy it, and the node has no images for it."""
    alone = places(frozenset("a"))
    later = {path for component in COMPONENTS if component.milestone != "a" for path in component.folders}
    assert set(alone) == {place for place in places() if place not in later and place.rpartition("/")[0] not in later}
    text = yaml.safe_dump_all(obj for objects in alone.values() for obj in objects if obj["kind"] != "AppProject")
    # Settings of Argo CD speak of kinds that may come later.
    text = text.replace("count/inferenceservices.serving.kserve.io", "").replace("health.policies.kyverno.io_", "")
    text = text.replace("health.serving.kserve.io_", "")
    for word in ("knative", "kserve", "kourier", "serving-stack", "kyverno"):
        assert word not in text.replace("Kyverno has not", ""), word


def test_every_folder_of_a_component_exists() -> None:
    """A path that was renamed would silently become milestone A's."""
    folders = [path for component in COMPONENTS for path in component.folders]
    assert [path for path in folders if not (ROOT / path).exists()] == []


def test_the_stack_does_not_render_without_upstream() -> None:
    """So a tree that went to the Git server without it is noticed at once."""
    with pytest.raises(Exception, match="should render"):
        objects_of(ROOT / FOLDER)
