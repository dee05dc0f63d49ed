"""What the scenarios of the price before a merge find wrong, and the changes that they propose."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from repository import git

from neuroscale.delta.compare import Delta
from neuroscale.errors import ConditionTimeout
from neuroscale.gate import opinions, priced_changes
from neuroscale.gate.opinions import SecondOpinion
from neuroscale.gate.priced_changes import Priced, Proposed
from neuroscale.gate.tools import Tools
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import ROOT

CPU, MEMORY = "requests.cpu", "requests.memory"
MI = Decimal(2) ** 20
MODEL = "model-without-resources"
NO_TOOLS: Tools = None  # type: ignore[assignment]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "apps", tmp_path / "apps")
    runtime = tmp_path / "infrastructure/kserve/sklearn-runtime.yaml"
    runtime.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "infrastructure/kserve/sklearn-runtime.yaml", runtime)
    return tmp_path


def priced(rows: dict[str, dict[str, Decimal]], text: str | None = None) -> Priced:
    """A delta with these rows."""
    changes = [SimpleNamespace(workload=SimpleNamespace(name=n), by=SimpleNamespace(least=w)) for n, w in rows.items()]
    said = "".join(f"| InferenceService default/{name} | apps |\n" for name in rows) if text is None else text
    return Priced(cast("Delta", SimpleNamespace(changes=changes)), said)


def container(**requests: str) -> Object:
    return {"name": "main", "resources": {"requests": requests}}


@pytest.mark.parametrize(
    ("spec", "row"),
    [
        ({"template": {"spec": {"containers": [container(cpu="1", memory="2Gi")]}}}, ("1", "2Gi")),
        ({"template": {"spec": {"containers": [container(cpu="1")]}}}, ("1", "–")),
        ({"predictor": {"model": container(memory="1Gi")}}, ("–", "1Gi")),
        ({"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}}, ("–", "–")),
        ({"predictor": {"model": {"resources": None}}}, ("–", "–")),
        ({}, ("–", "–")),
    ],
)
def test_a_table_of_what_manifests_declare(spec: dict[str, Any], row: tuple[str, ...]) -> None:
    assert priced_changes.declared({"spec": spec}) == row


def test_a_model_without_resources_is_one_commit(copy: Path) -> None:
    proposed = priced_changes.propose_model(copy)
    assert git("-C", str(copy), "diff", "--name-only", "main", "HEAD") == f"apps/{MODEL}/manifest.yaml"
    model = yaml.safe_load((copy / "apps" / MODEL / "manifest.yaml").read_text(encoding="utf-8"))
    assert model["spec"]["predictor"]["minReplicas"] == model["spec"]["predictor"]["maxReplicas"] == 1
    priced_changes.table_is_empty(proposed)
    (copy / "apps" / MODEL / "manifest.yaml").write_text(
        yaml.safe_dump({"spec": {"predictor": {"model": container(cpu="1")}}}), encoding="utf-8"
    )
    with pytest.raises(ConditionTimeout, match=f"should have dashes for {MODEL}, but has 1 and –"):
        priced_changes.table_is_empty(proposed)


ENOUGH = {CPU: Decimal("0.125"), MEMORY: 256 * MI}


@pytest.mark.parametrize(
    ("found", "other", "good"),
    [
        (priced({MODEL: ENOUGH}), ENOUGH, True),
        (priced({MODEL: ENOUGH}), {**ENOUGH, CPU: Decimal("0.126")}, False),
        (priced({MODEL: {**ENOUGH, CPU: Decimal("0.1")}}), {**ENOUGH, CPU: Decimal("0.1")}, False),
        (priced({MODEL: {CPU: Decimal(1)}}), {CPU: Decimal(1)}, False),
        (priced({MODEL: ENOUGH, "other": ENOUGH}), ENOUGH, False),
        (priced({}), {}, False),
        (priced({MODEL: ENOUGH}, text="nothing"), ENOUGH, False),
    ],
    ids=["right", "as defaults say", "nothing beside it", "no memory", "another row", "no row", "not in the text"],
)
def test_a_model_is_priced_as_one_that_writes_its_runtime_out(
    found: Priced, other: dict[str, Decimal], good: bool, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = priced_changes.propose_model(copy)
    monkeypatch.setattr(priced_changes, "price", lambda *_: priced({MODEL: other}))
    if good:
        priced_changes.has_what_its_runtime_requests(NO_TOOLS, proposed, found)
    else:
        with pytest.raises(ConditionTimeout, match=f"should have {MODEL} with more than its runtime's .*'100m'"):
            priced_changes.has_what_its_runtime_requests(NO_TOOLS, proposed, found)
    model = yaml.safe_load((copy / "apps" / MODEL / "manifest.yaml").read_text(encoding="utf-8"))
    assert model["spec"]["predictor"]["model"]["resources"]["requests"] == {"cpu": "100m", "memory": "128Mi"}
    assert git("-C", str(copy), "rev-list", "--count", "main..HEAD") == "2"


def test_two_models_are_changed_in_two_commits(copy: Path) -> None:
    proposed = priced_changes.propose_in_many(copy, 4)
    assert proposed.names == ("model-0002", "one-more")
    assert git("-C", str(copy), "rev-list", "--count", "main..HEAD") == "2"
    changed = git("-C", str(copy), "diff", "--name-status", "main", "HEAD").split()
    assert changed == ["M", "apps/model-0002/inference-service.yaml", "A", "apps/one-more/inference-service.yaml"]


@pytest.mark.parametrize(
    ("found", "good"),
    [
        (priced({"a": {}, "b": {}}), True),
        (priced({"b": {}}), False),
        (priced({"a": {}, "b": {}, "c": {}}), False),
        (priced({"a": {}, "b": {}}, text="| Deployment default/a | apps |"), False),
    ],
)
def test_a_delta_has_what_changed_and_nothing_else(found: Priced, good: bool) -> None:
    proposed = Proposed(Path(), ("a", "b"))
    if good:
        priced_changes.says_what_changed(proposed, found)
    else:
        with pytest.raises(ConditionTimeout, match="should have rows for a and b, but has"):
            priced_changes.says_what_changed(proposed, found)


def test_a_price_is_said_in_time() -> None:
    found = priced({})
    priced_changes.was_quick(replace(found, seconds=5.0), 5)
    with pytest.raises(ConditionTimeout, match=r"at most 5 s, but took 5\.10 s"):
        priced_changes.was_quick(replace(found, seconds=5.1), 5)


def test_how_long_a_price_takes_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priced_changes, "difference", lambda *_: None)
    monkeypatch.setattr(priced_changes, "written", lambda *_: "")
    clock = iter([10.0, 13.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert priced_changes.price(NO_TOOLS, Proposed(Path(), ())).seconds == 3.5


# --- a second opinion


@pytest.mark.parametrize(("answer", "good"), [((9, ""), True), ((8, ""), False), ((3, "total"), False)])
def test_every_pair_has_to_be_tried_and_to_agree(answer: tuple[int, str], good: bool) -> None:
    asked: list[int] = []
    opinion = SecondOpinion(lambda pairs: asked.append(pairs) or answer, {})
    if good:
        opinions.are_the_same(opinion, 9)
    else:
        with pytest.raises(ConditionTimeout, match=f"after {answer[0]} pairs they differ in (total|none, and no more)"):
            opinions.are_the_same(opinion, 9)
    assert asked == [9]


def test_every_mistake_has_to_be_found_and_there_have_to_be_enough() -> None:
    found = SecondOpinion(lambda _: (0, ""), {"one": lambda: True, "two": lambda: True})
    opinions.each_mistake_is_found(found, 2)
    with pytest.raises(ConditionTimeout, match="of 2 0 were not: there are too few"):
        opinions.each_mistake_is_found(found, 3)
    with pytest.raises(ConditionTimeout, match="of 2 1 were not: two"):
        opinions.each_mistake_is_found(SecondOpinion(lambda _: (0, ""), {**found.wrong, "two": lambda: False}), 2)
