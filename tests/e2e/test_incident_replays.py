"""The incidents, replayed on the real cluster."""

from pytest_bdd import scenarios

scenarios("incidents")
