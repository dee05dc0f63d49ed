"""Values of the portal's chart in the wrong place, as the reference platform's incident C4 had them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from neuroscale.errors import ConditionTimeout, ExitCode
from neuroscale.gate.assertions import GateOutput
from neuroscale.gate.tools import Tools

_PORTAL = Path("infrastructure/backstage")
_CHART = _PORTAL / "chart"
_SCHEMA = "values.schema.json"
#: A start that the portal needs and does not get: the key belongs below ``backstage``.
_KEY = "startupProbe"
_LINE = f"{_KEY}: {{periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 60}}\n"


@dataclass(frozen=True)
class Misplaced:
    """A file of values with a key one level too high.

    Attributes:
        values: The file.
        before: The same without the key.
    """

    values: Path
    before: Path


def put_one_level_too_high(copy: Path) -> Misplaced:
    """Write the startup probe at the top of the portal's values."""
    values = copy / _PORTAL / "values.yaml"
    before = Path(shutil.copyfile(values, values.with_suffix(".before")))
    values.write_text(before.read_text(encoding="utf-8") + _LINE, encoding="utf-8")
    return Misplaced(values, before)


def is_ignored_without_schema(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    """C4's symptom: a chart without a schema makes the same objects as before, and nobody is told.

    Raises:
        ConditionTimeout: It makes others.
    """
    with TemporaryDirectory(prefix="neuroscale-reference-") as name:
        chart = Path(name) / "backstage"
        shutil.copytree(copy / _CHART, chart, ignore=shutil.ignore_patterns(_SCHEMA))
        with_key, without = tools.chart(chart, [misplaced.values]), tools.chart(chart, [misplaced.before])
    if with_key != without or not without:
        raise ConditionTimeout(
            f"A chart without a schema should ignore {_KEY} one level too high, but makes {len(with_key)} others. "
            "Next: pytest -m gate"
        )


def is_rejected(answer: GateOutput) -> None:
    """The gate rejects the chart with these values, names the key, and finds nothing else.

    Raises:
        ConditionTimeout: It does not.
    """
    found = [(one.stage, one.where) for one in answer.result.findings]
    named = any(f"'{_KEY}'" in said for said in answer.why)
    if answer.code != ExitCode.FAILED or found != [("render", str(_CHART))] or not named:
        raise ConditionTimeout(
            f"The gate should reject {_CHART} for {_KEY} one level too high and nothing else, but ended with {answer}. "
            "Next: pytest -m gate"
        )
