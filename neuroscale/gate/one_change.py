"""Good objects with one change each: what the gate finds invalid of them, beside what the live API server answers.

Nobody wrote down which of them are invalid (``corpus/changes.yaml``): that only the API server says.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ConditionTimeout
from neuroscale.gate import api_validation
from neuroscale.gate.schema import Schemas
from neuroscale.gate.tools import Tools
from neuroscale.guardrails.admission import AdmissionResponse, submit
from neuroscale.guardrails.corpus import CORPUS
from neuroscale.kubernetes.refs import Object
from neuroscale.results import Recorder

_FILE = CORPUS / "changes.yaml"
_SHOWN = 8


@dataclass(frozen=True)
class Changed:
    """An object with a change, and what the two say of it.

    Attributes:
        gate: What the gate has against it; empty: it is valid. Each begins with the field.
        live: What the API server answered.
    """

    name: str
    gate: tuple[str, ...]
    live: AdmissionResponse

    @property
    def invalid(self) -> bool:
        """Whether it is for the API server, before a policy or a webhook is asked."""
        return self.live.outcome == "rejected otherwise" and self.live.invalid


def objects() -> dict[str, Object]:
    """Change -> the object with it."""
    data = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    found: dict[str, Object] = {f"{kind}, as it is": obj for kind, obj in data["bases"].items()}
    for kind, changes in data["changes"].items():
        found |= {f"{kind}, {name}": _with(data["bases"][kind], change) for name, change in changes.items()}
    found |= data["wholes"]
    return found


def _with(base: Object, change: dict[str, Any]) -> Object:
    obj = copy.deepcopy(base)
    for path, value in change.items():
        *way, last = path.split(".")
        there: Any = obj
        for step in way:
            there = there[int(step)] if isinstance(there, list) else there.setdefault(step, {})
        if value is None:
            del there[last]
        else:
            there[last] = value
    return obj


def judge_changes(tools: Tools, cluster: Cluster, recorder: Recorder) -> list[Changed]:
    """Each of them by the gate, whose definitions are those of the cluster here, and by the API server in a dry run.

    Raises:
        Inconclusive: The gate's engine failed.
    """
    all_of_them, definitions = objects(), cluster.list("CustomResourceDefinition")
    against = _by_gate(tools, all_of_them, definitions)
    at, start = datetime.now(UTC), time.monotonic()
    changed = [Changed(name, against[name], submit(cluster, obj)) for name, obj in all_of_them.items()]
    recorder.figure(
        claim="validation-agrees",
        fault=f"{len(changed)} objects with one change each are submitted in a dry run",
        subject="corpus",
        series="objects with one change, submitted",
        at=at,
        seconds=round(time.monotonic() - start, 3),
        facts={"objects": len(changed), "invalid": sum(one.invalid for one in changed)},
    )
    return changed


def _by_gate(tools: Tools, found: dict[str, Object], definitions: list[Object]) -> dict[str, tuple[str, ...]]:
    schemas = Schemas(definitions)
    against = {name: tuple(one.description for one in schemas.findings("corpus", obj)) for name, obj in found.items()}
    left = [name for name, said in against.items() if not said]
    validated = api_validation.complaints(tools.judge, [found[name] for name in left], definitions)
    return against | dict(zip(left, map(tuple, validated), strict=True))


def assert_same(changed: Collection[Changed], at_least: int) -> None:
    """Both find the same of them invalid, and enough of them.

    Raises:
        ConditionTimeout: They do not.
    """
    wrong = [said for one in changed if (said := _difference(one))]
    invalid = sum(one.invalid for one in changed)
    if invalid < at_least:
        wrong.append(f"{invalid} are invalid for the API server, and at least {at_least} should be")
    if wrong:
        raise ConditionTimeout(
            f"The gate and the API server should find the same of {len(changed)} objects invalid, but "
            f"{len(wrong)} times they do not: {'; '.join(wrong[:_SHOWN])}. Next: pytest -m agreement"
        )


def _difference(one: Changed) -> str:
    if one.invalid and not one.gate:
        return f"{one.name}: the gate finds nothing, the API server says: {one.live.said:.200}"
    if one.gate and not one.invalid:
        return f"{one.name}: the gate says: {one.gate[0]:.200}, the API server: {one.live.said or 'it is admitted'}"
    return ""
