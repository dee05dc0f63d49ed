"""The lint can fail: each of its rules on a tiny specification that breaks it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import specification

from neuroscale.errors import UsageError
from suite import catalogue

_NUMBERS = itertools.count()

STEPS = """
from pytest_bdd import given, parsers, then, when

@given("the kettle is full")
def kettle(): ...

@when(parsers.parse("{who} boils it"))
def boil(who): ...

@then("there is tea")
def tea(): ...
"""

FEATURE = """
@milestone_a
Feature: Tea

  Scenario Outline: Somebody makes tea
    Given the kettle is full
    When <who> boils it
    Then there is tea

    Examples:
      | who   |
      | Ann   |
      | Bob   |
"""


@pytest.fixture
def features(tmp_path: Path) -> Path:
    folder = tmp_path / "features" / "drinks"
    folder.mkdir(parents=True)
    (folder / "tea.feature").write_text(FEATURE, encoding="utf-8")
    return folder.parent


@pytest.fixture
def steps(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a folder of steps; its name is new each time, since modules live as long as the process."""

    def make(source: str) -> Path:
        folder = tmp_path / f"tiny_steps_{next(_NUMBERS)}"
        folder.mkdir()
        (folder / "drinks.py").write_text(source, encoding="utf-8")
        return folder

    return make


def _append(features: Path, text: str) -> None:
    with (features / "drinks" / "tea.feature").open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_sound_specification_passes(features: Path, steps: Callable[[str], Path]) -> None:
    known = specification.definitions(steps(STEPS))
    assert len(known) == 3
    assert specification.unresolved(features, known) == []
    assert specification.unused(features, known) == []
    assert specification.badly_sized(features) == []
    assert specification.machinery(features) == []


def test_a_step_without_definition(features: Path, steps: Callable[[str], Path]) -> None:
    known = specification.definitions(steps(STEPS.replace("there is tea", "there is coffee")))
    complaints = specification.unresolved(features, known)
    assert len(complaints) == 2
    assert 'Then "there is tea" resolves to 0 definitions' in complaints[0]
    assert "'there is coffee' is used by no step" in specification.unused(features, known)[0]


def test_a_step_with_two_definitions(features: Path, steps: Callable[[str], Path]) -> None:
    double = STEPS + '\n@when(parsers.re("Ann .*"))\ndef ann(): ...\n'
    complaints = specification.unresolved(features, specification.definitions(steps(double)))
    assert len(complaints) == 1
    assert 'When "Ann boils it" resolves to 2 definitions' in complaints[0]


def test_a_definition_of_another_type_does_not_count(features: Path, steps: Callable[[str], Path]) -> None:
    wrong = STEPS.replace('@then("there is tea")', '@given("there is tea")')
    assert len(specification.unresolved(features, specification.definitions(steps(wrong)))) == 2


def test_a_name_that_is_there_twice_is_seen_although_pytest_bdd_drops_one(features: Path) -> None:
    _append(features, FEATURE[FEATURE.index("  Scenario") :])
    assert len(specification.templates(features)) == 1
    assert [entry.scenario for entry in catalogue.entries(features)] == ["Somebody makes tea"] * 2


@pytest.mark.parametrize("count", [1, 2, 6, 9])
def test_a_scenario_of_another_size(count: int, features: Path) -> None:
    _append(features, "\n  Scenario: Sized\n" + "    Given the kettle is full\n" * count)
    assert len(specification.badly_sized(features)) == 1


def test_a_background_counts_a_little(features: Path) -> None:
    feature = "Feature: B\n  Background:\n    Given a\n  Scenario: S\n    When b\n    Then c\n"
    (features / "background.feature").write_text(feature, encoding="utf-8")
    assert specification.badly_sized(features) == []
    long = feature.replace("    Given a\n", "    Given a\n    And b\n    And c\n")
    (features / "background.feature").write_text(long, encoding="utf-8")
    assert len(specification.badly_sized(features)) == 1


@pytest.mark.parametrize(
    "step",
    [
        'When kubectl is run with "delete"',
        "When a pod in kube-system is deleted",
        "When everything in argocd is gone",
        'When namespace "models" is deleted',
        "When the label app.kubernetes.io/name is removed",
        "Then argocd.argoproj.io/refresh is set",
        "Then .status.readyReplicas is 1",
        "Then spec.replicas is 1",
        "Then $.items is empty",
        "Then containers[0] is ready",
    ],
)
def test_machinery_in_a_feature(step: str, features: Path) -> None:
    _append(features, f"\n  Scenario: Machinery\n    {step}\n")
    assert len(specification.machinery(features)) >= 1


def test_a_feature_that_nobody_binds_or_two_do(features: Path, tmp_path: Path) -> None:
    binders = tmp_path / "e2e"
    binders.mkdir()
    assert len(specification.badly_bound(features, binders)) == 1
    (binders / "test_a.py").write_text('scenarios("drinks")\n', encoding="utf-8")
    assert specification.badly_bound(features, binders) == []
    (binders / "test_b.py").write_text('scenario("drinks/tea.feature", "Somebody makes tea")\n', encoding="utf-8")
    assert len(specification.badly_bound(features, binders)) == 1


def test_nothing_specified_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds none"):
        catalogue.entries(tmp_path)


def test_the_catalogue_changes_with_the_features(features: Path) -> None:
    before = catalogue.render(catalogue.entries(features))
    assert "| Somebody makes tea | 2 | `@milestone_a` | none yet |" in before
    _append(features, "\n  @smoke\n  Scenario: Another\n    Given the kettle is full\n")
    after = catalogue.render(catalogue.entries(features))
    assert "| Another | 1 | `@milestone_a` `@smoke` | none yet |" in after
