"""What mutants make of the gate's Job on ``main``, which judges every pull request from then on."""

from __future__ import annotations

from neuroscale.chaos.faults import Committed

_JOB = "infrastructure/pull-requests/job/job.yaml"


def gate_job(message: str, old: str, new: str) -> tuple[Committed]:
    """The Job's manifest, with another text in place of one that it has once."""
    return (Committed(message=message, files={}, replaced={_JOB: [(old, new)]}),)


def judging_otherwise(message: str, change: str) -> tuple[Committed]:
    """The Job judges as its image does it, but for a change of the module ``judge``, in one statement."""
    program = (
        f"import sys, neuroscale.pull_request_checks.judge as judge; {change}; "
        "from neuroscale.pull_request_checks.__main__ import app; sys.argv = ['gate', 'judge']; app()"
    )
    return gate_job(message, "args: [judge]", f'command: [python3.11, -c, "{program}"]')
