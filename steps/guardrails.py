"""Guardrails: what is refused, and what is not."""

from __future__ import annotations

from pytest_bdd import given

from neuroscale.milestones import gate
from neuroscale.platform import Platform


@given("the guardrails are in force")
def the_guardrails_are_in_force(platform: Platform) -> None:
    gate("d", platform)
