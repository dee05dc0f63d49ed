"""Folders with upstream's manifests that are alike in several trees, rendered once for all of them.

They are nearly all that there is to render, and hardly ever what a change is about. A kustomization is made of its
folder alone, since the engine rejects one that takes from elsewhere; what else could decide about one is looked at
below, and where there is any of it, the tree is rendered whole.
"""

from __future__ import annotations

import json
import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from neuroscale.gate.engine import Engine
from neuroscale.kubernetes.refs import Object

#: Kustomize takes any of these.
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CHART = "Chart.yaml"
_UPSTREAM = "upstream"
_STAND_IN = "rendered-once.yaml"
#: What of an Application's source does not change how a kustomization of another folder renders.
_PLAIN = {"repoURL", "path", "targetRevision"}
_HARMLESS = _PLAIN | {"directory", "helm", "kustomize"}

#: What the engine says of a tree, or of a place in one.
Answer = Mapping[str, Any]
#: What is in a folder by path; a folder in it has no content.
Content = Mapping[str, bytes | None]


def render_trees(engine: Engine, trees: Sequence[Answer], about: Answer) -> list[Answer]:
    """The engine's answers for trees.

    Args:
        engine: Renders.
        trees: As its request has them.
        about: The rest of its request.

    Raises:
        Inconclusive: There is no answer.
    """

    def ask(some: Sequence[Answer]) -> list[Answer]:
        return list(engine.ask("render", {"trees": some, **about})["trees"]) if some else []

    roots = [Path(one["root"]) for one in trees]
    folders = alike(roots)
    if not folders:
        return ask(trees)
    (once,) = ask([{"root": trees[0]["root"], "byHand": list(folders)}])
    ready = {made["path"]: made for made in once["places"] if made["path"] in folders and _stands_alone(made)}
    with TemporaryDirectory(prefix="neuroscale-alike-") as name:
        # Argo CD edits what it renders: a tree that was rendered cannot be rendered once more.
        copies = [Path(name) / str(index) for index, _ in enumerate(roots)]
        for root, copy in zip(roots, copies, strict=True):
            _copy(root, copy, {path: (folders[path], made) for path, made in ready.items()})
        answers = ask([{**one, "root": str(copy)} for one, copy in zip(trees, copies, strict=True)])
    unsure = [index for index, said in enumerate(answers) if _decided_elsewhere(said, ready)]
    whole = dict(zip(unsure, ask([trees[index] for index in unsure]), strict=True))
    return [whole.get(index) or _filled(said, ready) for index, said in enumerate(answers)]


def alike(roots: Sequence[Path]) -> dict[str, Content]:
    """Kustomizations around upstream's manifests that hold the same in each of several trees; of one tree none.

    Args:
        roots: The trees. Where there is any link in them, nothing is: it may lead anywhere.

    Returns:
        Their paths, and what they hold.
    """
    if len(roots) < 2:
        return {}
    first, *others = roots
    found = sorted(folder.parent for folder in first.glob(f"*/*/{_UPSTREAM}") if folder.is_dir())
    if not found or any(map(_has_link, roots)):
        return {}
    paths = {str(folder.relative_to(first)): _files(folder) for folder in found}
    return {
        path: files
        for path, files in paths.items()
        if _is_kustomization(files) and all(_files(root / path) == files for root in others)
    }


def _has_link(root: Path) -> bool:
    return any(
        (Path(folder) / name).is_symlink() for folder, below, files in os.walk(root) for name in (*below, *files)
    )


def _files(folder: Path) -> Content:
    return {str(one.relative_to(folder)): one.read_bytes() if one.is_file() else None for one in folder.rglob("*")}


def _is_kustomization(files: Content) -> bool:
    """Whether it is one, and neither a chart nor told by a file of its own how to render for one Application."""
    beside = {name for name in files if name in (CHART, _STAND_IN) or name.startswith(".argocd-source")}
    return not beside and len([name for name in KUSTOMIZATIONS if name in files]) == 1


def _stands_alone(made: Answer) -> bool:
    """Whether nothing else is made because of it, and nothing is wrong with it."""
    return (
        made["type"] == "Kustomize"
        and not made["problems"]
        and bool(made["objects"])
        and all(isinstance(obj, dict) and not str(obj.get("kind")).startswith("Application") for obj in made["objects"])
        and all(isinstance(obj["spec"]["versions"], list) for obj in _definitions(made))
    )


def _definitions(made: Answer) -> list[Object]:
    return [obj for obj in made["objects"] if obj.get("kind") == "CustomResourceDefinition"]


def _copy(root: Path, copy: Path, ready: Mapping[str, tuple[Content, Answer]]) -> None:
    """A tree whose rendered folders make next to nothing; kinds stay, since charts are told of them.

    The folders in them are still there, for whoever looks for folders; their files are not.
    """
    places = {str(root / path) for path in ready}

    def left_out(folder: str, names: list[str]) -> list[str]:
        return names if folder in places else []

    shutil.copytree(root, copy, ignore=left_out, copy_function=shutil.copyfile)
    marker = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rendered-once"}}
    for path, (files, made) in ready.items():
        for name in (name for name, content in files.items() if content is None):
            (copy / path / name).mkdir(parents=True, exist_ok=True)
        objects = [marker, *map(_short, _definitions(made))]
        (copy / path / _STAND_IN).write_text("\n---\n".join(map(json.dumps, objects)), encoding="utf-8")
        (copy / path / KUSTOMIZATIONS[0]).write_text(json.dumps({"resources": [_STAND_IN]}), encoding="utf-8")


def _short(definition: Object) -> Object:
    """A CustomResourceDefinition without its schemas."""
    spec = definition["spec"]
    versions = [{key: one[key] for key in ("name", "served") if key in one} for one in spec["versions"]]
    kept = {"group": spec.get("group"), "names": spec.get("names"), "versions": versions}
    meta = {"name": definition["metadata"]["name"]}
    return {"apiVersion": definition["apiVersion"], "kind": definition["kind"], "metadata": meta, "spec": kept}


def _filled(said: Answer, ready: Mapping[str, Answer]) -> Answer:
    return {**said, "places": [ready.get(made["path"], made) for made in said["places"]]}


# --- what decides about a folder beside its content


def _decided_elsewhere(said: Answer, ready: Mapping[str, Answer]) -> bool:
    """Whether what a tree makes may be due to its files being left out, or more decides than they.

    What is wrong with a tree is said of the whole one.
    """
    if said["problems"] or any(made["problems"] for made in said["places"]):
        return True
    recursing = set[str]()
    for app in said["applications"]:
        source = app["spec"].get("source") or {}
        path = posixpath.normpath(str(source.get("path") or "").strip("/"))
        if set(source) - _HARMLESS or (path in ready and set(source) - _PLAIN):
            return True
        if _takes_from(ready, path, source):
            return True
        if (source.get("directory") or {}).get("recurse"):
            recursing.add(path)
    return any(_may_differ(made, ready, recursing) for made in said["places"])


def _may_differ(made: Answer, ready: Mapping[str, Answer], recursing: set[str]) -> bool:
    """Whether a place may be another one in the whole tree."""
    path, kind = made["path"], made["type"]
    if path in ready:
        return bool(kind != "Kustomize")
    inside = any(_is_in(path, one) for one in ready)
    above = any(_is_in(one, path) for one in ready)
    # Plain manifests are those of the folder itself.
    if inside or (above and (kind != "Directory" or path in recursing)):
        return True
    return kind == "Plugin" or any(_generates_from_files(obj) for obj in made["objects"])


def _takes_from(ready: Iterable[str], path: str, source: Object) -> bool:
    """Whether an Application may add to its folder what lies in one that is left out."""
    helm, kustomize = source.get("helm") or {}, source.get("kustomize") or {}
    if kustomize.get("components") or any("path" in one for one in kustomize.get("patches") or []):
        return True
    names = [*(helm.get("valueFiles") or []), *(one.get("path") for one in helm.get("fileParameters") or [])]
    for name in map(str, names):
        # From the root of the repository, or from the chart.
        file = posixpath.normpath(name.lstrip("/") if name.startswith("/") else posixpath.join(path, name))
        if set(name) & set("*?[$:") or any(_is_in(file, one) for one in ready):
            return True
    return False


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") or folder == "."


def _generates_from_files(obj: Any) -> bool:
    """Whether an ApplicationSet's Applications come of the content of files."""
    return isinstance(obj, dict) and obj.get("kind") == "ApplicationSet" and "files" in _keys([obj.get("spec")])


def _keys(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, dict):
            yield from value
            yield from _keys(value.values())
        elif isinstance(value, list):
            yield from _keys(value)
