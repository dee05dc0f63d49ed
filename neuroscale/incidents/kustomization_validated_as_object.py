"""D7: a schema check in CI rejects files that are no Kubernetes objects."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="d7",
    slug="kustomization_validated_as_object",
    title="A check that takes every file for an object rejects a valid folder",
    remedy="render first, and validate what comes out",
)
