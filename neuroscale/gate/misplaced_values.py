"""Values that the portal's chart has no place for, as the reference platform's incidents C4 and C14 had them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
_PROBE = "readinessProbe: {"
_LINE = f"{_KEY}: {{periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 60}}\n"


@dataclass(frozen=True)
class Misplaced:
    """A file of values with a key where the chart knows none.

    Attributes:
        values: The file.
        before: The same without the key.
        key: Its name.
    """

    values: Path
    before: Path
    key: str


def put_one_level_too_high(copy: Path) -> Misplaced:
    """Write the startup probe at the top of the portal's values."""
    return _changed(copy, _KEY, lambda text: text + _LINE)


def fake_probe(copy: Path) -> Misplaced:
    """Let the portal's readiness probe be a command that always succeeds."""
    return _changed(copy, "exec", lambda text: text.replace(_PROBE, f"{_PROBE}exec: {{command: ['true']}}, ", 1))


def _changed(copy: Path, key: str, change: Callable[[str], str]) -> Misplaced:
    values = copy / _PORTAL / "values.yaml"
    before = Path(shutil.copyfile(values, values.with_suffix(".before")))
    values.write_text(change(before.read_text(encoding="utf-8")), encoding="utf-8")
    return Misplaced(values, before, key)


def is_ignored_without_schema(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    """C4's symptom: a chart without a schema makes the same objects as before, and nobody is told.

    Raises:
        ConditionTimeout: It makes others.
    """
    with _without_schema(copy) as chart:
        with_key, without = tools.chart(chart, [misplaced.values]), tools.chart(chart, [misplaced.before])
    if with_key != without or not without:
        raise ConditionTimeout(
            f"A chart without a schema should ignore {_KEY} one level too high, but makes {len(with_key)} others. "
            "Next: pytest -m gate"
        )


@contextmanager
def _without_schema(copy: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="neuroscale-reference-") as name:
        chart = Path(name) / "backstage"
        shutil.copytree(copy / _CHART, chart, ignore=shutil.ignore_patterns(_SCHEMA))
        yield chart


def asks_in_two_ways(tools: Tools, copy: Path, misplaced: Misplaced) -> None:
    """C14 here: a chart without a schema makes a probe that asks the portal and does not, which no API server takes.

    Raises:
        ConditionTimeout: It makes another one.
    """
    with _without_schema(copy) as chart:
        objects = tools.chart(chart, [misplaced.values])
    (portal,) = (one for one in objects if one["kind"] == "Deployment")
    (container,) = portal["spec"]["template"]["spec"]["containers"]
    ways = sorted({"exec", "httpGet"} & set(container["readinessProbe"]))
    if ways != ["exec", "httpGet"]:
        raise ConditionTimeout(
            f"A chart without a schema should make a probe that asks by exec and httpGet, but it asks by {ways}. "
            "Next: pytest -m gate"
        )


def is_rejected(answer: GateOutput, key: str) -> None:
    """The gate rejects the chart with these values, names the key, and finds nothing else.

    Raises:
        ConditionTimeout: It does not.
    """
    found = [(one.stage, one.where) for one in answer.result.findings]
    named = any(f"'{key}'" in said for said in answer.why)
    if answer.code != ExitCode.FAILED or found != [("render", str(_CHART))] or not named:
        raise ConditionTimeout(
            f"The gate should reject {_CHART} for {key} in the wrong place and nothing else, but ended with {answer}. "
            "Next: pytest -m gate"
        )
