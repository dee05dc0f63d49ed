"""E1: a fix is written into the pages and never into the workflow, and the job stays green on bad input."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="e1",
    slug="fix_documented_only",
    title="A fix that is documented and missing from the workflow leaves the job green on bad input",
    remedy="run what the workflow itself types on a bad change, and ask for a red job",
)
