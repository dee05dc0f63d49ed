"""F12: a revert of main takes the quota and models along, and whatever prunes follows it."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="f12",
    slug="bad_revert",
    title="A revert of main removes what others depend on",
    remedy="revert the revert, and compare what a change leaves with what was there before it is merged",
)
