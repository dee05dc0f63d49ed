"""The stages of the gate on one specimen, beside the platform's own folders. The oracle is the judge."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import fake_engine

from neuroscale.gate import appproject, resources
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Places, Tree, named
from neuroscale.gate.placement import placed
from neuroscale.gate.render import Checkout, render_several
from neuroscale.gate.schema import Schemas
from neuroscale.guardrails.corpus import Specimen
from neuroscale.guardrails.oracle import evaluate
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT


def python_program(file: Path, source: str) -> Path:
    """A program that Python runs. Its first line names the shell: one with a space in it starts nothing."""
    script = file.with_name(f"{file.name}.py")
    script.write_text(source, encoding="utf-8")
    file.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n', encoding="utf-8"
    )
    file.chmod(0o755)
    return file


#: What decides about a folder below apps/: projects, the ApplicationSet, quotas, and the runtime of the models.
DECIDING = ("bootstrap", "infrastructure/apps", "infrastructure/kserve", "infrastructure/namespaces/default")
_ANY: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_INTEGER, _TEXT = {"type": "integer", "format": "int32"}, {"type": "string"}


class ToyEngine(Engine):
    """The stand-in, in this process."""

    def ask(self, what: Literal["render", "validate", "judge"], request: Mapping[str, Any]) -> Any:
        assert what == "render"
        return {"trees": [fake_engine.render(Path(one["root"]), list(one["byHand"])) for one in request["trees"]]}


TOY = ToyEngine(Path("/nonexistent/gate-engine"))


def render_folder(root: Path, place: str) -> tuple[list[Object], list[Finding]]:
    """One folder's objects, and what is wrong with it, as if somebody applied it."""
    ((tree, findings),) = render_several(TOY, [Checkout(root, (place,), place)])
    return tree.places[place], findings


@cache
def around() -> dict[str, list[Object]]:
    """The folders that decide."""
    found = {}
    # Beside the checkout's folders lies much that is not in Git, and all of it would be looked through.
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted({place.partition("/")[0] for place in DECIDING}):
            shutil.copytree(ROOT / name, Path(folder) / name, symlinks=True)
        for place in DECIDING:
            objects, findings = render_folder(Path(folder), place)
            assert findings == []
            found[place] = objects
    return found


def tree_of(places: Places) -> Tree:
    """Places, and the Applications for them that are in them."""
    objects = [obj for several in places.values() for obj in several]
    applications = [obj for obj in objects if obj["kind"] == "Application"]
    for obj in objects:
        if obj["kind"] == "ApplicationSet":
            applications += fake_engine.generated(obj, list(places))
    return Tree(places, tuple(applications))


def definition(group: str, version: str, kind: str, spec: Object, scope: str = "Namespaced") -> Object:
    """A CustomResourceDefinition in the shape that upstream's have."""
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    root = {"type": "object", "properties": {"metadata": {"type": "object"}, "spec": spec, "status": _ANY}}
    versions = [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": versions},
    }


def _object(**properties: Any) -> Object:
    return {"type": "object", "properties": properties}


_MODEL = _object(
    modelFormat=_object(name=_TEXT, version=_TEXT),
    storageUri=_TEXT,
    runtime=_TEXT,
    image=_TEXT,
    resources=_ANY,
    securityContext=_ANY,
)
_COMPONENT = _object(minReplicas=_INTEGER, labels=_ANY, model=_MODEL, containers={"type": "array", "items": _ANY})
#: Stand-ins for the definitions that the supply takes out of upstream's modules.
DEFINITIONS = (
    definition(
        "serving.kserve.io", "v1beta1", "InferenceService", _object(predictor=_COMPONENT, transformer=_COMPONENT)
    ),
    definition("serving.knative.dev", "v1", "Service", _object(template=_object(metadata=_ANY, spec=_ANY))),
    definition("argoproj.io", "v1alpha1", "Application", _ANY),
    definition("policies.kyverno.io", "v1beta1", "PolicyException", _ANY),
    definition("policies.kyverno.io", "v1beta1", "ValidatingPolicy", _ANY, "Cluster"),
)


def laid(specimen: Specimen, folder: Path) -> tuple[str, Path]:
    """A specimen in a tree: its place, and the folder."""
    shutil.rmtree(folder / "apps", ignore_errors=True)
    found = specimen.put(folder / "apps")
    return f"apps/{found.name}", found


def judged(specimen: Specimen, folder: Path, schemas: Schemas) -> list[Finding]:
    """What the first stage that rejects it finds."""
    place, _ = laid(specimen, folder)
    objects, findings = render_folder(folder, place)
    findings = findings or [one for obj in objects for one in schemas.findings(place, obj)]
    if findings:
        return findings
    tree = tree_of({**around(), place: objects})
    if place not in {app["spec"]["source"]["path"] for app in tree.applications}:
        tree = replace(tree, idle=(place,))
    if specimen.deployed == "apps":
        findings = [one for one in appproject.check(tree) if one.where.partition(":")[0] == place]
    return findings or refused_by_oracle(place, objects) or resources.check(placed(tree))


def refused_by_oracle(place: str, objects: list[Object]) -> list[Finding]:
    """What the policies must reject."""
    return [
        Finding("policy", rule, named(place, obj), "; ".join(reasons))
        for obj in objects
        for rule, reasons in evaluate(obj).items()
    ]
