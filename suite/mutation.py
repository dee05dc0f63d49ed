"""``pytest --mutant SLUG``: run the one check that must catch a mutant, with the mutant in place.

The kill matrix (``make kill-matrix``) calls this once for each mutant and judges what came of it.
"""

from __future__ import annotations

import pytest
from pytest_bdd.parser import Feature, Scenario, Step

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.journal import Journal
from neuroscale.cluster.state import load_state
from neuroscale.polling import pause
from suite import mutants
from suite.scenarios import example_of, scenario_of


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("neuroscale").addoption(
        "--mutant", metavar="SLUG", help="break the platform so that one check must go red"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the scenario that the mutant is meant for."""
    if not config.option.mutant:
        return
    mutant = mutants.by_slug(config.option.mutant)
    chosen = [item for item in items if _is(item, mutant)]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_bdd_before_step(request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: Step) -> None:
    """Put the mutant in place right before the step it names."""
    slug = request.config.option.mutant
    if not slug or step.name != (mutant := mutants.by_slug(slug)).before:
        return
    # Asked for first: a scenario of the CI gate has no platform of its own.
    platform = request.getfixturevalue("platform")
    state = load_state()
    assert state is not None, "the platform fixture made it"
    breakage = Breakage(platform, Journal.of(state.nonce))
    request.node.addfinalizer(lambda: breakage.__exit__(None, None, None))
    for fault in mutant.faults:
        breakage.inject(fault)
    pause(mutant.hold)


def _is(item: pytest.Item, mutant: mutants.Mutant) -> bool:
    scenario = scenario_of(item)
    return scenario is not None and scenario.name == mutant.scenario and mutant.example in example_of(item)
