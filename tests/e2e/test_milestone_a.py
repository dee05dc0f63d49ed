"""Milestone A on the real cluster."""

from pytest_bdd import scenarios

scenarios("milestone_a_gitops")
