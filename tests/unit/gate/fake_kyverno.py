"""Stands in for the Kyverno CLI: reads and reports in its forms, and lets the oracle judge.

A file ``mode`` beside the program says how it misbehaves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from neuroscale.gate.scopes import concerns
from neuroscale.guardrails.oracle import evaluate, speaks_of


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
    results = [
        entry(name, obj)
        for policy in policies
        for obj in objects
        if concerns(policy, obj) and speaks_of(name := policy["metadata"]["name"], obj)
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


def entry(name: str, obj: dict[str, Any]) -> dict[str, Any]:
    reasons = evaluate(obj).get(name)
    subject = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "name": obj["metadata"]["name"]}
    subject["namespace"] = obj["metadata"].get("namespace", "default")
    verdict = {"result": "fail", "message": "; ".join(reasons)} if reasons else {"result": "pass", "message": "success"}
    return {"policy": name, "resources": [subject], **verdict}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
