"""Mutants of the agreement between admission, the gate and the oracle: each of them says something else."""

from __future__ import annotations

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.guardrails.oracle import ROOT_USER
from suite.mutants.bypasses import DEPLOYMENTS_ONLY, edited
from suite.mutants.mutant import Mutant

_SCENARIO = "The corpus gets the same verdict from admission, the gate and the oracle"
_JUDGED = "every object of the corpus is judged by the gate and submitted in a dry run"
_AGREE = "admission, the gate and the oracle agree on each object"


def _gate(wire: str, replacement: str) -> FunctionPatched:
    return FunctionPatched(wire=f"neuroscale.gate.{wire}", replacement=f"suite.mutants.gate:{replacement}")


MILESTONE = "d"
MUTANTS = (
    Mutant(
        "agreement-admission-looser",
        "On the cluster the policy about root matches Deployments only",
        scenario=_SCENARIO,
        before=_JUDGED,
        faults=edited(ROOT_USER, DEPLOYMENTS_ONLY),
        red_step=_AGREE,
        reason=rf"job-\S*root, Job \S+ should be rejected by policy \({ROOT_USER}\), but is admitted",
        hold=5,
    ),
    Mutant(
        "agreement-gate-cut-off",
        "Half of what the gate's policy engine says is lost",
        scenario=_SCENARIO,
        before=_JUDGED,
        faults=(_gate("policy:ask", "half_an_answer"),),
        red_step=_AGREE,
        reason=r"the gate rejects it by nothing, the oracle by \S",
    ),
    Mutant(
        "agreement-first-object",
        "Only the first object of a folder is judged and submitted",
        scenario=_SCENARIO,
        before=_JUDGED,
        faults=(_gate("render:objects_of", "first_object"),),
        red_step="of each stage as many manifests were submitted and rejected as the corpus says",
        reason=r"stage policy: (\d+) submitted and \d+ rejected, for \1 and \1",
    ),
    Mutant(
        "agreement-not-validated",
        "Whatever fits its schema is taken for what the API server creates",
        scenario="What one change makes invalid is invalid for the gate as it is for the API server",
        before="good objects with one change each are judged by the gate and submitted in a dry run",
        faults=(_gate("api_validation:ask", "nothing_invalid"),),
        red_step="at least 150 of them are invalid, the same for the gate and the API server",
        reason=r"env bad name: the gate finds nothing, the API server says: .*env\[0\]\.name: Invalid value",
    ),
)
