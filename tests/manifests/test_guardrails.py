"""Kyverno and the five policies: what can be said of them without an API server."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from rendered import all_objects, objects_of, places
from upstream import listed

from neuroscale.components import COMPONENTS, PLATFORM_NAMESPACES
from neuroscale.guardrails import oracle
from neuroscale.kubernetes.refs import Object
from neuroscale.probes.expected import policy_names
from neuroscale.settings import ROOT

FOLDER = "infrastructure/kyverno"
#: The reference platform's five.
POLICIES = {
    "disallow-latest-image-tag",
    "disallow-root-containers",
    "require-resource-requests-limits",
    "require-standard-labels-deployment",
    "require-standard-labels-inferenceservice",
}
#: What runs pods, or leads to them.
POD_BEARING = {
    "clusterservingruntimes",
    "configurations",
    "cronjobs",
    "daemonsets",
    "deployments",
    "inferenceservices",
    "jobs",
    "pods",
    "pods/ephemeralcontainers",
    "replicasets",
    "replicationcontrollers",
    "revisions",
    "services",
    "servingruntimes",
    "statefulsets",
}

#: What has labels of its own policy, and what pods of models are made of, which is nobody's workload.
MODELS = {"clusterservingruntimes", "inferenceservices", "servingruntimes"}


def of_kind(kind: str) -> dict[str, Object]:
    """Name -> object of one kind."""
    return {obj["metadata"]["name"]: obj for obj in places()[FOLDER] if obj["kind"] == kind}


def expression(policy: Object, condition: str) -> str:
    """A match condition."""
    (found,) = (entry for entry in policy["spec"]["matchConditions"] if entry["name"] == condition)
    return str(found["expression"])


def resources(policy: Object) -> set[str]:
    """Everything that a policy looks at."""
    return {name for rule in policy["spec"]["matchConstraints"]["resourceRules"] for name in rule["resources"]}


def registry(policy: Object, variable: str) -> list[str]:
    """The values that a variable lists."""
    (found,) = (entry for entry in policy["spec"]["variables"] if entry["name"] == variable)
    return list(yaml.safe_load(found["expression"]))


# --- one source, two enforcers


def test_the_policies_are_the_reference_platforms() -> None:
    assert set(of_kind("ValidatingPolicy")) == set(of_kind("ValidatingAdmissionPolicy")) == POLICIES
    folder = ROOT / FOLDER / "policies"
    assert policy_names({str(file): file.read_text(encoding="utf-8") for file in folder.iterdir()}) == POLICIES


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_api_server_enforces_the_same_words(name: str) -> None:
    ours, its = of_kind("ValidatingPolicy")[name]["spec"], of_kind("ValidatingAdmissionPolicy")[name]["spec"]
    assert {**its, "validationActions": ["Deny"]} == ours
    assert of_kind("ValidatingAdmissionPolicyBinding")[name]["spec"] == {
        "policyName": name,
        "validationActions": ["Deny"],
    }


def test_nothing_else_is_bound() -> None:
    assert set(of_kind("ValidatingAdmissionPolicyBinding")) == POLICIES


def test_the_policies_render_alone() -> None:
    """The gate has no upstream manifests."""
    assert {obj["metadata"]["name"] for obj in objects_of(ROOT / FOLDER / "policies")} == POLICIES


# --- what they look at


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_each_policy_sees_every_kind_that_leads_to_pods(name: str) -> None:
    policy = of_kind("ValidatingPolicy")[name]
    wanted = {
        "require-standard-labels-deployment": (POD_BEARING | {"inferencegraphs"}) - MODELS,
        "require-standard-labels-inferenceservice": {"inferenceservices"},
    }
    assert resources(policy) == wanted.get(name, POD_BEARING)
    for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
        assert (rule["operations"], rule["scope"]) == (["CREATE", "UPDATE"], "*")


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_no_label_lets_anything_through(name: str) -> None:
    policy = of_kind("ValidatingPolicy")[name]
    constraints = policy["spec"]["matchConstraints"]
    assert (constraints["namespaceSelector"], constraints["objectSelector"]) == ({}, {})
    assert "excludeResourceRules" not in constraints
    conditions = yaml.safe_dump(policy["spec"]["matchConditions"])
    assert not re.search("labels|annotations", conditions)


def test_exactly_the_platforms_namespaces_are_passed_over() -> None:
    policy = of_kind("ValidatingPolicy")["disallow-root-containers"]
    passed_over = set(re.findall(r"'([a-z-]+)'", expression(policy, "in-a-tenants-namespace")))
    described = {
        obj["metadata"].get("namespace") if obj["kind"] != "Namespace" else obj["metadata"]["name"]
        for place, obj in all_objects()
        if not place.startswith("apps/")
    }
    declared = {name for component in COMPONENTS for name in component.namespaces}
    applications = [obj for _, obj in all_objects() if obj["kind"] == "Application"]
    described |= {app["spec"]["destination"]["namespace"] for app in applications}
    assert declared == {name for name in described if name} - {"default"}
    assert passed_over == PLATFORM_NAMESPACES == oracle.PLATFORM_NAMESPACES


def test_who_is_let_through_exists() -> None:
    policy = of_kind("ValidatingPolicy")["disallow-root-containers"]
    named = set(re.findall(r"'system:serviceaccount:([a-z-]+):([a-z-]+)'", expression(policy, "not-by-a-controller")))
    accounts = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"])
        for place in ("infrastructure/serving-stack",)
        for obj in places()[place]
        if obj["kind"] == "ServiceAccount"
    }
    assert named == {("knative-serving", "controller"), ("kserve", "kserve-controller-manager")}
    assert named <= accounts


# --- what they say


def rules() -> list[tuple[str, dict[str, Any]]]:
    """Policy and each of its rules."""
    found = of_kind("ValidatingPolicy").items()
    return [(name, rule) for name, policy in found for rule in policy["spec"]["validations"]]


def test_each_denial_names_its_rule_and_the_next_move() -> None:
    named = []
    for policy, rule in rules():
        name = re.match(r"([A-Za-z-]+): ", rule["message"])
        assert name is not None, policy
        assert rule["messageExpression"].startswith(f"'{name[1]}: "), policy
        assert "Next: " in rule["messageExpression"], policy
        named.append(name[1])
    assert len(named) == len(set(named)) == 10


# --- what they are about


def test_our_own_workloads_are_registered() -> None:
    policy = of_kind("ValidatingPolicy")["require-standard-labels-deployment"]
    owners, cost_centers = registry(policy, "owners"), registry(policy, "costCenters")
    labels = [obj["metadata"]["labels"] for place, obj in all_objects() if place.startswith("apps/")]
    assert len(labels) >= 5
    assert {entry["owner"] for entry in labels} <= set(owners)
    assert {entry["cost-center"] for entry in labels} <= set(cost_centers)


def test_stand_ins_cover_upstream_as_the_kustomization_names_it() -> None:
    wanted = yaml.safe_load((ROOT / FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"]
    named = {name.removeprefix("upstream/") for name in wanted if name.startswith("upstream/")}
    assert named == set(listed("kyverno"))


# --- that it starts, and fits


@pytest.mark.parametrize("name", ["kyverno-admission-controller", "kyverno-reports-controller"])
def test_each_deployment_starts_on_this_node_and_excepts_nobody(name: str) -> None:
    deployments = of_kind("Deployment")
    assert set(deployments) == {"kyverno-admission-controller", "kyverno-reports-controller"}
    pod = deployments[name]["spec"]["template"]["spec"]
    assert not pod.get("initContainers")
    (only,) = pod["containers"]
    assert only["imagePullPolicy"] == "IfNotPresent"
    cpu = "100m" if name == "kyverno-admission-controller" else "20m"
    assert only["resources"]["requests"] == {"cpu": cpu, "memory": "64Mi"}
    assert "--enablePolicyException=false" in only["args"]


def test_nothing_is_left_of_controllers_that_do_not_run() -> None:
    names = [obj["metadata"]["name"] for obj in places()[FOLDER] if obj["kind"] != "CustomResourceDefinition"]
    assert len(names) >= 20
    assert [name for name in names if "background-controller" in name or "cleanup-controller" in name] == []


def test_a_mistake_in_the_render_cannot_prune_a_definition() -> None:
    """Incident D3."""
    definitions = of_kind("CustomResourceDefinition").values()
    assert len(definitions) == 22
    protection = {obj["metadata"]["annotations"].get("argocd.argoproj.io/sync-options") for obj in definitions}
    assert protection == {"Prune=false"}


# --- waves


def test_the_policies_are_in_force_before_any_workload() -> None:
    def wave(obj: Object) -> int:
        return int((obj["metadata"].get("annotations") or {}).get("argocd.argoproj.io/sync-wave", "0"))

    waves = {obj["metadata"]["name"]: wave(obj) for obj in places()["infrastructure/apps"]}
    assert waves["neuroscale-policy-guardrails"] < waves["neuroscale-model-endpoints"]
    assert {wave(obj) for obj in of_kind("ValidatingAdmissionPolicy").values()} == {-1}
    assert {wave(obj) for obj in of_kind("ValidatingAdmissionPolicyBinding").values()} == {-1}
    assert {wave(obj) for obj in of_kind("ValidatingPolicy").values()} == {1}
