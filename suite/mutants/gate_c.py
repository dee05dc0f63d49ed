"""Mutants of the gate's scenarios about the portal's chart, which need Helm."""

from __future__ import annotations

from pathlib import Path

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.gate.engine import Engine
from neuroscale.gate.findings import Finding, Tree
from neuroscale.gate.render import render
from neuroscale.host.programs import output
from suite.mutants.mutant import Mutant

_C4 = "Values one level too high are ignored without a word"
_C14, _TWO_KINDS = (
    "A probe that asks nobody is no value of the chart",
    "a chart without a schema makes a probe of two kinds",
)
_F4 = "A guest of development gets into production where values are layered"
_ADMITTED, _SEEN, _ALONE = (
    "the portal that comes of both lets a guest in from anywhere",
    "the rules of production reject it for that",
    "of the values of production alone comes a portal without a guest",
)
_SYMPTOM, _REJECTED = "a chart without a schema renders as before", "the gate rejects the chart for that key"


def render_without_schemas(engine: Engine, root: Path) -> tuple[Tree, list[Finding]]:
    """Charts take whatever values they are given."""
    for schema in root.rglob("values.schema.json"):
        schema.unlink()
    return render(engine, root)


def count_each_rendering(command: list[str], *, within: float) -> str:
    """Of two renderings the first has an object more."""
    made = output(command, within=within)
    return made if command[-1].endswith(".before") else f"{made}\n---\n{{apiVersion: v1, kind: ConfigMap}}\n"


def leave_commands_out(command: list[str], *, within: float) -> str:
    """Of a probe what asks the portal is left."""
    return output(command, within=within).replace("exec:", "run:")


def without_guests(command: list[str], *, within: float) -> str:
    """The file of development names no guest."""
    return output(command, within=within).replace("guest:", "nobody:")


def with_a_guest(command: list[str], *, within: float) -> str:
    """A guest in place of whoever has an account."""
    return output(command, within=within).replace("oidc:", "guest:")


def _patched(replacement: str) -> FunctionPatched:
    return FunctionPatched(wire="neuroscale.gate.helm:output", replacement=f"suite.mutants.gate_c:{replacement}")


_NO_SCHEMAS = FunctionPatched(
    wire="neuroscale.gate.pipeline:render", replacement="suite.mutants.gate_c:render_without_schemas"
)

MILESTONE = "c"
MUTANTS = (
    Mutant(
        "no-symptom-c4",
        "The key that stands one level too high changes what is rendered",
        scenario=_C4,
        before=_SYMPTOM,
        faults=(_patched("count_each_rendering"),),
        red_step=_SYMPTOM,
        reason=r"should ignore startupProbe .* but makes \d+ others",
    ),
    Mutant(
        "c4-schema-ignored",
        "The gate renders the chart without asking its schema",
        scenario=_C4,
        before=_REJECTED,
        faults=(_NO_SCHEMAS,),
        red_step=_REJECTED,
        reason=r"should reject infrastructure/backstage/chart .* but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "no-symptom-c14",
        "The command does not get into the probe",
        scenario=_C14,
        before=_TWO_KINDS,
        faults=(_patched("leave_commands_out"),),
        red_step=_TWO_KINDS,
        reason=r"should make a probe that asks by exec and httpGet, but it asks by \['httpGet'\]",
    ),
    Mutant(
        "c14-schema-ignored",
        "The gate renders the chart without asking its schema",
        scenario=_C14,
        before=_REJECTED,
        faults=(_NO_SCHEMAS,),
        red_step=_REJECTED,
        reason=r"should reject infrastructure/backstage/chart .* but ended with exit code 0 and nothing was found",
    ),
    Mutant(
        "no-symptom-f4",
        "No guest is left where values are layered",
        scenario=_F4,
        before=_ADMITTED,
        faults=(_patched("without_guests"),),
        red_step=_ADMITTED,
        reason=r"should come a guest beside oidc, .* but there come",
    ),
    Mutant(
        "f4-guest-not-seen",
        "The rules of production find everything well",
        scenario=_F4,
        before=_SEEN,
        faults=(
            FunctionPatched(
                wire="neuroscale.gate.production.rules:judge",
                replacement="suite.mutants.production:let_everything_pass",
            ),
        ),
        red_step=_SEEN,
        reason=r"portal-without-guest should reject the guest of development, but says that it is well",
    ),
    Mutant(
        "f4-guest-in-production",
        "The file of production names a guest itself",
        scenario=_F4,
        before=_ALONE,
        faults=(_patched("with_a_guest"),),
        red_step=_ALONE,
        reason=r"should accept values-prod.yaml alone, but says nobody should get in .* guest",
    ),
)
