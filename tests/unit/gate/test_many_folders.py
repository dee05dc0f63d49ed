"""Folders that are added are looked for one by one, and whoever leaves some out is found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from neuroscale.errors import ConditionTimeout, ExitCode, PreconditionFailed
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.many_folders import add_folders, each_was_judged
from neuroscale.settings import ROOT

POLICY = "require-standard-labels-inferenceservice"
QUOTA = Finding("resources", "quota", "infrastructure/namespaces/default: ResourceQuota q", "too much")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "apps", tmp_path / "apps")
    return tmp_path


def answered(added: list[str], **changed: object) -> GateOutput:
    model = {"kind": "InferenceService"}
    judged = {"tree": Tree({place: [model] for place in added}), "findings": [QUOTA], "evaluated": {POLICY: 9}}
    return GateOutput(replace(GateResult(), **{**judged, **changed}), ExitCode.FAILED, ("quota",), 1.0)


def test_each_folder_is_a_model_of_its_own(copy: Path) -> None:
    added = add_folders(copy, 3)
    made = [yaml.safe_load((copy / place / "inference-service.yaml").read_text(encoding="utf-8")) for place in added]
    assert [one["metadata"]["name"] for one in made] == ["model-0000", "model-0001", "model-0002"]
    assert [place.rpartition("/")[2] for place in added] == ["model-0000", "model-0001", "model-0002"]
    each_was_judged(answered(added), added)
    assert add_folders(copy, 0) == []


def test_a_model_that_is_another_one_is_not_copied(copy: Path) -> None:
    (copy / "apps/demo-iris-2/inference-service.yaml").write_text("kind: InferenceService\n", encoding="utf-8")
    with pytest.raises(PreconditionFailed, match="should hold one object of the name demo-iris-2"):
        add_folders(copy, 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tree": Tree({"apps/a": [{"kind": "InferenceService"}]})}, "1 made no InferenceService"),
        ({"tree": Tree({"apps/a": [{"kind": "InferenceService"}], "apps/b": [{"kind": "Pod"}]})}, "1 made no Infer"),
        ({"evaluated": {POLICY: 1}}, f"1 objects were judged by {POLICY}"),
        ({"findings": [QUOTA, replace(QUOTA, rule="invalid")]}, "nothing but the quota, but 0 made no"),
    ],
)
def test_what_was_left_out_is_said(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ConditionTimeout, match=said):
        each_was_judged(answered(["apps/a", "apps/b"], **changed), ["apps/a", "apps/b"])
