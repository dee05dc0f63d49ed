"""Milestone B on the real cluster."""

from pytest_bdd import scenarios

scenarios("milestone_b_serving")
