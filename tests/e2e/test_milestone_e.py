"""Milestone E: the price is said before the merge."""

from pytest_bdd import scenarios

scenarios("milestone_e_cost")
