"""Stands in for the Kyverno CLI: reads and reports in its forms. Nothing of what it is there to test judges in it.

It rejects an image without a version, a workload without an owner, and the corpus by name: a file ``verdicts`` beside
the program says which policy rejects which specimen. A policy with the annotation ``loosened`` rejects nothing: its
expression was changed. A file ``mode`` beside the program says how it misbehaves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

TAG, LABELS = "disallow-latest-image-tag", "require-standard-labels-deployment"
LOOSENED = "loosened"
MODELS = {"InferenceService": "inferenceservices"}
WORKLOADS = {
    "Configuration": "configurations", "CronJob": "cronjobs", "DaemonSet": "daemonsets", "Deployment": "deployments",
    "Job": "jobs", "Pod": "pods", "ReplicaSet": "replicasets", "ReplicationController": "replicationcontrollers",
    "StatefulSet": "statefulsets",
}  # fmt: skip
ABOUT = {"require-standard-labels-inferenceservice": MODELS, LABELS: WORKLOADS}


def main(arguments: list[str]) -> int:
    policies = read(arguments[1])
    # What stands behind a flag's one value is taken for policies; what is none is left out.
    objects = [obj for at, word in enumerate(arguments) if word == "--resource" for obj in read(arguments[at + 1])]
    note = Path(sys.argv[0]).with_name("mode")
    mode = note.read_text() if note.exists() else ""
    if mode == "crash":
        print("Error: failed to map gvk to gvr", file=sys.stderr)
        return 1
    if mode == "only the first":
        objects = objects[:1]
    verdicts = json.loads(Path(sys.argv[0]).with_name("verdicts").read_text())
    results = [
        passed(policy, obj) if LOOSENED in policy["metadata"].get("annotations", {}) else entry(policy, obj, verdicts)
        for policy in policies
        for obj in objects
        if about(policy, obj)
    ]
    if mode == "errors":
        results = [{**result, "result": "error", "message": "no such key"} for result in results]
    if mode == "skips":
        results = [{**result, "result": "skip"} for result in results]
    if mode == "leaves out":
        print("Policies Skipped (as required variables are not provided by the user):\n1. disallow-root-containers")
    if results:
        print(json.dumps({"kind": "ClusterReport", "results": results}))
    rejected = any(result["result"] in {"fail", "error"} for result in results)
    return int(rejected and mode != "swallows")


def read(file: str) -> list[dict[str, Any]]:
    return [document for document in yaml.load_all(Path(file).read_text(), yaml.CSafeLoader) if document]


def about(policy: dict[str, Any], obj: dict[str, Any]) -> bool:
    """Of which kinds a policy speaks, and whether its match was narrowed."""
    kinds = ABOUT.get(policy["metadata"]["name"], MODELS | WORKLOADS)
    if obj["apiVersion"].startswith("serving.knative.dev/"):
        kinds = {**kinds, "Service": "services"} if kinds is not MODELS else kinds
    asked = {name for rule in policy["spec"]["matchConstraints"]["resourceRules"] for name in rule["resources"]}
    return obj["kind"] in kinds and bool(asked & {"*", kinds[obj["kind"]]})


def entry(policy: dict[str, Any], obj: dict[str, Any], verdicts: dict[str, str]) -> dict[str, Any]:
    meta, name = obj["metadata"], policy["metadata"]["name"]
    why = f"{meta['name']} is rejected" if verdicts.get(meta["name"]) == name else ""
    if name == LABELS and "owner" not in meta["labels"]:
        why = "nobody owns it"
    if name == TAG and (image := unversioned(obj)):
        why = f"image {image!r} has no version"
    return {**passed(policy, obj), **({"result": "fail", "message": why} if why else {})}


def passed(policy: dict[str, Any], obj: dict[str, Any]) -> dict[str, Any]:
    meta = obj["metadata"]
    subject = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "name": meta["name"]}
    subject["namespace"] = meta.get("namespace", "default")
    return {"policy": policy["metadata"]["name"], "resources": [subject], "result": "pass", "message": "success"}


def unversioned(obj: dict[str, Any]) -> str:
    """The first image of a Deployment that has no version."""
    containers = obj["spec"]["template"]["spec"]["containers"] if obj["kind"] == "Deployment" else []
    return next((one["image"] for one in containers if ":" not in one["image"]), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
