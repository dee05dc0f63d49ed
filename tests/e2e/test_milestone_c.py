"""Milestone C: from a form to a model that answers."""

from pytest_bdd import scenarios

scenarios("milestone_c_golden_path")
