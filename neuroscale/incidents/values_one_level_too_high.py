"""C4: probes and limits of the portal stand one level too high in its values, and are ignored."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="c4",
    slug="values_one_level_too_high",
    title="Values one level too high are ignored without a word",
    remedy="give the chart a schema that knows every value and refuses all others",
)
