"""Every manifest of this checkout as objects: kustomizations rendered, plain folders read, one entry per place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from upstream import write_upstream

from neuroscale.bootstrap.profile import PRODUCTION
from neuroscale.bootstrap.render import gitops_tree
from neuroscale.gate.render import folders
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents, kustomize
from neuroscale.milestones import MILESTONES
from neuroscale.probes import argo
from neuroscale.settings import ROOT
from neuroscale.supply.pins import pins

#: The one chart, with the values that its Application names.
RENDERED_CHART = ROOT / "tests" / "data" / "backstage-chart.yaml"


@cache
def places(milestones: frozenset[str] = frozenset(MILESTONES)) -> dict[str, list[Object]]:
    """Folder of the Git server's tree for some milestones -> its objects; by default all of this checkout's.

    Upstream's manifests are fetched at set-up and not part of the checkout; here stand-ins take their place.
    """
    with TemporaryDirectory() as name:
        argocd = Path(name) / "argocd"
        argocd.mkdir()
        (argocd / "install.yaml").write_text(yaml.dump_all(_argocd(), Dumper=yaml.CSafeDumper), encoding="utf-8")
        others = {
            component: write_upstream(component, Path(name) / component) for component in ("kyverno", "serving-stack")
        }
        manifests = {"argocd": argocd, **others}
        with gitops_tree(manifests, milestones) as tree:
            return {str(folder.relative_to(tree)): objects_of(folder) for folder in folders(tree)}


def objects_of(folder: Path) -> list[Object]:
    """What Argo CD, or the bootstrap, makes of a folder."""
    if (folder / "kustomization.yaml").exists():
        return kustomize(folder)
    if (folder / "Chart.yaml").exists():
        # Helm is a tool of the gate, whose tests hold this file equal to what it makes.
        return documents(RENDERED_CHART.read_text(encoding="utf-8"))
    return [obj for file in sorted(folder.glob("*.yaml")) for obj in documents(file.read_text(encoding="utf-8"))]


def manifests() -> list[Path]:
    """Every YAML file that must turn up in one of the places."""
    found = [file for top in ("apps", "bootstrap", "infrastructure") for file in sorted((ROOT / top).rglob("*.yaml"))]
    # The first is a chart with its values; what is production's alone has a test of its own.
    inside = {"backstage", "images", "upstream", PRODUCTION}
    return [file for file in found if not inside & set(file.relative_to(ROOT).parts)]


def all_objects() -> list[tuple[str, Object]]:
    """Every object with the place it is from."""
    return [(place, obj) for place, objects in places().items() for obj in objects]


def images(obj: Object) -> list[str]:
    """Every container image that an object names."""
    return [container["image"] for container in _containers(obj)] + list(_configured(obj))


def _containers(obj: Object) -> list[Object]:
    spec = obj.get("spec") or {}
    if obj["kind"] == "ClusterStorageContainer":
        return [spec["container"]]
    pod = spec if obj["kind"] in ("Pod", "ClusterServingRuntime") else spec.get("template", {}).get("spec", {})
    return [container for key in ("initContainers", "containers") for container in pod.get(key, [])]


def _configured(obj: Object) -> Iterator[str]:
    """Images that a controller is told of and puts into pods later."""
    data = obj.get("data") or {} if obj["kind"] == "ConfigMap" else {}
    if "queue-sidecar-image" in data:
        yield data["queue-sidecar-image"]
    if "storageInitializer" in data:
        yield json.loads(data["storageInitializer"])["image"]


def _argocd() -> list[Object]:
    """The objects of Argo CD's manifest that our patches speak of, in the shape that they have there."""
    names = [(ref.kind, ref.name) for ref in argo.WORKLOADS]
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        for name in ("argocd-cm", "argocd-cmd-params-cm")
    ]
    return [*maps, *(_workload(kind, name) for kind, name in [*names, ("Deployment", "argocd-dex-server")])]


def _workload(kind: str, name: str) -> Object:
    labels = {"app.kubernetes.io/name": name}
    container = {
        "name": name,
        "image": pins().images["argocd"],
        "imagePullPolicy": "Always",
        "readinessProbe": {
            "httpGet": {"path": "/healthz", "port": 8082},
            "initialDelaySeconds": 5,
            "periodSeconds": 10,
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            **({"serviceName": name} if kind == "StatefulSet" else {}),
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
