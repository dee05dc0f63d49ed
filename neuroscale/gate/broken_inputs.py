"""Repositories and tools with which nothing can be judged: the gate must not be green, and must say why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from neuroscale.gate.assertions import GateOutput, ask
from neuroscale.gate.engine import Engine
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.corpus import named
from neuroscale.guardrails.oracle import TAG

#: A kind that policies may be about, and that nobody uses.
_NOBODYS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["podtemplates"]}


def ask_with(flaw: str, tools: Tools, copy: Path) -> GateOutput:
    """Let the gate judge a copy of a checkout that has a flaw.

    Args:
        flaw: As the feature words it.
        tools: What the gate works with.
        copy: Will be changed.
    """
    return ask(_FLAWS[flaw](tools, copy), copy)


def _empty(tools: Tools, copy: Path) -> Tools:
    for folder in copy.iterdir():
        shutil.rmtree(folder)
    return tools


def _unknown_kind(tools: Tools, copy: Path) -> Tools:
    named("unknown-kind").put(copy / "apps")
    return tools


def _no_policy(tools: Tools, copy: Path) -> Tools:
    def leave_out(kustomization: dict[str, Any]) -> None:
        kustomization["resources"].remove(f"{TAG}.yaml")

    return _edited(tools, copy, leave_out)


def _narrowed(tools: Tools, copy: Path) -> Tools:
    def narrow(kustomization: dict[str, Any]) -> None:
        narrower = [{"op": "replace", "path": "/spec/matchConstraints/resourceRules", "value": [_NOBODYS]}]
        target = {"kind": "ValidatingPolicy", "name": TAG}
        kustomization.setdefault("patches", []).append({"target": target, "patch": yaml.safe_dump(narrower)})

    return _edited(tools, copy, narrow)


def _edited(tools: Tools, copy: Path, edit: Callable[[dict[str, Any]], None]) -> Tools:
    """With another kustomization of the policies."""
    (policy,) = copy.rglob(f"{TAG}.yaml")
    file = policy.with_name("kustomization.yaml")
    kustomization = yaml.safe_load(file.read_text(encoding="utf-8"))
    edit(kustomization)
    file.write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return tools


def _elsewhere(tools: Tools, copy: Path) -> Tools:
    """With an ApplicationSet whose Applications are of another repository, which no commit here shows."""
    file = copy / "infrastructure" / "apps" / "model-endpoints-appset.yaml"
    application_set = yaml.safe_load(file.read_text(encoding="utf-8"))
    application_set["spec"]["template"]["spec"]["source"]["repoURL"] = "https://elsewhere.example/any.git"
    file.write_text(yaml.safe_dump(application_set), encoding="utf-8")
    return tools


def _judged_by(program: Path) -> Callable[[Tools, Path], Tools]:
    """With something else in the place of the policy engine."""
    return lambda tools, _: replace(tools, judge=Engine(program))


_FLAWS: dict[str, Callable[[Tools, Path], Tools]] = {
    "without manifests": _empty,
    "with an object of an unknown kind": _unknown_kind,
    "without one of its policies": _no_policy,
    "with a policy that matches nothing": _narrowed,
    "that deploys another repository": _elsewhere,
    "without a policy engine": _judged_by(Path("/nonexistent/policy-engine")),
    "with a policy engine that fails": _judged_by(Path("/bin/false")),
    "with a policy engine without output": _judged_by(Path("/bin/true")),
}

#: As the feature words it -> what the gate says.
REASONS = {
    "there are no objects": "should make objects, but makes none",
    "the kind is unknown": "should have a kind Deplyoment",
    "a policy is missing": "the policy should be in this tree",
    "it was not rendered": "should be a folder of this repository, but is https://elsewhere.example/any.git",
    "a policy evaluated nothing": "the policy should judge it, but passed it",
    "the policy engine is missing": "No such file or directory",
    "the policy engine failed": "should validate, but ended with exit code",
}
