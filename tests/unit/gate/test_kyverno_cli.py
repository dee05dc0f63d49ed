"""What the Kyverno CLI is given, and how its report is read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from stages import DEFINITIONS, python_program

from neuroscale.errors import Inconclusive
from neuroscale.gate import kyverno_cli
from neuroscale.kubernetes.refs import Object

CONFIG: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def about(groups: list[str], resources: list[str]) -> Object:
    """A policy."""
    rules = [{"apiGroups": groups, "resources": resources}]
    kind = {"apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy", "metadata": {"name": "p"}}
    return {**kind, "spec": {"matchConstraints": {"resourceRules": rules}}}


def test_an_object_is_known_by_its_namespace_too() -> None:
    """What has none is in ``default`` to the CLI, and it leaves that out of its report."""
    here, there = {"name": "a"}, {"name": "a", "namespace": "there"}
    keys = [kyverno_cli.key_of({**CONFIG, "metadata": meta}) for meta in (here, there)]
    assert keys == [("", "ConfigMap", "default", "a"), ("", "ConfigMap", "there", "a")]
    subjects = [{"apiVersion": "v1", "kind": "ConfigMap", **meta} for meta in (here, there)]
    report = {"results": [{"policy": "p", "result": "fail", "resources": subjects}]}
    results, talk = kyverno_cli.parse(json.dumps(report))
    assert ([result.subject for result in results], talk) == (keys, "")


def test_one_policy_that_is_about_an_object_is_enough(tmp_path: Path) -> None:
    program = python_program(tmp_path / "cli", f"open({str(tmp_path / 'asked')!r}, 'w')\n")
    assert kyverno_cli.simulate(program, {"a": [about(["*"], ["secrets"]), about([""], ["configmaps"]), CONFIG]}) == []
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
    assert kyverno_cli.simulate(program, {"x": [rule, namespace, obj, *DEFINITIONS]}) == []
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
        kyverno_cli.simulate(tmp_path, {"a": [about(["*"], ["*"]), CONFIG]})
