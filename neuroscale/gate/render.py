"""First stage: what Argo CD would make of each folder of the tree, as objects."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml

from neuroscale.errors import SupplyError
from neuroscale.gate.findings import Finding, Places, named
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import kustomize

#: Kustomize takes any of these.
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_CHART = "Chart.yaml"
#: What Argo CD reads in a folder of plain manifests, beside Jsonnet.
_PLAIN = (".yaml", ".yml", ".json")
#: Argo CD passes over a plain manifest that has this anywhere.
_SKIPPED = b"+argocd:skip-file-rendering"
#: Files in a folder with which Argo CD changes the source of the Application that deploys it.
_OVERRIDES = ".argocd-source*.yaml"
#: What the portal reads. An Application that deploys a folder of it has none that the gate knows, which is a finding.
_PORTAL = "backstage"
#: Of an Application's source, what the gate renders as Argo CD does. All else, such as images of a kustomization, makes
#: something else of a folder without a change in it.
_RENDERED = {"repoURL", "targetRevision", "path", "helm", "kustomize"}
#: Of a kustomization's options those that name its objects and mark them, and change nothing that is judged.
_NAMES = {"nameSuffix", "commonAnnotations"}
#: Fields of a kustomization that name files, folders or addresses.
_NAMING = ("resources", "components", "bases", "crds", "configurations", "generators", "transformers", "validators")

#: Of a chart beside which its values lie, for whoever deploys it; in a workload's folder they are manifests.
_CHART_WITH_VALUES, _VALUES = "chart", re.compile(r"values(-[a-z]+)?\.yaml")
_WORKLOADS = "apps"


class Chart(Protocol):
    """Renders the chart in a folder, with further files of values."""

    def __call__(self, folder: Path, values: Sequence[Path] = ()) -> list[Object]:
        """Its objects."""
        ...


class _Unreadable(Exception):
    """A file that is not a stream of Kubernetes objects; its text says why."""


def _text(key: object) -> str:
    """A key as it becomes one of JSON: YAML takes ``on`` for true, and 8080 for a number."""
    return str(key).lower() if isinstance(key, bool) else str(key)


class _StrictLoader(yaml.CSafeLoader):
    """YAML as Kubernetes means it: keys are text, none stands twice, and there are no dates."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        seen = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise _Unreadable(f"the key {name!r} stands twice in line {key.start_mark.line + 1}")
            seen.add(name)
        return {_text(key): value for key, value in super().construct_mapping(node, deep=deep).items()}


# A date is a string to Kubernetes; without this an annotation of that shape would not fit its schema.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def folders(tree: Path) -> list[Path]:
    """Kustomizations and charts, and folders of plain manifests; none that is inside a kustomization or a chart."""
    files = [file for file in tree.rglob("*") if file.relative_to(tree).parts[0] != _PORTAL and file.is_file()]
    made = {file.parent for file in files if file.name in (*_KUSTOMIZATIONS, _CHART)}
    manifests = (file for file in files if file.suffix in {*_PLAIN, ".jsonnet"} and not _is_values(file, tree))
    plain = {file.parent for file in manifests}
    return sorted(folder for folder in made | plain if not made & set(folder.parents))


def _is_values(file: Path, tree: Path) -> bool:
    beside = (file.parent / _CHART_WITH_VALUES / _CHART).is_file() and _VALUES.fullmatch(file.name)
    return bool(beside) and file.relative_to(tree).parts[0] != _WORKLOADS


def render(tree: Path, chart: Chart) -> tuple[Places, list[Finding]]:
    """Every folder's objects, and what does not render.

    Args:
        tree: As the Git server's repository has it, with upstream's manifests in place.
        chart: Renders a Helm chart.
    """
    places: dict[str, list[Object]] = {}
    findings: list[Finding] = []

    def with_values(folder: Path) -> list[Object]:
        return chart(folder, _values(str(folder.relative_to(tree)), places, tree))

    # Charts last: which values they get is said by Applications.
    for folder in sorted(folders(tree), key=lambda found: ((found / _CHART).is_file(), found)):
        place = str(folder.relative_to(tree))
        places[place], wrong = render_folder(folder, place, with_values)
        findings += wrong
    return places, [*findings, *_twice(places), *_unseen(places, tree)]


def render_folder(
    folder: Path, place: str, chart: Callable[[Path], list[Object]]
) -> tuple[list[Object], list[Finding]]:
    """One folder's objects, lists taken apart, and what is wrong with it."""
    try:
        objects = list(_flat(_objects(folder, chart)))
    except _Unreadable as error:
        return [], [Finding("render", "unreadable", place, str(error))]
    except SupplyError as error:
        return [], [Finding("render", "unrenderable", place, str(error))]
    if not objects:
        said = "it should make at least one object, but makes none"
        return [], [Finding("render", "empty", place, said)]
    return objects, []


def _values(place: str, places: Places, tree: Path) -> list[Path]:
    """The files of values with which an Application deploys the chart of a place."""
    applications = (obj for objects in places.values() for obj in objects if obj["kind"] == "Application")
    sources = (app["spec"].get("source") or {} for app in applications)
    source: Object = next((one for one in sources if one.get("path") == place), {})
    return list(_value_files(source, tree).values())


def _value_files(source: Object, tree: Path) -> dict[str, Path]:
    """Each file of values as a source names it, and where that leads; it need not be there."""
    folder = tree / str(source.get("path"))
    return {name: (folder / name).resolve() for name in (source.get("helm") or {}).get("valueFiles", [])}


def _unseen(places: Places, tree: Path) -> list[Finding]:
    """Applications of which Argo CD would make something else than the gate has rendered."""
    return [
        Finding("render", "unseen", named(place, app), f"its folder should be all that it is made from, but {why}")
        for place, objects in places.items()
        for app in objects
        if app["kind"] in ("Application", "ApplicationSet")
        for why in _made_otherwise(app["spec"] if app["kind"] == "Application" else _template(app), tree)
    ]


def _template(application_set: Object) -> Object:
    spec: Object = (application_set["spec"].get("template") or {}).get("spec") or {}
    return spec


def _made_otherwise(spec: Object, tree: Path) -> Iterator[str]:
    source, helm = spec.get("source") or {}, (spec.get("source") or {}).get("helm") or {}
    more = [key for key in ("sources", "sourceHydrator") if spec.get(key)]
    more += [f"source.{key}" for key in sorted(source.keys() - _RENDERED)]
    more += [f"source.helm.{key}" for key in sorted(helm.keys() - {"valueFiles"})]
    more += [f"source.kustomize.{key}" for key in sorted((source.get("kustomize") or {}).keys() - _NAMES)]
    yield from (f"it sets {key}" for key in more)
    for name, file in _value_files(source, tree).items():
        if not (file.is_file() and file.is_relative_to(tree.resolve())):
            yield f"its values {name} are no file of this repository"


def _objects(folder: Path, chart: Callable[[Path], list[Object]]) -> list[Any]:
    if overriding := sorted(file.name for file in folder.glob(_OVERRIDES)):
        said = f"{overriding[0]} would have Argo CD make something else of this folder; change its manifests instead"
        raise _Unreadable(said)
    if (folder / _CHART).is_file():
        return chart(folder)
    if kustomizations(folder):
        _refuse_elsewhere(folder)
        return kustomize(folder)
    found = []
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        if file.suffix == ".jsonnet":
            raise _Unreadable(f"{file.name} is Jsonnet, a program that Argo CD would run; write its objects instead")
        if file.suffix in _PLAIN and _SKIPPED not in file.read_bytes():
            found += read(file)
    return found


def read(file: Path) -> list[Any]:
    """The documents of a file, those that say nothing left out."""
    try:
        documents = list(yaml.load_all(file.read_text(encoding="utf-8"), Loader=_StrictLoader))
    except _Unreadable as error:
        raise _Unreadable(f"{file.name}: {error}") from error
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise _Unreadable(f"{file.name} should be YAML, but {' '.join(str(error).split())}") from error
    return [document for document in documents if document is not None]


def _flat(documents: list[Any]) -> Iterator[Object]:
    """Objects, where a list stands for what it holds."""
    for document in documents:
        if not isinstance(document, dict):
            raise _Unreadable(f"a document should be an object, but is {document!r:.60}")
        kind, version = document.get("kind"), document.get("apiVersion")
        if not (isinstance(kind, str) and isinstance(version, str) and kind and version):
            raise _Unreadable(f"an object should have kind and apiVersion, but has {sorted(map(str, document))}")
        if kind.endswith("List") and isinstance(document.get("items"), list):
            yield from _flat(document["items"])
        else:
            meta = document.get("metadata")
            if not (isinstance(meta, dict) and isinstance(meta.get("name"), str) and meta["name"]):
                raise _Unreadable(f"a {kind} should have a name, but has {meta!r:.60}")
            yield document


def _refuse_elsewhere(folder: Path) -> None:
    """What a kustomization takes from elsewhere is not in this commit, or at least not looked at where it is used."""
    here, pending = folder.resolve(), [folder.resolve()]
    while pending:
        for file in kustomizations(pending.pop()):
            for text in (text for document in read(file) for text in _taken(document)):
                taken = (file.parent / text).resolve()
                # What is not there would be fetched, if it can be read as an address.
                if not (taken.exists() and taken.is_relative_to(here)):
                    said = f"{file.relative_to(here)} should take what is in its folder, but takes {text}"
                    raise _Unreadable(said)
                pending.append(taken)


def kustomizations(folder: Path) -> list[Path]:
    """The files that make a kustomization of a folder; none: it is something else."""
    return [folder / name for name in _KUSTOMIZATIONS if (folder / name).is_file()]


def _taken(document: Any) -> list[str]:
    """The files, folders and addresses that a kustomization names; what spans lines is written out in place."""
    if not isinstance(document, dict):
        raise _Unreadable(f"a kustomization should be an object, but is {document!r:.60}")
    named = [text for key in _NAMING for text in document.get(key) or []]
    return [text for text in named if isinstance(text, str) and "\n" not in text]


def _twice(places: Places) -> list[Finding]:
    """Two Applications that both own an object undo each other's work; the bootstrap's folders have no Application."""
    seen: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for place, objects in places.items():
        for obj in objects if not place.startswith("bootstrap") else []:
            group, meta = obj["apiVersion"].rpartition("/")[0], obj["metadata"]
            seen[group, obj["kind"], meta.get("namespace", ""), meta["name"]].append(named(place, obj))
    return [
        Finding("render", "twice", owners[0], f"one folder should make it, but so does {owners[1]}")
        for owners in seen.values()
        if len(owners) > 1
    ]
