"""Milestone F: what is claimed of hardening, held to it."""

from pytest_bdd import scenarios

scenarios("milestone_f_hardening")
