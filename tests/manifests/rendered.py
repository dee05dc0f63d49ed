"""Every manifest of this checkout as objects: kustomizations rendered, plain folders read, one entry per place."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from neuroscale.bootstrap.render import documents, gitops_tree, kustomize
from neuroscale.cluster.refs import Object
from neuroscale.probes import argo
from neuroscale.settings import ROOT
from neuroscale.supply.pins import pins

#: Kinds without a namespace, of those that a manifest here could hold.
CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "ClusterPolicy",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterServingRuntime",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)


@cache
def places() -> dict[str, list[Object]]:
    """Folder of this checkout -> its objects.

    Argo CD's own manifest is fetched at set-up and not part of the checkout; here a stand-in takes its place.
    """
    with TemporaryDirectory() as name:
        stand_in = Path(name)
        (stand_in / "install.yaml").write_text(yaml.safe_dump_all(_argocd()), encoding="utf-8")
        with gitops_tree({"argocd": stand_in}) as tree:
            return {str(folder.relative_to(tree)): objects_of(folder) for folder in _folders(tree)}


def objects_of(folder: Path) -> list[Object]:
    """What Argo CD, or the bootstrap, makes of a folder."""
    if (folder / "kustomization.yaml").exists():
        return kustomize(folder)
    return [obj for file in sorted(folder.glob("*.yaml")) for obj in documents(file.read_text(encoding="utf-8"))]


def manifests() -> list[Path]:
    """Every YAML file that must turn up in one of the places."""
    found = [file for top in ("apps", "bootstrap", "infrastructure") for file in sorted((ROOT / top).rglob("*.yaml"))]
    return [file for file in found if not {"images", "upstream"} & set(file.relative_to(ROOT).parts)]


def all_objects() -> list[tuple[str, Object]]:
    """Every object with the place it is from."""
    return [(place, obj) for place, objects in places().items() for obj in objects]


def images(obj: Object) -> list[str]:
    """Every container image that an object names."""
    pod = (obj.get("spec") or {}).get("template", {}).get("spec", {}) if obj["kind"] != "Pod" else obj["spec"]
    return [container["image"] for key in ("initContainers", "containers") for container in pod.get(key, [])]


def _folders(tree: Path) -> list[Path]:
    """Kustomizations, and folders of plain manifests that are not inside one."""
    roots = [file.parent for file in sorted(tree.rglob("kustomization.yaml"))]
    plain = sorted({file.parent for file in tree.rglob("*.yaml")})
    return [*roots, *(folder for folder in plain if not any(root in (folder, *folder.parents) for root in roots))]


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
