"""What a mutant is, and when it counts as killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from neuroscale.chaos.faults import Fault
from neuroscale.errors import ExitCode
from neuroscale.incidents import Incident
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.results import Kill, ScenarioResult


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
        in_place: What must have come of the faults before the check is asked; otherwise the mutant is void.
        hold: Seconds to wait after that, where nothing tells that the faults have come through.
    """

    slug: str
    title: str
    scenario: str
    before: str
    faults: tuple[Fault, ...]
    red_step: str
    reason: str
    example: str = ""
    in_place: Callable[[Platform], Probe] | None = None
    hold: float = 0

    def matches(self, step: str, reason: str) -> bool:
        """Whether a step, with its keyword, and its error are those that the mutant is there for."""
        return step.split(" ", 1)[-1] == self.red_step and bool(re.search(self.reason, reason))


def evaluate_kill(
    mutant: Mutant, result: ScenarioResult | None
) -> Literal["killed", "wrong reason", "survived", "void"]:
    """Whether the check noticed, where and why it should have.

    A run that ended outside every step did not get as far as asking: the mutant is void, not killed. So is one that was
    not in place when the scenario ended, or whose scenario did not run at all: it has no result.
    """
    if result is None:
        return "void"
    if result.verdict == "passed":
        return "survived"
    if not result.step:
        return "void"
    return "killed" if mutant.matches(result.step, result.why) else "wrong reason"


def exit_code(kill: Kill) -> ExitCode:
    """A survivor, or a red for the wrong reason, fails; a mutant that could not be tried leaves the question open."""
    if kill.verdict == "killed":
        return ExitCode.PASSED
    return ExitCode.NOT_RUN if kill.verdict == "void" else ExitCode.FAILED


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
    return f"the platform is back in its steady state within {incident.recovers_within:.0f} s"
