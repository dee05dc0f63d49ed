"""Milestone D on the real cluster; what is tagged ``gate`` needs none."""

from pytest_bdd import scenarios

scenarios("milestone_d_guardrails")
