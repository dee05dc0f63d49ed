"""The corpus is what it says: no bad one passes, no good one fails, and each is rejected by its stage for its rule."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from stages import DEFINITIONS, around, judged, laid, refused_by_oracle, render_folder

from neuroscale.gate.schema import Schemas
from neuroscale.guardrails.corpus import Specimen, specimens
from neuroscale.guardrails.oracle import POLICIES
from neuroscale.kubernetes.refs import Object
from neuroscale.kustomize import documents

ALL = specimens()
#: What does not render only the renderer of Argo CD itself says: ``pytest -m gate``.
HERE = [one for one in ALL if not one.needs and one.stage != "render"]
BY_NAME = {one.name: one for one in ALL}
#: Ways around the guardrails that only a cluster can show: a policy engine that is down, and objects older than it.
BEYOND_A_GATE = {12, 13}


def name_of(one: Specimen) -> str:
    return f"{one.path.parent.name}-{one.name}"


@cache
def schemas() -> Schemas:
    return Schemas([*DEFINITIONS])


@pytest.mark.parametrize("specimen", HERE, ids=name_of)
def test_each_is_refused_by_its_stage_and_rule_or_passes(specimen: Specimen, tmp_path: Path) -> None:
    found = {(one.stage, one.rule) for one in judged(specimen, tmp_path, schemas())}
    assert found == (set() if specimen.is_good else {(specimen.stage, specimen.rule)})


@pytest.mark.parametrize("specimen", [one for one in HERE if one.is_good], ids=name_of)
def test_a_good_one_is_good_for_the_oracle_wherever_it_is(specimen: Specimen, tmp_path: Path) -> None:
    place, _ = laid(specimen, tmp_path)
    objects, _ = render_folder(tmp_path, place)
    assert refused_by_oracle(place, objects) == []


def test_there_are_enough_of_each() -> None:
    sides = Counter(one.is_good for one in ALL)
    assert sides[True] >= 25
    assert sides[False] >= 25
    assert {one.stage for one in ALL if one.stage} == {"render", "schema", "appproject", "policy", "resources"}
    assert {one.rule for one in ALL if one.stage == "policy"} == set(POLICIES)
    assert [one.name for one in ALL if one.stage == "policy" and not one.detail] == []
    assert len({one.name for one in ALL}) == len(ALL)


def test_each_known_way_around_that_a_gate_can_see_is_tried() -> None:
    assert {one.bypass for one in ALL if one.bypass} | BEYOND_A_GATE == set(range(1, 15))


@pytest.mark.parametrize("specimen", [one for one in ALL if one.control], ids=name_of)
def test_a_compliant_control_is_good_and_one_field_apart(specimen: Specimen) -> None:
    control = BY_NAME[specimen.control]
    assert control.is_good
    mine, its = (documents(one.path.read_text(encoding="utf-8")) for one in (specimen, control))
    fields = [path for one, other in zip(mine, its, strict=True) for path in apart(one, other)]
    assert len(fields) == 1, fields


def apart(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two documents differ, but for their names."""
    if path == ".metadata.name":
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [found for key in keys for found in apart(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for index, (a, b) in pairs for found in apart(a, b, f"{path}.{index}")]
    return [] if one == other else [path]


def test_names_of_objects_are_their_specimens() -> None:
    """All are judged together by the CLI, and told apart by name."""
    for specimen in ALL:
        if specimen.path.is_file() and specimen.stage != "render":
            for obj in flat(documents(specimen.path.read_text(encoding="utf-8"))):
                assert obj["metadata"]["name"].startswith(specimen.name), specimen.path


def flat(objects: list[Object]) -> list[Object]:
    return [found for obj in objects for found in (flat(obj["items"]) if "items" in obj else [obj])]


@pytest.mark.parametrize("text", ["kind: Pod\n", "# Says nothing of who rejects it\nkind: Pod\n"])
def test_a_bad_one_without_its_verdict_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="should"):
        specimens(tmp_path)


def test_what_decides_is_there() -> None:
    """In each folder of those that stand around a specimen: without it a stage would have nothing to judge by."""
    assert {place: sorted({obj["kind"] for obj in objects}) for place, objects in around().items()} == {
        "bootstrap": ["AppProject", "Application"],
        "infrastructure/apps": ["Application", "ApplicationSet", "ConfigMap"],
        "infrastructure/kserve": ["ClusterServingRuntime"],
        "infrastructure/namespaces/default": ["LimitRange", "PriorityClass", "ResourceQuota"],
    }
