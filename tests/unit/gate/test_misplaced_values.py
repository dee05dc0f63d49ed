"""Incidents C4 and C14: values of the portal that its chart has no place for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import yaml

from neuroscale.errors import ConditionTimeout, ExitCode
from neuroscale.gate import misplaced_values
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.findings import Finding
from neuroscale.gate.judgement import GateResult
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object

PLACE = "infrastructure/backstage/chart"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    chart = tmp_path / PLACE
    chart.mkdir(parents=True)
    for name in ("Chart.yaml", "values.schema.json"):
        (chart / name).write_text("{}", encoding="utf-8")
    (chart.parent / "values.yaml").write_text("backstage: {replicas: 1}\n", encoding="utf-8")
    return tmp_path


def tools(*keys: str) -> Tools:
    """A chart that makes an object of the values at the top that it knows."""

    def chart(folder: Path, values: Sequence[Path]) -> list[Object]:
        assert [file.name for file in folder.iterdir()] == ["Chart.yaml"], "the schema is left out"
        (read,) = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in values)
        return [{"kind": "Made", "of": {key: read.get(key) for key in keys}}] if keys else []

    return cast("Tools", SimpleNamespace(chart=chart))


def test_a_chart_that_does_not_know_the_key_makes_the_same(copy: Path) -> None:
    misplaced = misplaced_values.put_one_level_too_high(copy)
    assert set(yaml.safe_load(misplaced.values.read_text(encoding="utf-8"))) == {"backstage", "startupProbe"}
    misplaced_values.is_ignored_without_schema(tools("backstage"), copy, misplaced)
    assert (copy / PLACE / "values.schema.json").exists()


@pytest.mark.parametrize("keys", [("startupProbe",), ()])
def test_one_that_knows_it_or_makes_nothing_shows_no_symptom(keys: tuple[str, ...], copy: Path) -> None:
    misplaced = misplaced_values.put_one_level_too_high(copy)
    with pytest.raises(ConditionTimeout, match=r"should ignore startupProbe one level too high, but makes \d others"):
        misplaced_values.is_ignored_without_schema(tools(*keys), copy, misplaced)


def answer(code: ExitCode, *found: tuple[str, str]) -> GateOutput:
    findings = [Finding("render", "unrenderable", where, said) for where, said in found]
    return GateOutput(GateResult(findings=findings), code, tuple(said for _, said in found), 1.0)


NAMED = (PLACE, "additional properties 'startupProbe' not allowed")


def test_the_gate_names_the_key_and_nothing_else() -> None:
    misplaced_values.is_rejected(answer(ExitCode.FAILED, NAMED), "startupProbe")


@pytest.mark.parametrize(
    "said",
    [
        answer(ExitCode.PASSED),
        answer(ExitCode.PASSED, NAMED),
        answer(ExitCode.FAILED, (PLACE, "it does not render")),
        answer(ExitCode.FAILED, ("apps/other", NAMED[1])),
        answer(ExitCode.FAILED, NAMED, ("apps/other", "it is empty")),
        answer(ExitCode.FAILED, (PLACE, "additional properties 'exec' not allowed")),
    ],
)
def test_another_verdict_is_no_rejection(said: GateOutput) -> None:
    with pytest.raises(ConditionTimeout, match=f"should reject {PLACE} for startupProbe"):
        misplaced_values.is_rejected(said, "startupProbe")


# --- C14


@pytest.fixture
def probed(copy: Path) -> Path:
    """With a probe in its values."""
    text = "backstage:\n  readinessProbe: {periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 3}\n"
    (copy / PLACE).parent.joinpath("values.yaml").write_text(text, encoding="utf-8")
    return copy


def with_probe(fixed: Object) -> Tools:
    """A chart that puts a probe of the values beside what it has itself."""

    def chart(folder: Path, values: Sequence[Path]) -> list[Object]:
        assert [file.name for file in folder.iterdir()] == ["Chart.yaml"], "the schema is left out"
        (read,) = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in values)
        container = {"readinessProbe": {**read["backstage"]["readinessProbe"], **fixed}}
        return [
            {"kind": "Service"},
            {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}},
        ]

    return cast("Tools", SimpleNamespace(chart=chart))


def test_a_faked_probe_stands_beside_the_real_one(probed: Path) -> None:
    misplaced = misplaced_values.fake_probe(probed)
    (before, after) = (
        yaml.safe_load(file.read_text(encoding="utf-8"))["backstage"]["readinessProbe"]
        for file in (misplaced.before, misplaced.values)
    )
    assert after == {"exec": {"command": ["true"]}, **before}
    assert misplaced.key == "exec"
    misplaced_values.asks_in_two_ways(with_probe({"httpGet": {}}), probed, misplaced)


@pytest.mark.parametrize(("fixed", "faked"), [({}, True), ({"httpGet": {}}, False)])
def test_a_probe_of_one_kind_is_another_thing(fixed: Object, faked: bool, probed: Path) -> None:
    misplaced = misplaced_values.fake_probe(probed)
    tools = with_probe(fixed)
    if not faked:
        misplaced.values.write_text(misplaced.before.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConditionTimeout, match=r"by exec and httpGet, but it asks by \['(exec|httpGet)'\]"):
        misplaced_values.asks_in_two_ways(tools, probed, misplaced)
