"""What the incidents of milestone C commit: each changes the portal's values as it says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from neuroscale.chaos.faults import Committed
from neuroscale.errors import FaultHadNoEffect
from neuroscale.incidents import INCIDENTS
from neuroscale.incidents.portal_values import VALUES
from neuroscale.settings import ROOT

TEXT = (ROOT / VALUES).read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "infrastructure/backstage/chart/values.schema.json").read_text(encoding="utf-8"))
COMMITTED = {
    incident.number: fault
    for incident in INCIDENTS.values()
    for fault in incident.faults
    if isinstance(fault, Committed) and VALUES in fault.replaced
}
CHANGED = {
    "c2": {"backstage.appConfig.auth.providers.guest": None},
    "c12": {"backstage.appConfig.backend.listen": "127.0.0.1:7007"},
    "c13": {"backstage.resources.requests.memory": "128Mi", "backstage.resources.limits.memory": "128Mi"},
}


def changes(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Path -> new value, for each value that is another one."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from changes(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif before != after:
        yield path, after


@pytest.mark.parametrize("number", COMMITTED)
def test_the_values_are_changed_as_the_incident_says(number: str) -> None:
    """A schema that refused them would make it another incident: one of the gate's."""
    text = COMMITTED[number].contents({VALUES: TEXT})[VALUES]
    values = yaml.safe_load(text or "")
    assert dict(changes(yaml.safe_load(TEXT), values)) == CHANGED[number]
    jsonschema.validate(values, SCHEMA)


def test_each_incident_of_the_values_is_asked_about() -> None:
    assert set(COMMITTED) == set(CHANGED)


@pytest.mark.parametrize(("old", "count"), [("no such line", 0), ("baseUrl: ", 3)])
def test_a_text_that_is_not_there_once_is_not_replaced(old: str, count: int) -> None:
    """A change that changes nothing, or more than was meant, would be an incident that does not happen."""
    fault = Committed(message="Change it", files={}, replaced={VALUES: [(old, "another")]})
    with pytest.raises(FaultHadNoEffect, match=rf"should hold '{old}' once, but holds it {count} times"):
        fault.contents({VALUES: TEXT})


def test_each_replacement_sees_the_one_before() -> None:
    fault = Committed(message="Change it", files={}, replaced={"a": [("one", "two"), ("two", "three")]})
    assert fault.paths == ["a"]
    assert fault.contents({"a": "one\n"}) == {"a": "three\n"}
