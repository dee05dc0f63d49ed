"""E2: a table of costs has nothing for models, since their manifests leave resources to a runtime."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="e2",
    slug="cost_table_empty",
    title="The cost table is empty for a model that leaves its resources to its runtime",
    remedy="price what the scheduler will see, runtimes and sidecars included, and not what a manifest says",
)
