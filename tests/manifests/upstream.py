"""Stand-ins for a component's upstream manifests: the same objects by name, in the least valid shape."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from fixtures import DATA

from neuroscale.kubernetes.refs import Object


def write_upstream(component: str, folder: Path) -> Path:
    """Fill a folder as the supply fills ``infrastructure/COMPONENT/upstream``."""
    for name, entries in listed(component).items():
        place = folder / name
        if place.suffix != ".yaml":
            place.mkdir(parents=True)
            (place / "kustomization.yaml").write_text("resources: [objects.yaml]\n", encoding="utf-8")
            place /= "objects.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(yaml.dump_all(map(_stand_in, entries), Dumper=yaml.CSafeDumper), encoding="utf-8")
    return folder


def listed(component: str) -> dict[str, list[Object]]:
    """File or folder below ``upstream/`` -> its objects, by name."""
    return dict(json.loads((DATA / f"{component}-upstream.json").read_text(encoding="utf-8")))


def _stand_in(entry: Object) -> Object:
    metadata = {key: entry[key] for key in ("name", "namespace", "annotations") if key in entry}
    return {"apiVersion": entry["apiVersion"], "kind": entry["kind"], "metadata": metadata, **_body(entry)}


def _body(entry: Object) -> Object:
    match entry["kind"]:
        case "CustomResourceDefinition":
            return {"spec": _definition(entry)}
        case "Deployment":
            return {"spec": _deployment(entry)}
        case "ClusterRoleBinding" | "RoleBinding":
            role = entry["kind"].removesuffix("Binding")
            return {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": entry["name"]}}
        case "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration":
            return {"webhooks": [_webhook(entry)]}
        case "ClusterStorageContainer":
            return {
                "spec": {"container": {"name": "storage-initializer", "image": "kserve/storage-initializer:latest"}}
            }
        case _:
            return {}


def _definition(entry: Object) -> Object:
    crd = entry["crd"]
    version = {"served": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    return {
        "group": entry["name"].partition(".")[2],
        "names": {"plural": crd["plural"], "kind": crd["kind"]},
        "scope": crd["scope"],
        "versions": [{"name": name, "storage": not index, **version} for index, name in enumerate(crd["versions"])],
    }


def _deployment(entry: Object) -> Object:
    labels = {"app": entry["name"]}
    # The container that matters stands first, as it does upstream.
    pod = {
        key: [
            {
                "name": name,
                "image": image,
                "args": [],
                "env": [{"name": "SYSTEM_NAMESPACE", "value": entry["namespace"]}],
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 10},
                "resources": {"requests": {"cpu": "300m"}},
            }
            for name, image in entry.get(key, {}).items()
        ]
        for key in ("containers", "initContainers")
    }
    return {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}


def _webhook(entry: Object) -> Object:
    ours = entry["name"].endswith(".kserve.io")
    service = (
        {"name": "kserve-webhook-server-service", "namespace": "kserve"}
        if ours
        else {"name": "webhook", "namespace": "knative-serving"}
    )
    return {
        "name": entry["name"],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "clientConfig": {"service": service},
    }
