"""What is said of the production profile: our rules, checkers' answers, suppressions, and what is asserted."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml

from neuroscale.bootstrap.profile import APPLICATIONS, promote
from neuroscale.errors import ConditionTimeout, Inconclusive
from neuroscale.gate.findings import Tree
from neuroscale.gate.production import checkers, judgement, rules, suppressions
from neuroscale.gate.production.checkers import CHECKOV, KUBE_SCORE, Checkers
from neuroscale.gate.production.judgement import Opinion
from neuroscale.gate.production.rules import OURS, RULES
from neuroscale.gate.production.suppressions import Suppression
from neuroscale.gate.production.verdicts import Judged, Verdict, subjects
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT
from suite.mutants import production as mutants

PLACE = "infrastructure/backstage/chart"
TODAY = date(2026, 11, 29)
GOOD: list[Object] = list(
    yaml.safe_load_all(
        """
apiVersion: apps/v1
kind: Deployment
metadata: {name: neuroscale-backstage, namespace: backstage}
spec:
  replicas: 2
  selector: {matchLabels: {app: backstage}}
  template:
    metadata: {labels: {app: backstage}}
    spec:
      topologySpreadConstraints:
        - {maxSkew: 1, topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: backstage}}}
      containers: [{name: backstage, image: "docker.io/neuroscale/backstage:0.1.0"}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: backstage, namespace: backstage}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: backstage}}}
---
apiVersion: v1
kind: Service
metadata: {name: backstage, namespace: backstage}
spec: {ports: [{port: 7007}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: backstage-config, namespace: backstage}
data:
  app-config.yaml: |
    auth:
      providers:
        oidc: {production: {metadataUrl: "${A}", clientId: "${B}", clientSecret: "${C}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd}
data:
  admin.enabled: "false"
  url: https://argocd.example.org
  oidc.config: "{issuer: '$argocd-oidc:issuer', clientID: '$argocd-oidc:id', clientSecret: '$argocd-oidc:secret'}"
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-kourier, namespace: knative-serving}
data: {certs-secret-name: tls, certs-secret-namespace: kourier-system}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config-network, namespace: knative-serving}
data: {http-protocol: Redirected, default-external-scheme: https}
"""
    )
)
DEPLOYMENT, BUDGET, SERVICE, PORTAL, ARGO_CD, KOURIER, NETWORK = range(len(GOOD))


def judged(objects: list[Object]) -> list[Judged]:
    return subjects(Tree(places={PLACE: objects}))


def broken(number: int, change: Callable[[Object], object]) -> list[Object]:
    objects = deepcopy(GOOD)
    change(objects[number])
    return objects


def rejected(objects: list[Object]) -> dict[str, str]:
    """Rule -> what it says."""
    return {one.rule: one.said for one in rules.judge(judged(objects)) if not one.good}


# --- our rules


def test_each_rule_judges_what_is_as_it_should_be_and_lets_it_pass() -> None:
    verdicts = rules.judge(judged(GOOD))
    assert {one.rule for one in verdicts} == {rule.name for rule in RULES}
    assert [one for one in verdicts if not one.good] == []


def _pod(obj: Object) -> Object:
    spec: Object = obj["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize(
    ("rule", "number", "change", "said"),
    [
        ("replicas", DEPLOYMENT, lambda obj: obj["spec"].update(replicas=1), "has 1 replica"),
        ("replicas", DEPLOYMENT, lambda obj: obj["spec"].pop("replicas"), "has 1 replica"),
        ("disruption-budget", BUDGET, lambda obj: obj["metadata"].update(namespace="other"), "has 0"),
        ("disruption-budget", BUDGET, lambda obj: obj["spec"].update(selector={}), "has 0"),
        ("topology-spread", DEPLOYMENT, lambda obj: _pod(obj).pop("topologySpreadConstraints"), "selects them"),
        (
            "topology-spread",
            DEPLOYMENT,
            lambda obj: _pod(obj)["topologySpreadConstraints"][0].update(labelSelector={"matchLabels": {"app": "x"}}),
            "selects them",
        ),
        ("pinned-images", DEPLOYMENT, lambda obj: _pod(obj)["containers"][0].update(image="a:latest"), "a:latest"),
        (
            "pinned-images",
            DEPLOYMENT,
            lambda obj: _pod(obj).update(initContainers=[{"name": "x", "image": "a:1"}]),
            "a:1",
        ),
        (
            "no-host-path",
            DEPLOYMENT,
            lambda obj: _pod(obj).update(volumes=[{"name": "data", "hostPath": {"path": "/"}}]),
            "data is a folder",
        ),
        ("no-node-port", SERVICE, lambda obj: obj["spec"].update(type="NodePort"), "a port of every node"),
        ("portal-without-guest", PORTAL, mutants._let_guests_in, "it has guest"),
        (
            "portal-without-guest",
            PORTAL,
            lambda obj: obj.update(data={"app-config.yaml": obj["data"]["app-config.yaml"] + _AUTH_OFF}),
            "dangerouslyDisableDefaultAuthPolicy",
        ),
        (
            "portal-sign-in",
            PORTAL,
            lambda obj: obj.update(data={"app-config.yaml": obj["data"]["app-config.yaml"].replace("${C}", "abc")}),
            "clientSecret is not from one",
        ),
        ("argocd-without-password", ARGO_CD, lambda obj: obj["data"].pop("admin.enabled"), "admin.enabled is None"),
        ("argocd-sign-in", ARGO_CD, lambda obj: obj["data"].pop("oidc.config"), "issuer, clientID, clientSecret"),
        ("argocd-sign-in", ARGO_CD, lambda obj: obj["data"].update(url="http://a"), "url is not"),
        ("gateway-certificate", KOURIER, lambda obj: obj["data"].pop("certs-secret-name"), "certs-secret-name"),
        ("gateway-redirect", NETWORK, lambda obj: obj["data"].update({"http-protocol": "Enabled"}), "Enabled"),
    ],
)
def test_each_rule_rejects_what_is_not(rule: str, number: int, change: Callable[[Object], object], said: str) -> None:
    found = rejected(broken(number, change))
    assert list(found) == [rule]
    assert said in found[rule]


_AUTH_OFF = "backend: {auth: {dangerouslyDisableDefaultAuthPolicy: true}}\n"


def test_the_git_server_and_workloads_of_tenants_are_no_part_of_the_profile() -> None:
    tree = Tree(places={"bootstrap/forge": GOOD[:1], "apps/a": GOOD[:1], PLACE: GOOD[:1]})
    assert [one.where for one in subjects(tree)] == [f"{PLACE}: Deployment backstage/neuroscale-backstage"]


# --- what checkers answer

KEY = ("Deployment", "backstage", "neuroscale-backstage")
WHERE = f"{PLACE}: Deployment backstage/neuroscale-backstage"


def program(folder: Path, answer: object) -> Path:
    """One that answers that, whatever it is asked, and ends as checkers do that have found something."""
    file = folder / "checker"
    text = answer if isinstance(answer, str) else json.dumps(answer)
    (folder / "answer").write_text(text, encoding="utf-8")
    file.write_text(f"#!/bin/sh\ncat > /dev/null\ncat {folder}/answer\nexit 1\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def scored(*checks: tuple[str, int, bool]) -> Object:
    return {
        "type_meta": {"kind": "Deployment"},
        "object_meta": {"name": "neuroscale-backstage", "namespace": "backstage"},
        "checks": [
            {"check": {"id": rule}, "grade": grade, "skipped": skipped, "comments": [{"summary": "bad"}]}
            for rule, grade, skipped in checks
        ],
    }


def test_kube_score_is_understood(tmp_path: Path) -> None:
    answer = [scored(("a", 10, False), ("b", 1, False), ("c", 5, False), ("d", 1, True))]
    said = checkers.kube_score(Checkers(program(tmp_path, answer), tmp_path), "", {KEY: WHERE})
    assert said == [
        Verdict(KUBE_SCORE, "a", WHERE, True),
        Verdict(KUBE_SCORE, "b", WHERE, False, "bad"),
        Verdict(KUBE_SCORE, "c", WHERE, False, "bad"),
    ]


@pytest.mark.parametrize("answer", ["", "not JSON"])
def test_a_checker_without_an_answer_is_no_verdict(answer: str, tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="kube-score should judge, but ended with exit code 1"):
        checkers.kube_score(Checkers(program(tmp_path, answer), tmp_path), "", {})


def test_a_checker_that_cannot_be_started_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="kube-score should judge, but"):
        checkers.kube_score(Checkers(tmp_path / "missing", tmp_path), "", {})


def test_what_was_not_asked_about_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="speaks of Deployment backstage neuroscale-backstage"):
        checkers.kube_score(Checkers(program(tmp_path, [scored(("a", 1, False))]), tmp_path), "", {})


def packaged(folder: Path, answer: object) -> Checkers:
    """A checkov that answers that."""
    package = folder / "checkov"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(f"print({json.dumps(json.dumps(answer))})", encoding="utf-8")
    return Checkers(folder, folder)


def test_checkov_is_understood_and_says_each_thing_once(tmp_path: Path) -> None:
    one = {"check_id": "CKV_K8S_8", "check_name": "probe", "resource": "Deployment.backstage.neuroscale-backstage"}
    cluster_wide = {"check_id": "CKV_K8S_49", "check_name": "wildcard", "resource": "ClusterRole.default.a.b"}
    results = {"passed_checks": [cluster_wide], "failed_checks": [one, one], "parsing_errors": []}
    said = checkers.checkov(
        packaged(tmp_path, {"results": results}), "", {KEY: WHERE, ("ClusterRole", "", "a.b"): "role"}
    )
    assert said == [
        Verdict(CHECKOV, "CKV_K8S_49", "role", True),
        Verdict(CHECKOV, "CKV_K8S_8", WHERE, False, "probe"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        # What it says where it has found no object that it knows.
        {"passed": 0, "failed": 0, "resource_count": 0},
        {"results": {"passed_checks": [], "failed_checks": [], "parsing_errors": ["rendered.yaml"]}},
    ],
)
def test_a_checkov_that_judged_nothing_is_no_verdict(answer: Object, tmp_path: Path) -> None:
    with pytest.raises(Inconclusive, match="checkov should"):
        checkers.checkov(packaged(tmp_path, answer), "", {})


# --- suppressions

ENTRY = """
[[suppression]]
checker = "neuroscale"
rule = "replicas"
reason = "It is there once for a good reason."
until = 2027-01-31
"""
BAD = Verdict(OURS, "replicas", WHERE, False, "has 1 replica")


@pytest.mark.parametrize(
    "lacking", ['reason = "It is there once for a good reason."', "until = 2027-01-31", 'rule = "replicas"']
)
def test_a_suppression_without_reason_or_end_is_red(lacking: str, tmp_path: Path) -> None:
    file = tmp_path / "suppressions.toml"
    file.write_text(ENTRY.replace(lacking, ""), encoding="utf-8")
    with pytest.raises(ConditionTimeout, match="Each suppression should have a rule, a reason and an end"):
        suppressions.read(file)


def suppression(**fields: object) -> Suppression:
    given = {"checker": OURS, "rule": "replicas", "reason": "for a good reason, really", "until": TODAY, **fields}
    return Suppression.model_validate(given)


@pytest.mark.parametrize(
    ("fields", "left"),
    [({}, []), ({"where": f"{PLACE}: *"}, []), ({"where": "apps/*"}, [BAD]), ({"rule": "other"}, [BAD])],
)
def test_a_suppression_covers_its_rule_at_its_place(fields: dict[str, str], left: list[Verdict]) -> None:
    assert suppressions.unsuppressed([BAD, replace(BAD, good=True)], [suppression(**fields)]) == left


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({}, ""), ({"until": date(2026, 11, 28)}, "ended on 2026-11-28"), ({"rule": "other"}, "covers nothing")],
)
def test_a_suppression_that_has_ended_or_is_idle_is_red(fields: dict[str, object], complaint: str) -> None:
    given = Opinion((), (BAD,))
    if not complaint:
        judgement.assert_suppressions_hold(given, [suppression(**fields)], TODAY)
        return
    with pytest.raises(ConditionTimeout, match=complaint):
        judgement.assert_suppressions_hold(given, [suppression(**fields)], TODAY)


def test_what_is_put_up_with_here_can_be_read() -> None:
    assert suppressions.read()


# --- what is asserted


def everybody(objects: list[Object]) -> Opinion:
    """Our rules, and one rule of each other checker, which is content."""
    given = judged(objects)
    others = [Verdict(name, "any", one.where, True) for name in (KUBE_SCORE, CHECKOV) for one in given]
    return Opinion(tuple(given), (*rules.judge(given), *others))


def test_what_is_as_it_should_be_passes() -> None:
    judgement.assert_each_judged(everybody(GOOD))
    judgement.assert_nothing_wrong(everybody(GOOD), [])


def test_what_is_wrong_and_not_suppressed_is_red() -> None:
    with pytest.raises(ConditionTimeout, match="a:latest may not be"):
        judgement.assert_nothing_wrong(
            everybody(broken(DEPLOYMENT, lambda obj: _pod(obj)["containers"][0].update(image="a:latest"))), []
        )


@pytest.mark.parametrize("checker", [OURS, KUBE_SCORE, CHECKOV])
def test_a_checker_that_passes_a_workload_over_is_red(checker: str) -> None:
    whole = everybody(GOOD)
    blind = replace(
        whole, verdicts=tuple(one for one in whole.verdicts if (one.checker, one.where) != (checker, WHERE))
    )
    with pytest.raises(ConditionTimeout, match=f"{checker} passed over {WHERE}"):
        judgement.assert_each_judged(blind)


def test_a_rule_that_judges_nothing_is_red() -> None:
    with pytest.raises(ConditionTimeout, match="gateway-redirect judged nothing"):
        judgement.assert_each_judged(everybody(GOOD[:-1]))


def test_a_rule_that_rejects_no_planted_object_is_red() -> None:
    planted = everybody(broken(SERVICE, lambda obj: obj["spec"].update(type="NodePort")))
    whole = everybody(GOOD)
    only = replace(whole, verdicts=tuple(one for one in whole.verdicts if one.rule == "no-node-port"))
    judgement.assert_each_seen_red(only, planted)
    with pytest.raises(ConditionTimeout, match="neuroscale argocd-sign-in"):
        judgement.assert_each_seen_red(whole, planted)


def test_our_rules_reject_the_planted_objects() -> None:
    planted = yaml.safe_load_all((ROOT / judgement.PLANTED).read_text(encoding="utf-8"))
    said = rules.judge([Judged(one["kind"], one) for one in planted])
    assert {one.rule for one in said if not one.good} == {rule.name for rule in RULES}


# --- the profile itself


def test_productions_applications_are_the_trials_with_what_production_adds() -> None:
    for file in sorted((ROOT / APPLICATIONS).glob("*.yaml")):
        trial, production = (
            yaml.safe_load((folder / file.name).read_text(encoding="utf-8"))
            for folder in (ROOT / "infrastructure" / "apps", ROOT / APPLICATIONS)
        )
        added = production["spec"]["source"].pop("kustomize", None)
        values = production["spec"]["source"].get("helm")
        assert added is None or added["components"] == ["production"]
        assert values is None or values.pop("valueFiles") == ["../values-prod.yaml"]
        trial["spec"]["source"].get("helm", {}).pop("valueFiles", None)
        assert (bool(added), production) == (values is None, trial), file.name


def test_promotion_copies_applications_that_are_there_and_adds_the_component(tmp_path: Path) -> None:
    apps, argocd = tmp_path / "infrastructure/apps", tmp_path / "bootstrap/argocd"
    apps.mkdir(parents=True)
    argocd.mkdir(parents=True)
    (apps / "serving-stack.yaml").write_text("trial\n", encoding="utf-8")
    (argocd / "kustomization.yaml").write_text("patches: [{path: a.yaml}]\n", encoding="utf-8")
    promote(tmp_path, ROOT / APPLICATIONS)
    assert [file.name for file in apps.iterdir()] == ["serving-stack.yaml"]
    assert "components: [production]" in (apps / "serving-stack.yaml").read_text(encoding="utf-8")
    made = yaml.safe_load((argocd / "kustomization.yaml").read_text(encoding="utf-8"))
    assert made["components"] == ["production"]
    assert [one["path"] for one in made["patches"]] == ["a.yaml", "production/requests.yaml"]


# --- its mutants, by what they break


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (mutants.guest_left_on, "nobody should get in without an account, but it has guest"),
        (mutants.floating_tag, "backstage:latest may not be"),
        (mutants.single_replica, "has 1 replica"),
    ],
)
def test_each_mutant_of_the_profile_is_seen(break_it: Callable[[Tree], list[Judged]], said: str) -> None:
    wrong = [one for one in rules.judge(break_it(Tree(places={PLACE: GOOD}))) if not one.good]
    assert len(wrong) == 1
    assert said in wrong[0].said


def test_rules_that_keep_it_to_themselves_are_seen() -> None:
    said = mutants.let_everything_pass(judged(broken(DEPLOYMENT, lambda obj: obj["spec"].update(replicas=1))))
    assert all(one.good for one in said)
    with pytest.raises(ConditionTimeout, match="neuroscale argocd-sign-in"):
        judgement.assert_each_seen_red(everybody(GOOD), Opinion((), tuple(said)))
