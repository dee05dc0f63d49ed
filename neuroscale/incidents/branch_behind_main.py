"""C10: a branch knows nothing of a later commit of main that changes the same."""

from neuroscale.incidents.gate_incident import GateIncident

INCIDENT = GateIncident(
    number="c10",
    slug="branch_behind_main",
    title="A pull request is behind main, and both change the same line: a fix does not get where it should",
    remedy="fetch, rebase the branch on main, and push it again",
    needs="pull requests on a cluster",
)
