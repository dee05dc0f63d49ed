"""What takes the place of a function of the CI gate: each breaks it in a way in which gates do break.

What a replacement still needs of the original it imports by name: that is bound before anything is exchanged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neuroscale.errors import ExitCode, Inconclusive
from neuroscale.gate.api_validation import ask as validate
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.kyverno_cli import Prepared, run
from neuroscale.gate.pipeline import pass_through
from neuroscale.gate.policy import Result, ask, simulate
from neuroscale.gate.render import objects_of
from neuroscale.gate.schema import Schemas, check
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import pause
from neuroscale.settings import ROOT

#: Longer than the gate may take.
_LONG = 21

# --- the exit code


def always_green(found: Collection[Finding]) -> ExitCode:
    """Findings are said, and the shell is told that all is well."""
    return ExitCode.PASSED


def no_verdict_is_green(tools: Tools, reference: str | None = None, repository: Path = ROOT) -> GateResult:
    """Who cannot judge has found nothing."""
    try:
        return pass_through(tools, reference, repository)
    except Inconclusive:
        return GateResult()


def go_on_without(engine: Engine, request: Mapping[str, Any]) -> Any:
    """A policy engine that does not answer has nothing against anything."""
    try:
        return ask(engine, request)
    except Inconclusive:
        return {"results": []}


def validate_without(engine: Engine, request: Mapping[str, Any]) -> Any:
    """An engine that does not validate has nothing against anything."""
    try:
        return validate(engine, request)
    except Inconclusive:
        return {"results": []}


def nothing_invalid(engine: Engine, request: Mapping[str, Any]) -> Any:
    """Whatever fits a schema is taken for what the API server creates."""
    return {"results": []}


def half_an_answer(engine: Engine, request: Mapping[str, Any]) -> Any:
    """What the policy engine says is cut off, and nobody counts."""
    results = ask(engine, request)["results"]
    return {"results": results[: len(results) // 2]}


# --- what is looked at


def first_object(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """Of each app."""
    objects, found = objects_of(made)
    return objects[: 1 if _is_app(made["path"]) else None], found


def show_the_first(engine: Engine, places: Places) -> list[Result]:
    """Of each app, to the policy engine."""
    return simulate(engine, {place: some[: 1 if _is_app(place) else None] for place, some in places.items()})


def evaluate_nothing(engine: Engine, places: Places) -> list[Result]:
    """The policy engine is not asked."""
    return []


def files_beside_objects(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """Kustomizations of apps are objects like others."""
    if made["type"] != "Kustomize" or not _is_app(made["path"]):
        return objects_of(made)
    itself = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return objects_of({**made, "objects": [*made["objects"], itself], "origins": [*made["origins"], ""]})


def see_folders_only(said: Mapping[str, Any]) -> list[Finding]:
    """Where an Application's folder is, is nobody's business."""
    return []


# --- what is found


def ignore_schemas(places: Places, schemas: Schemas) -> tuple[Places, list[Finding]]:
    """Whatever has no schema, or does not fit it, is taken for right."""
    return places, []


def ignore_unknown_fields(places: Places, schemas: Schemas) -> tuple[Places, list[Finding]]:
    """Schemas that are not strict."""
    _, found = check(places, schemas)
    left = [one for one in found if "Additional properties" not in one.description]
    rejected = {one.where for one in left}
    return {
        place: [obj for obj in objects if named(place, obj) not in rejected] for place, objects in places.items()
    }, left


def drop_findings(places: Places, results: Iterable[Result] = ()) -> list[Finding]:
    """A stage that looks, and keeps to itself what it saw."""
    return []


def refuse_whatever_comes(places: Places) -> list[Finding]:
    """A stage that is red on what is right."""
    place = next(iter(places))
    return [Finding("resources", "quota", place, "this stage should be whole, but is broken")]


def take_long(tools: Tools, reference: str | None = None, repository: Path = ROOT) -> GateResult:
    """Nobody waits for a gate for long."""
    pause(_LONG)
    return pass_through(tools, reference, repository)


# --- the reference platform's checks, mended


def one_flag_for_each(cli: Path, prepared: Prepared, files: Sequence[Path]) -> list[str]:
    """D4's remedy: every manifest is a resource."""
    given = [text for file in files for text in ("--resource", str(file))]
    return [str(cli), "apply", str(prepared.policies), *given, *prepared.options]


def without_the_pipe(command: list[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """D4's remedy: the exit code is the judge's."""
    done = run(command, environment)
    return done.returncode, done.stdout


def without_kustomizations(folder: Path) -> list[Path]:
    """D7's remedy: files that are no objects are left out."""
    return [file for file in sorted(folder.rglob("*.yaml")) if file.name != "kustomization.yaml"]


def _is_app(place: str) -> bool:
    return place.startswith("apps/")
