"""Repositories with many app folders: how long the gate takes, and whether it looked at each."""

from __future__ import annotations

import re
from pathlib import Path

from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.gate.assertions import GateOutput

_LIKE, _KIND = "apps/demo-iris-2/inference-service.yaml", "InferenceService"
#: What each of the folders holds.
FILE = Path(_LIKE).name
_POLICY = "require-standard-labels-inferenceservice"


def add_folders(copy: Path, more: int) -> list[str]:
    """Add app folders, each with a model like one that is there under a name of its own; returns them.

    Args:
        copy: Of a checkout; will be changed.
        more: How many.

    Raises:
        PreconditionFailed: The model that they are like is not what it was.
    """
    text = (copy / _LIKE).read_text(encoding="utf-8")
    name = Path(_LIKE).parent.name
    if len(re.findall(rf"^  name: {name}$", text, re.MULTILINE)) != 1:
        raise PreconditionFailed(f"{_LIKE} should hold one object of the name {name}, but does not. Next: git status")
    added = [f"apps/model-{number:04d}" for number in range(more)]
    for place in added:
        (copy / place).mkdir()
        changed = text.replace(f"  name: {name}\n", f"  name: {Path(place).name}\n")
        (copy / place / FILE).write_text(changed, encoding="utf-8")
    return added


def each_was_judged(answer: GateOutput, added: list[str]) -> None:
    """Each folder made its object, and each was shown to the policies; what is wrong with all of them is the quota.

    Raises:
        ConditionTimeout: One was left out, or something else was found.
    """
    made = {place: objects for place, objects in answer.result.places.items() if place in set(added)}
    short = [place for place in added if [obj["kind"] for obj in made.get(place, [])] != [_KIND]]
    judged = answer.result.evaluated.get(_POLICY, 0)
    others = [one for one in answer.result.findings if one.rule != "quota"]
    if short or judged < len(added) or others:
        raise ConditionTimeout(
            f"The gate should render and judge {len(added)} more folders and find nothing but the quota, but "
            f"{len(short)} made no {_KIND}, {judged} objects were judged by {_POLICY}, and it ended with {answer}. "
            "Next: pytest -m timed"
        )
