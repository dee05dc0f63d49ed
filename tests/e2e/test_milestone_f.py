"""Milestone F: hardening. What is tagged ``gate`` needs no cluster."""

from pytest_bdd import scenarios

scenarios("milestone_f_hardening")
