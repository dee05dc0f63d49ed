"""What the incidents of milestone D commit and create: each breaks what it is about, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from neuroscale.chaos.faults import Committed, FieldsEdited, ObjectCreated
from neuroscale.guardrails import oracle
from neuroscale.incidents import INCIDENTS, by_slug, minimum_above_sidecar
from neuroscale.incidents.new_model import MANIFEST
from neuroscale.incidents.policy_engine_not_serving import UNPAID
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT


def committed(slug: str) -> dict[str, Any]:
    """Path -> the one document of each file that an incident commits."""
    (fault,) = by_slug(slug).faults
    assert isinstance(fault, Committed)
    before = {path: (ROOT / path).read_text(encoding="utf-8") for path in fault.lines}
    return {path: yaml.safe_load(content or "") for path, content in fault.contents(before).items()}


@pytest.mark.parametrize(
    ("obj", "policies"),
    [
        (MANIFEST, []),
        (UNPAID, [oracle.ISVC_LABELS]),
        (*committed("camel_case_label").values(), [oracle.ISVC_LABELS]),
        (*committed("own_app_rejected").values(), [oracle.ROOT_USER]),
    ],
    ids=["late-comer", "unpaid", "camel-case", "old nginx"],
)
def test_a_manifest_breaks_the_policy_that_the_incident_is_about(obj: Object, policies: list[str]) -> None:
    assert list(oracle.evaluate(obj)) == policies


BROUGHT_ALONG = {
    f"{slug}-{fault.manifest['metadata']['name']}": fault.manifest
    for slug, incident in INCIDENTS.items()
    if incident.number[0] in "bdf"
    for fault in incident.faults
    if isinstance(fault, ObjectCreated)
}


@pytest.mark.parametrize("manifest", BROUGHT_ALONG.values(), ids=BROUGHT_ALONG)
def test_what_an_incident_brings_along_keeps_to_the_rules(manifest: Object) -> None:
    assert oracle.evaluate(manifest) == {}


def test_models_are_among_what_incidents_bring_along() -> None:
    """The policies pass over most other kinds."""
    assert [one for one in BROUGHT_ALONG.values() if oracle.speaks_of(oracle.ISVC_LABELS, one)]


def test_the_least_cpu_is_all_that_differs_from_git() -> None:
    text = (ROOT / "infrastructure" / "namespaces" / "default" / "limit-range.yaml").read_text(encoding="utf-8")
    (ours,) = yaml.safe_load(text)["spec"]["limits"]
    assert ours["min"]["cpu"] != minimum_above_sidecar.LIMIT["min"]["cpu"]
    assert {**ours, "min": {**ours["min"], "cpu": "50m"}} == minimum_above_sidecar.LIMIT


def test_the_drifting_policy_joins_the_others() -> None:
    folder, files = "infrastructure/kyverno", committed("policy_drift")
    git = yaml.safe_load((ROOT / folder / "kustomization.yaml").read_text(encoding="utf-8"))
    now = files.pop(f"{folder}/kustomization.yaml")
    ((path, policy),) = files.items()
    assert now == {**git, "resources": [path.removeprefix(f"{folder}/"), *git["resources"]]}
    assert ["skipBackgroundRequests" in rule for rule in policy["spec"]["rules"]] == [False]


def test_controllers_are_no_longer_told_apart() -> None:
    patches = [fault.patch["spec"] for fault in by_slug("f6").faults if isinstance(fault, FieldsEdited)]
    conditions = [one["name"] for spec in patches for one in spec.get("matchConditions", [])]
    assert conditions == ["in-a-tenants-namespace"] * 6
