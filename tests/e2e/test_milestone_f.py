"""Milestone F: hardening that holds."""

from pytest_bdd import scenarios

scenarios("milestone_f_hardening")
