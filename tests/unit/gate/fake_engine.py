"""Stands in for the gate's engine: reads and answers in its forms. Nothing of what it is there to test judges in it.

It renders plain YAML and, by kubectl, kustomizations; the folders of a directory generator as Argo CD finds them. What
Argo CD makes of anything else only its own renderer says (``pytest -m gate``).

It rejects an image without a version, a workload without an owner, and the corpus by name: a file ``verdicts`` beside
the program says which policy rejects which specimen. A policy with the annotation ``loosened`` rejects nothing: its
expression was changed. A file ``mode`` beside the program says how it misbehaves.
"""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
TAG, LABELS = "disallow-latest-image-tag", "require-standard-labels-deployment"
LOOSENED, INVALID = "loosened", "invalid"
MODELS = {"InferenceService": "inferenceservices"}
WORKLOADS = {
    "Configuration": "configurations", "CronJob": "cronjobs", "DaemonSet": "daemonsets", "Deployment": "deployments",
    "Job": "jobs", "Pod": "pods", "ReplicaSet": "replicasets", "ReplicationController": "replicationcontrollers",
    "StatefulSet": "statefulsets",
}  # fmt: skip
RUNTIMES = {"ClusterServingRuntime": "clusterservingruntimes", "ServingRuntime": "servingruntimes"}
ABOUT = {"require-standard-labels-inferenceservice": MODELS, LABELS: WORKLOADS}
LEADS_OUT = re.compile(rb"^[^#\n]*\.\./", re.MULTILINE)
#: By the names and contents of a folder's files.
KUSTOMIZED: dict[tuple[tuple[str, bytes], ...], subprocess.CompletedProcess[str]] = {}


def main(arguments: list[str]) -> int:
    beside = Path(sys.argv[0]).parent
    mode = (beside / "mode").read_text() if (beside / "mode").exists() else ""
    said = answer(arguments[0], json.load(sys.stdin), beside, mode)
    if arguments == ["judge"] and mode == "crash":
        print("Error: object 0: no kind", file=sys.stderr)
        return 1
    print("results: too many" if arguments == ["judge"] and mode == "talks" else json.dumps(said))
    return 0


def answer(what: str, request: Object, beside: Path, mode: str = "") -> Object:
    """What it says to a request."""
    if what == "render":
        return {"trees": [render(Path(one["root"]), one["byHand"]) for one in request["trees"]]}
    verdicts = json.loads((beside / "verdicts").read_text())
    if what == "validate":
        return {"results": list(validate(request["objects"], verdicts))}
    return {"results": judge(request, verdicts, mode)}


# --- render


def render(root: Path, by_hand: list[str]) -> Object:
    """What a checkout makes."""
    places, applications, problems = [made(root, path) for path in by_hand], list[Object](), list[Object]()
    homes = {app["spec"]["source"]["repoURL"] for app in of_kind(places, "Application")}
    for place in places:  # it grows
        for app, where in deployed(place, root):
            applications.append(app)
            source = app["spec"].get("source") or {}
            path = source.get("path", "")
            if homes and source.get("repoURL") not in homes:
                said = f"its source should be a folder of this repository, but is {source.get('repoURL')}"
                problems.append(problem("elsewhere", where, said))
            elif path not in [one["path"] for one in places]:
                places.append(made(root, path))
    return {"places": places, "applications": applications, "problems": problems}


def of_kind(places: list[Object], kind: str) -> list[Object]:
    return [obj for place in places for obj in place["objects"] if isinstance(obj, dict) and obj.get("kind") == kind]


def problem(rule: str, where: str, message: str) -> Object:
    return {"rule": rule, "where": where, "file": "", "line": 0, "message": message}


def made(root: Path, path: str) -> Object:
    """A folder's objects."""
    place = {"path": path, "type": "Directory", "objects": [], "origins": [], "problems": []}
    folder = root / path
    if not folder.is_dir():
        return {**place, "type": "", "problems": [problem("no-folder", path, f"{path}: app path does not exist")]}
    if (folder / "kustomization.yaml").exists():
        place["type"] = "Kustomize"
    try:
        objects = list(flat(read(folder)))
    except (yaml.YAMLError, subprocess.CalledProcessError, ValueError) as error:
        return {**place, "problems": [problem("unreadable", path, str(error))]}
    return {**place, "objects": objects, "origins": [""] * len(objects)}


def read(folder: Path) -> list[Any]:
    if (folder / "kustomization.yaml").exists():
        return documents(kustomized(folder))
    if (folder / "Chart.yaml").exists():
        raise ValueError(f"{folder} needs Helm")
    files = sorted(file for file in folder.iterdir() if file.suffix in {".yaml", ".yml", ".json"})
    return [document for file in files for document in documents(file.read_text(encoding="utf-8"))]


def kustomized(folder: Path) -> str:
    """What kubectl makes of a folder. It is asked once about the same files, as far as nothing leads out of them."""
    found = sorted(folder.rglob("*"))
    files = tuple((str(one.relative_to(folder)), one.read_bytes()) for one in found if one.is_file())
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(folder)]
    said = KUSTOMIZED.get(files) or subprocess.run(command, check=False, capture_output=True, text=True)
    if not any(one.is_symlink() for one in found) and not any(LEADS_OUT.search(content) for _, content in files):
        KUSTOMIZED[files] = said
    if said.returncode:
        raise subprocess.CalledProcessError(said.returncode, command)
    return said.stdout


def documents(text: str) -> list[Any]:
    """Objects that may be changed, and yet the same files are read for many a test."""
    return pickle.loads(_pickled(text))  # type: ignore[no-any-return]  # noqa: S301 - of this process


@cache
def _pickled(text: str) -> bytes:
    return pickle.dumps([document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document is not None])


def flat(objects: list[Any]) -> Iterator[Any]:
    for obj in objects:
        if isinstance(obj, dict) and isinstance(obj.get("items"), list):
            yield from flat(obj["items"])
        else:
            yield obj


def deployed(place: Object, root: Path) -> Iterator[tuple[Object, str]]:
    """The Applications of a place, each with who has it."""
    for kind in ("Application", "ApplicationSet"):
        for obj in of_kind([place], kind):
            where = f"{place['path']}: {kind} {obj['metadata']['name']}"
            yield from ((app, where) for app in ([obj] if kind == "Application" else generated(obj, folders(root))))


def folders(root: Path) -> list[str]:
    return sorted(str(one.relative_to(root)) for one in root.rglob("*") if one.is_dir() and "/." not in str(one))


def generated(application_set: Object, found: list[str]) -> Iterator[Object]:
    """The Applications for the folders that its Git generators find, without those excluded; one for pull requests."""
    for generator in application_set["spec"]["generators"]:
        if "pullRequest" in generator:
            yield {"kind": "Application", **application_set["spec"]["template"]}
        patterns = (generator.get("git") or {}).get("directories", [])
        for folder in found:
            hits = [bool(one.get("exclude")) for one in patterns if matches(folder, one["path"])]
            if hits and not any(hits):
                yield {"kind": "Application", **filled(application_set["spec"]["template"], folder)}


def matches(folder: str, pattern: str) -> bool:
    """As Go's ``path.Match``: a star does not cross a slash."""
    parts, wanted = folder.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def filled(template: Any, folder: str) -> Any:
    if isinstance(template, dict):
        return {key: filled(value, folder) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, folder) for value in template]
    if isinstance(template, str):
        return template.replace("{{ .path.basename }}", folder.rpartition("/")[2]).replace("{{ .path.path }}", folder)
    return template


# --- validate


def validate(objects: list[Object], verdicts: dict[str, str]) -> Iterator[Object]:
    """By name, as the verdicts say."""
    for number, obj in enumerate(objects):
        if verdicts.get(obj["metadata"]["name"]) == INVALID:
            yield {"object": number, "messages": ["spec: Invalid value"]}


# --- judge


def judge(request: Object, verdicts: dict[str, str], mode: str = "") -> list[Object]:
    objects = request["objects"][:1] if mode == "only the first" else request["objects"]
    results = [
        result(policy, obj, verdicts) | {"object": index}
        for policy in request["policies"]
        for index, obj in enumerate(objects)
        if about(policy, obj)
    ]
    said = {"errors": {"outcome": "error", "message": "no such key"}, "skips": {"outcome": "skip"}}.get(mode, {})
    return [one | said for one in results]


def about(policy: Object, obj: Object) -> bool:
    """Of which kinds a policy speaks, and whether its match was narrowed."""
    kinds = ABOUT.get(policy["metadata"]["name"], MODELS | RUNTIMES | WORKLOADS)
    if obj["apiVersion"].startswith("serving.knative.dev/"):
        kinds = {**kinds, "Service": "services"} if kinds is not MODELS else kinds
    asked = {name for rule in policy["spec"]["matchConstraints"]["resourceRules"] for name in rule["resources"]}
    return obj["kind"] in kinds and bool(asked & {"*", kinds[obj["kind"]]})


def result(policy: Object, obj: Object, verdicts: dict[str, str]) -> Object:
    meta, name = obj["metadata"], policy["metadata"]["name"]
    why = f"{meta['name']} is rejected" if verdicts.get(meta["name"]) == name else ""
    if name == LABELS and "owner" not in meta["labels"]:
        why = "nobody owns it"
    if name == TAG and (image := unversioned(obj)):
        why = f"image {image!r} has no version"
    if LOOSENED in policy["metadata"].get("annotations", {}):
        why = ""
    return {"policy": name, "outcome": "fail" if why else "pass", "message": why}


def unversioned(obj: Object) -> str:
    """The first image of a Deployment that has no version."""
    containers = obj["spec"]["template"]["spec"]["containers"] if obj["kind"] == "Deployment" else []
    return next((one["image"] for one in containers if ":" not in one["image"]), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
