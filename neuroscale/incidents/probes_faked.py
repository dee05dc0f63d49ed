"""C14: a probe of the portal that asks nobody."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="c14",
    slug="probes_faked",
    title="A probe of the portal is a command that always succeeds: Ready would mean nothing",
    remedy="let the chart say what a probe asks, and the values only how often",
)
