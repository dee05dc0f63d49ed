"""No step says something and does nothing; and one that does is found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hollow_steps import Source, hollow

from neuroscale.settings import ROOT

LIBRARY = """
from neuroscale.polling import eventually
from neuroscale.errors import ConditionTimeout

def ask(kettle):
    return lambda: kettle.temperature

def boil(kettle, breakage):
    breakage.inject(kettle)

def wait(kettle):
    eventually(ask(kettle), within=1)

def assert_hot(kettle):
    pass

def assert_full(kettle):
    if not kettle:
        raise ConditionTimeout("empty")

class Kitchen:
    def brew(self, breakage):
        boil(self, breakage)
"""
STEPS = """
from pytest_bdd import given, parsers, then, when
from drinks import kettle as kettles
from drinks.kettle import Kitchen, ask

@given("a kettle")
def a_kettle(): ...

@when("it boils")
def it_boils(kettle, breakage):
    kettles.boil(kettle, breakage)

@when("somebody brews tea")
def somebody_brews(breakage):
    Kitchen().brew(breakage)

@then("it is hot in the end")
def it_is_hot(kettle):
    kettles.wait(kettle)

@then("it is full")
def it_is_full(kettle):
    kettles.assert_full(kettle)
"""


def planted(tmp_path: Path, more: str = "") -> Source:
    """Steps of a made-up kitchen, and its library."""
    for package, name, text in (("drinks", "kettle", LIBRARY), ("tea", "steps", STEPS + more)):
        (tmp_path / package).mkdir()
        (tmp_path / package / f"{name}.py").write_text(text, encoding="utf-8")
    return Source(tmp_path / "tea", tmp_path / "drinks")


def test_no_step_is_hollow() -> None:
    source = Source(ROOT / "steps", ROOT / "neuroscale")
    found = hollow(source)
    counts = Counter(kind for kind, _ in source.steps)
    print(f"{counts['when']} When and {counts['then']} Then: {len(found)} hollow")
    assert found == []
    assert min(counts.values()) >= 20


def test_steps_that_act_and_observe_are_not_hollow(tmp_path: Path) -> None:
    source = planted(tmp_path)
    assert len(source.steps) == 4
    assert hollow(source) == []


@pytest.mark.parametrize(
    "step",
    [
        '@when("the kettle is looked at")\ndef looked_at(kettle):\n    return ask(kettle)\n',
        '@when(parsers.parse("the {kettle} is named"))\ndef named(kettle):\n    return kettles.ask(kettle)\n',
        '@then("it is hot at last")\ndef hot(kettle):\n    kettles.assert_hot(kettle)\n',
        '@when("the remedy is known")\ndef known(incident):\n    return incident.remedy\n',
        '@then("nothing")\ndef nothing(kettle):\n    pass\n',
    ],
)
def test_a_hollow_step_is_found(step: str, tmp_path: Path) -> None:
    (complaint,) = hollow(planted(tmp_path, step))
    assert "reaches nothing that" in complaint
