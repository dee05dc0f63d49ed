"""What must come of a form is judged object by object, and path by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from neuroscale.golden_path.form import evaluate_proposal, expected_objects, filled_in

VALUES: dict[str, str | int] = {**filled_in(), "name": "golden-1"}
SERVICE, ENTITY = "apps/golden-1/inference-service.yaml", "apps/golden-1/catalog-info.yaml"

Proposal = dict[str, str | None]


def proposal() -> Proposal:
    return {path: yaml.safe_dump(obj) for path, obj in expected_objects(VALUES).items()}


def changed(path: str, change: Callable[[Any], object]) -> Proposal:
    obj = expected_objects(VALUES)[path]
    change(obj)
    return {**proposal(), path: yaml.safe_dump(obj)}


def test_a_proposal_of_exactly_these_files_is_right() -> None:
    verdict = evaluate_proposal(proposal(), VALUES)
    assert (verdict.state, verdict.observed) == ("met", f"exactly {ENTITY}, {SERVICE}")


WRONG: dict[str, tuple[Proposal, str]] = {
    "nothing": ({}, f"without {ENTITY}, {SERVICE}"),
    "one file only": ({SERVICE: proposal()[SERVICE]}, f"without {ENTITY}"),
    "a second file": ({**proposal(), "README.md": "x"}, "it changes README.md as well"),
    "a file of another model": ({**proposal(), "apps/golden-2/a.yaml": "x"}, "apps/golden-2/a.yaml as well"),
    "a removal": ({**proposal(), SERVICE: None}, f"it removes {SERVICE}"),
    "no cost center": (changed(SERVICE, lambda obj: obj["metadata"]["labels"].pop("cost-center")), SERVICE),
    "another owner": (changed(SERVICE, lambda obj: obj["metadata"]["labels"].update(owner="nobody")), "nobody"),
    "another model": (
        changed(SERVICE, lambda obj: obj["spec"]["predictor"]["model"].update(storageUri="http://else/x")), "http://else",
    ),
    "no limits": (
        changed(SERVICE, lambda obj: obj["spec"]["predictor"]["model"]["resources"].pop("limits")), SERVICE,
    ),
    "a second object": ({**proposal(), SERVICE: f"{proposal()[SERVICE]}---\nkind: ConfigMap\n"}, "ConfigMap"),
    "an entity of another team": (changed(ENTITY, lambda obj: obj["spec"].update(owner="group:default/x")), ENTITY),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_any_other_is_not(what: str) -> None:
    proposed, said = WRONG[what]
    verdict = evaluate_proposal(proposed, VALUES)
    assert verdict.state == "unrecoverable"
    assert said in verdict.observed


def test_a_model_that_asks_for_more_than_a_core_may_take_two() -> None:
    limits = {
        cpu: expected_objects({**VALUES, "cpu": cpu})[SERVICE]["spec"]["predictor"]["model"]["resources"]["limits"][
            "cpu"
        ]
        for cpu in (1000, 1001)
    }
    assert limits == {1000: "1", 1001: "2"}


def test_each_form_is_for_a_model_of_its_own() -> None:
    assert len({filled_in()["name"] for _ in range(5)}) == 5
