"""What a mutant is, and when it counts as killed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from neuroscale.chaos.faults import Fault
from neuroscale.incidents import Incident
from neuroscale.results import ScenarioResult


@dataclass(frozen=True)
class Mutant:
    """A platform broken in such a way that one check must notice.

    Attributes:
        scenario: The check, by its scenario's name.
        before: Text of the step before which the platform is broken.
        faults: What is broken, in order.
        red_step: Text of the step that must turn red.
        reason: Regular expression that the error of that step must match.
        example: Part of the test's name that picks one example of an outline.
        hold: Seconds to wait after the faults, for mutants that need time to bite.
    """

    slug: str
    title: str
    scenario: str
    before: str
    faults: tuple[Fault, ...]
    red_step: str
    reason: str
    example: str = ""
    hold: float = 0


def evaluate_kill(
    mutant: Mutant, result: ScenarioResult | None
) -> Literal["killed", "wrong reason", "survived", "void"]:
    """Whether the check noticed, where and why it should have.

    A run that ended outside every step did not get as far as asking: the mutant is void, not killed. So is one whose
    scenario did not run at all.
    """
    if result is None:
        return "void"
    if result.verdict == "passed":
        return "survived"
    if not result.step:
        return "void"
    step = result.step.split(" ", 1)[-1]
    return "killed" if step == mutant.red_step and re.search(mutant.reason, result.why) else "wrong reason"


# --- the steps of an incident's scenario, as its row makes them


def injection_step(incident: Incident) -> str:
    """The step that lets it happen."""
    return f'the incident "{incident.slug}" happens'


def symptom_step(incident: Incident) -> str:
    """The step that waits for its symptom."""
    return f"an operator sees that {incident.sees}"


def remedy_step(incident: Incident) -> str:
    """The step that resolves it."""
    return f"the remedy is applied: {incident.remedy}"


def recovery_step(incident: Incident) -> str:
    """The step that waits for the steady state."""
    return f"the platform recovers within {incident.recovers_within:.0f} s"
