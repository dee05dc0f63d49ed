"""Writing a small repository for the gate."""

from __future__ import annotations

from pathlib import Path

import yaml
from repository import git

from neuroscale.kubernetes.refs import Object


def policy(name: str) -> Object:
    kinds = [{"apiGroups": ["apps", "serving.kserve.io"], "resources": ["deployments", "inferenceservices"]}]
    constraints = {"resourceRules": kinds}
    spec = {"validationActions": ["Deny"], "failurePolicy": "Fail", "matchConstraints": constraints}
    return {
        "apiVersion": "policies.kyverno.io/v1beta1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def write(file: Path, *objects: Object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper), encoding="utf-8")


def commit(root: Path) -> None:
    git("-C", str(root), "add", "--all")
    git("-C", str(root), "commit", "--quiet", "--message", "Change")
