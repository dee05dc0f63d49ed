"""The rules of the form, beside the template that is to say the same, and the forms that are made to try it."""

from __future__ import annotations

import random
from typing import Any

import jsonschema
import pytest
import yaml

from neuroscale.local_portal.form_rules import DEFAULTS, FIELDS, broken_fields, completed
from neuroscale.local_portal.generated_forms import HOSTILE, any_form, each_hostile, good, trap_names
from neuroscale.settings import ROOT

TEMPLATE = ROOT / "backstage" / "templates" / "model-endpoint" / "template.yaml"
GOOD: dict[str, object] = {
    "name": "iris-3",
    "owner": "ml-platform",
    "costCenter": "cc-ml",
    "modelFormat": "sklearn",
    "storageUri": "http://models.example.org/iris/1.0.0/model.joblib",
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The form's page; to JavaScript ``$`` is the end, to Python also the place before a last line break."""
    text = TEMPLATE.read_text(encoding="utf-8")
    (page,) = yaml.load(text, Loader=yaml.CSafeLoader)["spec"]["parameters"]
    for field in page["properties"].values():
        if "pattern" in field:
            assert field["pattern"].endswith("$")
            field["pattern"] = field["pattern"][:-1] + r"\Z"
    return dict(page)


def complaints(schema: dict[str, Any], form: dict[str, object]) -> set[str]:
    found = set()
    for error in jsonschema.Draft7Validator(schema).iter_errors(form):
        if error.path:
            found.add(str(error.path[0]))
        elif error.validator == "required":
            found |= set(error.validator_value) - set(form)
        else:
            found |= set(form) - set(schema["properties"])
    return found


def test_a_form_with_all_that_must_be_there_is_good() -> None:
    assert broken_fields(GOOD) == set()
    assert completed(GOOD) == GOOD | DEFAULTS
    assert completed({**GOOD, "cpu": 100.0})["cpu"] == 100


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"name": "Iris"}, {"name"}),
        ({"name": "a" * 40}, {"name"}),
        ({"name": "kubernetes"}, {"name"}),
        ({"name": "neuroscale-x"}, {"name"}),
        ({"owner": "root", "costCenter": None}, {"owner", "costCenter"}),
        ({"cpu": 49}, {"cpu"}),
        ({"cpu": True}, {"cpu"}),
        ({"memory": "512"}, {"memory"}),
        ({"memory": 512.5}, {"memory"}),
        ({"storageUri": "http://host"}, {"storageUri"}),
        ({"storageUri": "http://user@host/a"}, {"storageUri"}),
        ({"constructor": "a"}, {"constructor"}),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], broken: set[str]) -> None:
    assert broken_fields({**GOOD, **change}) == broken


@pytest.mark.parametrize("field", ["name", "owner", "costCenter", "modelFormat", "storageUri"])
def test_what_must_be_there_is_missed(field: str) -> None:
    assert broken_fields({name: value for name, value in GOOD.items() if name != field}) == {field}


def test_the_template_and_the_rules_agree_on_forms_that_nobody_wrote(schema: dict[str, Any]) -> None:
    chance = random.Random(16)  # noqa: S311 - test data
    forms = [any_form(chance) for _ in range(3000)]
    assert [form for form in forms if complaints(schema, form) != broken_fields(form)] == []
    good_ = sum(not broken_fields(form) for form in forms)
    assert 0.15 < good_ / len(forms) < 0.6


def test_good_forms_are_good_and_their_names_traps() -> None:
    chance = random.Random(16)  # noqa: S311 - test data
    assert [form for form in (good(chance) for _ in range(2000)) if broken_fields(form)] == []
    assert [name for name in trap_names() if broken_fields(good(chance, name))] == []
    assert sum(not isinstance(yaml.load(name, Loader=yaml.CSafeLoader), str) for name in trap_names()) > 5


def test_each_hostile_form_is_wrong_in_its_field_alone() -> None:
    forms = list(each_hostile())
    assert [(field, form[field]) for field, form in forms if broken_fields(form) != {field}] == []
    assert {field for field, _ in forms} == set(FIELDS)
    assert len(forms) == 3 * len(HOSTILE)


def test_what_every_object_of_javascript_has_is_no_name_of_a_field(schema: dict[str, Any]) -> None:
    """The portal's validator takes ``constructor`` for a property that the schema knows."""
    assert set(schema["propertyNames"]["enum"]) == set(schema["properties"]) == set(FIELDS)


def test_a_name_is_text_in_what_is_rendered() -> None:
    for file in (TEMPLATE.parent / "skeleton").iterdir():
        assert 'name: "${{ values.name }}"\n' in file.read_text(encoding="utf-8")
