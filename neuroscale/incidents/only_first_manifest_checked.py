"""D4: a policy check in CI passes because it evaluates only the first manifest."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="d4",
    slug="only_first_manifest_checked",
    title="A check of the first manifest only passes a bad folder",
    remedy="judge objects and not files, and count what each policy evaluated",
)
