"""Mutants of the gate's speed: one that is slow, and one that is quick because it leaves out most of what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.gate.findings import Finding
from neuroscale.gate.render import objects_of
from neuroscale.kubernetes.refs import Object
from suite.mutants.mutant import Mutant


def forget_models(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """Of the folders that were added nothing is seen, and nothing is said against them."""
    return ([], []) if made["path"].startswith("apps/model-") else objects_of(made)


_IN_TIME = "The gate judges a repository in time"


def _checks(more: int) -> str:
    return f"the gate checks this repository with {more} more app folders"


MILESTONE = "d"
MUTANTS = (
    Mutant(
        "gate-slow-with-few-folders",
        "The gate takes its time, however little there is to judge",
        scenario=_IN_TIME,
        example="10, 0",
        before=_checks(0),
        faults=(
            FunctionPatched(wire="neuroscale.gate.pipeline:pass_through", replacement="suite.mutants.gate:take_long"),
        ),
        red_step="it took at most 10 s",
        reason=r"at most 10 s, but took ([2-5]\d\.\d s|\d+ min)",
    ),
    Mutant(
        "gate-leaves-folders-out",
        "What comes of most folders is left out, which makes the gate quick",
        scenario=_IN_TIME,
        example="10, 300",
        before=_checks(300),
        faults=(
            FunctionPatched(
                wire="neuroscale.gate.render:objects_of", replacement="suite.mutants.gate_speed:forget_models"
            ),
        ),
        red_step="each folder that was added has been rendered and evaluated",
        reason=r"300 more folders .* but 300 made no InferenceService",
    ),
)
