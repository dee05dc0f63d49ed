"""First stage: what Argo CD makes of each folder of the tree, as objects, asked of its own renderer."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Tree, named
from neuroscale.gate.placement import placed
from neuroscale.gate.schema import api_versions, kubernetes
from neuroscale.kubernetes.refs import Object

#: Kustomize takes any of these.
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_CHART = "Chart.yaml"
#: What Argo CD reads in a folder of plain manifests.
_PLAIN = re.compile(r".*\.(yaml|yml|json|jsonnet)")
#: What the portal reads. An Application that deploys a folder of it has none that the gate knows, which is a finding.
_PORTAL = "backstage"
#: What no Application deploys.
BY_HAND = "bootstrap"
#: Of a chart beside which its values lie, for whoever deploys it; in a workload's folder they are manifests.
_CHART_WITH_VALUES, _VALUES = "chart", re.compile(r"values(-[a-z]+)?\.yaml")
_WORKLOADS = "apps"

#: Folder -> what the engine made of it in a tree, its objects, and what is wrong with it.
_Known = dict[str, tuple[Mapping[str, Any], list[Object], list[Finding]]]


@dataclass(frozen=True)
class Checkout:
    """What is to be rendered.

    Attributes:
        root: A copy of the Git server's repository, upstream's manifests in place; links that lead out of it are
            removed from the copy.
        by_hand: Folders of it that somebody applies.
        only: The one folder that is of interest; empty: all are.
    """

    root: Path
    by_hand: tuple[str, ...]
    only: str = ""

    @classmethod
    def whole(cls, root: Path) -> Checkout:
        """With the folders of the bootstrap."""
        return cls(root, tuple(str(folder.relative_to(root)) for folder in folders(root, BY_HAND)))


def folders(tree: Path, top: str = "") -> list[Path]:
    """Kustomizations and charts, and folders of plain manifests; none that is inside a kustomization or a chart.

    Args:
        tree: Where to look.
        top: The folder of it that is of interest; empty: all are.
    """
    made, plain = set[Path](), set[Path]()
    for name, below, files in os.walk(tree):
        folder = Path(name)
        if folder == tree:
            below[:] = [one for one in below if one != _PORTAL and top in ("", one)]
        for file in (folder / one for one in files if folder != tree or not top):
            kustomized = file.name in (*_KUSTOMIZATIONS, _CHART)
            if (kustomized or _PLAIN.fullmatch(file.name)) and file.is_file():
                made |= {folder} if kustomized else set()
                plain |= set() if _is_values(file, tree) else {folder}
    return sorted(folder for folder in made | plain if not made & set(folder.parents))


def _is_values(file: Path, tree: Path) -> bool:
    beside = (file.parent / _CHART_WITH_VALUES / _CHART).is_file() and _VALUES.fullmatch(file.name)
    return bool(beside) and file.relative_to(tree).parts[0] != _WORKLOADS


def render(engine: Engine, root: Path) -> tuple[Tree, list[Finding]]:
    """What a checkout makes, and what is wrong with it.

    Args:
        engine: Renders.
        root: See :class:`Checkout`.

    Raises:
        Inconclusive: There is no answer.
    """
    return render_several(engine, [Checkout.whole(root)])[0]


def render_several(engine: Engine, checkouts: Sequence[Checkout]) -> list[tuple[Tree, list[Finding]]]:
    """Several at once: to start the engine takes longer than to render a few folders.

    Raises:
        Inconclusive: There is no answer.
    """
    trees = [{"root": str(one.root), "byHand": one.by_hand} for one in checkouts]
    answer = engine.ask("render", {"trees": trees, "kubeVersion": kubernetes(), "apiVersions": api_versions()})
    known: _Known = {}
    return [_tree(said, one, known) for said, one in zip(answer["trees"], checkouts, strict=True)]


def _top(place: str) -> str:
    return place.partition("/")[0]


def _tree(said: Mapping[str, Any], checkout: Checkout, known: _Known) -> tuple[Tree, list[Finding]]:
    places: dict[str, list[Object]] = {}
    origins: dict[tuple[str, str, str], str] = {}
    findings = unseen(said)
    # An Application that leads nowhere makes no place: the stage of projects says so.
    for made in (one for one in said["places"] if one["type"] or one["problems"][0]["rule"] != "no-folder"):
        place = made["path"]
        # What is the same in another tree becomes the same objects, and whoever has looked at them need not look again.
        if place not in known or known[place][0] != made:
            known[place] = (made, *objects_of(made))
        _, places[place], wrong = known[place]
        findings += wrong
        for obj, origin in zip(made["objects"], made["origins"], strict=True):
            if origin and not _lacking(obj):
                origins[place, obj["kind"], obj["metadata"]["name"]] = origin
    idle = (str(folder.relative_to(checkout.root)) for folder in folders(checkout.root))
    applications = tuple(map(without_nulls, said["applications"]))
    tree = Tree(places, applications, tuple(place for place in idle if place not in places), origins)
    found = [*findings, *_twice(tree)]
    return tree, [one for one in found if checkout.only in ("", one.where.partition(":")[0])]


def unseen(said: Mapping[str, Any]) -> list[Finding]:
    """What Argo CD would make of something that is not in the checkout, or not at all."""
    return [_finding(problem) for problem in said["problems"]]


def objects_of(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """The objects of a place, and what is wrong with the place."""
    objects, findings = list[Object](), [_finding(problem) for problem in made["problems"]]
    for obj, origin in zip(made["objects"], made["origins"], strict=True):
        if lacking := _lacking(obj):
            findings.append(Finding("render", "unreadable", made["path"], lacking, origin))
        else:
            objects.append(without_nulls(obj))
    if not objects and not findings:
        findings.append(Finding("render", "empty", made["path"], "it should make at least one object, but makes none"))
    return objects, findings


def without_nulls(value: Any) -> Any:
    """As the API server takes it: a field that is null is not there. An item of a list that is null stays."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [without_nulls(one) for one in value]
    return value


def _lacking(obj: Any) -> str:
    """What keeps a document from being an object; empty: nothing."""
    if not isinstance(obj, dict):
        return f"a document should be an object, but is {obj!r:.60}"
    kind, version, meta = obj.get("kind"), obj.get("apiVersion"), obj.get("metadata")
    if not (isinstance(kind, str) and isinstance(version, str) and kind and version):
        return f"an object should have kind and apiVersion, but has {sorted(map(str, obj))}"
    if not (isinstance(meta, dict) and isinstance(meta.get("name"), str) and meta["name"]):
        return f"a {kind} should have a name, but has {meta!r:.60}"
    if not isinstance(meta.get("namespace") or "", str):
        return f"the namespace of a {kind} should be text, but is {meta['namespace']!r:.60}"
    return ""


def _finding(problem: Mapping[str, Any]) -> Finding:
    at = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
    return Finding("render", problem["rule"], problem["where"], problem["message"], at)


def _twice(tree: Tree) -> list[Finding]:
    """Two that make one object undo each other's work; the bootstrap's folders have no Application."""
    return [
        Finding("render", "twice", owners[0], f"one folder should make it, once, but so does {owners[1]}")
        for owners in _owners(tree).values()
        if len(owners) > 1
    ]


def _owners(tree: Tree) -> Mapping[tuple[str, ...], list[str]]:
    seen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for place, obj in _deployed(placed(tree)):
        group, meta = obj["apiVersion"].rpartition("/")[0], obj["metadata"]
        seen[group, obj["kind"], meta.get("namespace", ""), meta["name"]].append(named(place, obj))
    return seen


def _deployed(places: Mapping[str, list[Object]]) -> Iterator[tuple[str, Object]]:
    return ((place, obj) for place, objects in places.items() if _top(place) != BY_HAND for obj in objects)
