"""F4: the portal's values of production are laid over those of development, whose guest stays."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="f4",
    slug="layered_values",
    title="A guest of development gets into production where values are layered",
    remedy="use the values of production alone, and reject a guest in what is rendered",
)
