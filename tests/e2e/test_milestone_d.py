"""Milestone D on the real cluster; what is tagged ``gate`` needs none.

Features run in the order of their titles: Kyverno is unavailable right before the scenarios of the gate, which need no
cluster and so leave it the time to come back.
"""

from pytest_bdd import scenarios

scenarios("milestone_d_guardrails")
