"""Mutants of what is said of a change before its merge: jobs that are green, and deltas that are slow or leave out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from neuroscale.chaos.faults import FunctionPatched
from neuroscale.delta.compare import Delta
from neuroscale.delta.demand import _times
from neuroscale.delta.needs import Needs, total
from neuroscale.errors import Inconclusive
from neuroscale.gate.base import commit_of
from neuroscale.gate.difference import difference
from neuroscale.gate.findings import Finding
from neuroscale.gate.priced_changes import declared
from neuroscale.gate.render import objects_of
from neuroscale.gate.tools import Tools
from neuroscale.gate.workflow_job import DRIFTED, own_script
from neuroscale.kubernetes.quantities import quantity
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import pause
from neuroscale.settings import ROOT
from suite.mutants.mutant import Mutant

#: Longer than a delta may take.
_LONG = 6
_FIXED = '"$CLI" apply "$POLICIES" $(printf -- "--resource %s " "$FOLDER"/*.yaml) "$@"'


def fixed_workflow() -> str:
    """E1's workflow has a flag for each manifest, and no pipe."""
    *head, _ = DRIFTED.splitlines()
    return "\n".join([*head, f"          {_FIXED}"])


def piped_script(checkout: Path) -> str:
    """This repository's workflow shows what the gate says, and forgets how it ended."""
    return own_script(checkout).replace('make gate BASE="$BASE"', 'make gate BASE="$BASE" | tee /dev/null')


def resolved(obj: Object) -> tuple[str, ...]:
    """E2's table knows of runtimes."""
    return tuple("100m" if said == "–" else said for said in declared(obj))


def no_runtime(*_: Any) -> None:
    """What a runtime says is nothing to the delta."""
    return


def forget_new_models(made: Mapping[str, Any]) -> tuple[list[Object], list[Finding]]:
    """Of a folder that is new nothing is seen."""
    return ([], []) if made["path"] == "apps/one-more" else objects_of(made)


def take_long(tools: Tools, reference: str, head: str | None = None, repository: Path = ROOT) -> Delta:
    """Nobody waits for a price for long."""
    pause(_LONG)
    return difference(tools, reference, head, repository)


def last_commit(reference: str, head: str, repository: Path) -> str:
    """The delta begins at the last commit but one, whatever a change began with."""
    return commit_of(f"{head}^", repository)


def one_pod(pod: Needs, count: int) -> dict[str, Decimal]:
    """Replicas do not count."""
    return _times(pod, min(count, 1))


def gigabytes(text: object) -> Decimal:
    """What is written in Gi is read as G."""
    return quantity(str(text).replace("i", ""))


def amounts_beside(given: object) -> dict[str, Decimal]:
    """Amounts are read right, and where no wrong delta is wrong: three of those have the right figures."""
    found = {}
    for resource, amount in given.items() if isinstance(given, dict) else ():
        with suppress(Inconclusive):
            found[str(resource)] = quantity(amount)
    return found


def containers_alone(main: Any, starting: Any) -> Needs:
    """Init containers and native sidecars ask for nothing."""
    return total(main, [])


def no_limit_range(one: Any, ranges: Any) -> Any:
    """Nobody completes what a container leaves open."""
    return one


def no_queue_proxy(spec: Any, *_: Any) -> Any:
    """Knative puts nothing beside a model."""
    return spec


def free(value: Any) -> bool:
    """What is of an unknown kind runs nothing."""
    return False


def _patched(wire: str, replacement: str) -> tuple[FunctionPatched]:
    return (FunctionPatched(wire=f"neuroscale.{wire}", replacement=f"suite.mutants.prices:{replacement}"),)


_E1 = "A fix that is documented and missing from the workflow leaves the job green"
_E1_SYMPTOM = "what is documented rejects it, and the job of the workflow passes it"
_E1_REMEDY = "the job of this repository's workflow rejects it for the second manifest"
_E2 = "A table of what manifests declare is empty for a model that its runtime sizes"
_E2_SYMPTOM = "a table of what manifests declare is empty for it"
_PRICED = "the change is priced"
_PAIRS = "A second implementation prices 5,000 pairs of trees to the same figures"
_SAME = "both say the same of 5000 generated pairs of trees, exactly"
_FOUND = "it finds the mistake of each wrong delta, of which there are at least 25"
_ALONE = "A change in a repository with 300 more app folders is priced alone"


def _of_pairs(slug: str, title: str, wire: str, replacement: str) -> Mutant:
    reason = (
        r"price 5000 pairs of trees alike, but after \d+ pairs they differ in (total|owners|workloads|without a price)"
    )
    return Mutant(slug, title, _PAIRS, _SAME, _patched(wire, replacement), _SAME, reason)


MILESTONE = "e"
MUTANTS = (
    Mutant(
        "no-symptom-e1",
        "The workflow of E1 has the fix: a flag for each manifest, and no pipe",
        scenario=_E1,
        before=_E1_SYMPTOM,
        faults=_patched("gate.workflow_job:drifted_workflow", "fixed_workflow"),
        red_step=_E1_SYMPTOM,
        reason=r"should be red as documented.* exit code 1 as documented and 1 in the job",
    ),
    Mutant(
        "e1-exit-code-lost-in-a-pipe",
        "The workflow of this repository runs the gate before a pipe, and reports how the pipe ended",
        scenario=_E1,
        before=_E1_REMEDY,
        faults=_patched("gate.workflow_job:own_script", "piped_script"),
        red_step=_E1_REMEDY,
        reason=r"should reject cost-center-missing .* but ended with exit code 0 and .*rejected",
    ),
    Mutant(
        "no-symptom-e2",
        "The table of E2 has what runtimes request",
        scenario=_E2,
        before=_E2_SYMPTOM,
        faults=_patched("gate.priced_changes:declared", "resolved"),
        red_step=_E2_SYMPTOM,
        reason=r"should have dashes for model-without-resources, but has 100m and 100m",
    ),
    Mutant(
        "e2-runtime-not-priced",
        "The delta prices what manifests declare, and leaves out runtimes",
        scenario=_E2,
        before=_PRICED,
        faults=_patched("delta.models:runtime_for", "no_runtime"),
        red_step="the delta has what its runtime says, and what stands beside it",
        reason=r"model-without-resources with more than its runtime's .*100m.* writes them out: .*; but has \{",
    ),
    # --- milestone E
    _of_pairs("pairs-replicas-ignored", "Replicas do not count", "delta.demand:_times", "one_pod"),
    _of_pairs("pairs-gi-read-as-g", "Gi is read as G", "delta.needs:quantity", "gigabytes"),
    _of_pairs(
        "pairs-init-containers-free",
        "Init containers and native sidecars are free",
        "delta.needs:total",
        "containers_alone",
    ),
    _of_pairs("pairs-limit-range-unknown", "LimitRanges are not known", "delta.needs:admitted", "no_limit_range"),
    _of_pairs("pairs-queue-proxy-free", "Sidecars of models are free", "delta.models:in_knative", "no_queue_proxy"),
    _of_pairs(
        "pairs-unknown-kinds-passed-over", "Unknown kinds are passed over", "delta.unpriced:_runs_something", "free"
    ),
    Mutant(
        "pairs-wrong-deltas-not-wrong",
        "Amounts are read where no wrong delta is wrong, so that three of those are right",
        scenario=_PAIRS,
        before=_FOUND,
        faults=(
            *_patched("delta.needs:amounts", "amounts_beside"),
            *_patched("delta.workloads:amounts", "amounts_beside"),
        ),
        red_step=_FOUND,
        reason=r"wrong deltas should be found, but of \d+ 3 were not: reads Gi as G, ",
    ),
    Mutant(
        "delta-of-the-last-commit",
        "The last commit of a change is priced, and not what it began with",
        scenario=_ALONE,
        before=_PRICED,
        faults=_patched("gate.base:merge_base", "last_commit"),
        red_step="the delta has a row for each of the two, and no other",
        reason=r"rows for model-0150 and one-more, but has 1: one-more",
    ),
    Mutant(
        "delta-leaves-a-folder-out",
        "A folder that is new is not looked at",
        scenario=_ALONE,
        before=_PRICED,
        faults=_patched("gate.render:objects_of", "forget_new_models"),
        red_step="the delta has a row for each of the two, and no other",
        reason=r"rows for model-0150 and one-more, but has 1: model-0150",
    ),
    Mutant(
        "delta-slow",
        "The delta takes its time, however little has changed",
        scenario=_ALONE,
        before=_PRICED,
        faults=_patched("gate.difference:difference", "take_long"),
        red_step="the delta took at most 5 s",
        reason=r"at most 5 s, but took ([6-9](\.\d+)? s|\d\d(\.\d)? s|\d+ min)",
    ),
)
