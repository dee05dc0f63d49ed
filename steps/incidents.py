"""Past and feared outages, replayed."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from neuroscale import incidents
from neuroscale.chaos.breakage import Breakage
from neuroscale.cluster.state import present_milestones
from neuroscale.gitops import drift_scenarios
from neuroscale.gitops.drift_scenarios import Drifted
from neuroscale.incident_match import keep_match
from neuroscale.incidents import INCIDENTS, Incident, Remedy
from neuroscale.platform import Platform
from neuroscale.results import Recorder


@given(parsers.parse('the incident "{slug}" has happened'), target_fixture="incident")
@when(parsers.parse('the incident "{slug}" happens'), target_fixture="incident")
def the_incident_happens(slug: str, breakage: Breakage) -> Incident:
    return incidents.begin(slug, breakage)


@then(parsers.parse("an operator sees that {symptom}"))
def an_operator_sees(symptom: str, incident: Incident, platform: Platform, recorder: Recorder) -> None:
    incidents.assert_described("symptom", symptom, incident.sees)
    incidents.wait_for_symptom(incident, platform)
    keep_match(incident, INCIDENTS.values(), platform, present_milestones(), recorder)


@then("nothing corrects the drift")
def nothing_corrects_the_drift(drifted: Drifted, platform: Platform) -> None:
    drift_scenarios.stays_broken(drifted, platform)


@when(parsers.parse("the remedy is applied: {remedy}"), target_fixture="applied")
def the_remedy_is_applied(remedy: str, incident: Incident, breakage: Breakage) -> Remedy:
    incidents.assert_described("remedy", remedy, incident.remedy)
    return incidents.apply_remedy(incident, breakage)


@then(parsers.parse("the platform is back in its steady state within {slo:d} s"))
def the_platform_recovers(slo: int, applied: Remedy, platform: Platform, recorder: Recorder) -> None:
    incidents.assert_described("recovery SLO", slo, applied.incident.recovers_within)
    incidents.wait_for_recovery(applied, platform, recorder)
