"""Which scenario a test is."""

from __future__ import annotations

import pytest
from pytest_bdd.parser import ScenarioTemplate
from pytest_bdd.scenario import scenario_wrapper_template_registry


def scenario_of(item: pytest.Item) -> ScenarioTemplate | None:
    """The scenario behind a test, or ``None`` for one that was not written in Gherkin."""
    return scenario_wrapper_template_registry.get(item.function) if isinstance(item, pytest.Function) else None


def example_of(item: pytest.Item) -> str:
    """The values of an outline's example, joined; empty for a plain scenario."""
    example = getattr(item, "callspec", None)
    return ", ".join(example.params.get("_pytest_bdd_example", {}).values()) if example else ""
