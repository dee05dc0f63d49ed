"""Past and feared outages, replayed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_bdd import parsers, then, when

from neuroscale import incidents
from neuroscale.chaos.breakage import Breakage
from neuroscale.gitops import drift_scenarios
from neuroscale.incidents import Incident
from neuroscale.results import Sample

Keep = Callable[[Sample], None]


@when(parsers.parse('the incident "{slug}" begins'), target_fixture="incident")
def the_incident_begins(slug: str, breakage: Breakage) -> Incident:
    return incidents.begin(slug, breakage)


@then("its symptom shows")
def its_symptom_shows(incident: Incident, breakage: Breakage) -> None:
    incidents.wait_for_symptom(incident, breakage.platform)


@then("drift is not corrected meanwhile")
def drift_is_not_corrected(breakage: Breakage) -> None:
    drift_scenarios.stays_broken(drift_scenarios.make("deletes the ConfigMap", breakage), breakage.platform)


@then("the platform recovers within its budget once the incident is resolved")
def the_platform_recovers(incident: Incident, breakage: Breakage, request: pytest.FixtureRequest, sample: Keep) -> None:
    incidents.resolve(incident, breakage, request.node.name, sample)
