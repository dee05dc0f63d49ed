"""Mutants of what the gate renders beside the live Argo CD, and what takes the place of the gate's functions there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuroscale.chaos.faults import FunctionPatched, ObjectCreated
from neuroscale.gate.findings import Finding
from neuroscale.gate.render import objects_of
from neuroscale.git_server import IN_CLUSTER_URL
from neuroscale.kubernetes.refs import Object
from neuroscale.probes.reference_app import TEST_APP
from neuroscale.settings import APPS_NAMESPACE, ARGOCD
from suite.mutants.mutant import Mutant

_PLACE = f"apps/{TEST_APP}"
_MAIN, _CORPUS = "Each Application renders in the gate as in Argo CD", "The corpus renders in the gate as in Argo CD"
_BOTH_RENDER_MAIN = "the gate and Argo CD render the latest commit of main"
_BOTH_RENDER_CORPUS = "the gate and Argo CD render the corpus"


def one_replica_more(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """The gate's renderer sees a field of the test application's Deployment otherwise."""
    objects, found = objects_of(made)
    for obj in objects:
        if made["path"] == _PLACE and obj["kind"] == "Deployment":
            obj["spec"]["replicas"] = obj["spec"].get("replicas", 1) + 1
    return objects, found


def first_object_of_an_app(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """The gate's renderer stops after the first object."""
    objects, found = objects_of(made)
    return objects[: 1 if made["path"] == _PLACE else None], found


def nothing_with_a_service(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """The gate's renderer fails where Argo CD's does not."""
    objects, found = objects_of(made)
    if made["path"] == _PLACE and any(obj["kind"] == "Service" for obj in objects):
        return [], [Finding("render", "unrenderable", _PLACE, "it has a Service")]
    return objects, found


def _renders(replacement: str) -> FunctionPatched:
    return FunctionPatched(wire="neuroscale.gate.render:objects_of", replacement=f"suite.mutants.render:{replacement}")


_STRAY = ObjectCreated(
    manifest={
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "stray", "namespace": ARGOCD},
        # Without automated sync, so that it takes nothing away from the one whose folder it is.
        "spec": {
            "project": "neuroscale-models",
            "source": {"repoURL": IN_CLUSTER_URL, "targetRevision": "main", "path": _PLACE},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": APPS_NAMESPACE},
        },
    }
)

MILESTONE = "d"
MUTANTS = (
    Mutant(
        "render-other-field",
        "The gate renders one field of one Application otherwise",
        scenario=_MAIN,
        before=_BOTH_RENDER_MAIN,
        faults=(_renders("one_replica_more"),),
        red_step="what both make of each Application is equal",
        reason=rf"{TEST_APP}: apps/v1 Deployment .*nginx-test has at \.spec\.replicas \d+ in the gate, and \d+ in Argo",
    ),
    Mutant(
        "render-stray-application",
        "Argo CD has an Application that main does not know",
        scenario=_MAIN,
        before=_BOTH_RENDER_MAIN,
        faults=(_STRAY,),
        red_step="they know the same Applications",
        reason=r"should be those of Argo CD, but: stray is in Argo CD alone\.",
    ),
    Mutant(
        "render-first-object",
        "The gate renders the first object of a folder",
        scenario=_CORPUS,
        before=_BOTH_RENDER_CORPUS,
        faults=(_renders("first_object_of_an_app"),),
        red_step="what both make of each manifest is equal",
        reason=r"[a-z-]+: \S+ \S+ \S+ is in Argo CD alone",
    ),
    Mutant(
        "render-fails-alone",
        "The gate does not render what Argo CD renders",
        scenario=_CORPUS,
        before=_BOTH_RENDER_CORPUS,
        faults=(_renders("nothing_with_a_service"),),
        red_step="Argo CD rejects what does not render in the gate",
        reason=r"Argo CD makes \d+ of [a-z-]+, and the gate says render: .*it has a Service",
    ),
)
