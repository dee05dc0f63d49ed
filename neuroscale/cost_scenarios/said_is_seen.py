"""Workloads are proposed, priced by the gate and merged; then their pods ask for what was said, to the byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import PullRequestProposed
from neuroscale.cost_scenarios.said import Row, read
from neuroscale.cost_scenarios.seen import Pods, called, look, total
from neuroscale.cost_scenarios.shapes import workload
from neuroscale.errors import Inconclusive, PreconditionFailed
from neuroscale.fresh_names import fresh_name
from neuroscale.golden_path import proposals
from neuroscale.kubernetes.quantities import quantity, readable
from neuroscale.kubernetes.refs import Object
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, eventually, met, pending, unrecoverable
from neuroscale.probes import pull_requests
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.settings import BUDGETS

#: From the merge until all that it brought runs: as long as a platform may take to be well again.
_RUNS_WITHIN = BUDGETS.recover


@dataclass(frozen=True)
class Asked:
    """Workloads that a pull request would add.

    Attributes:
        branch: Its branch.
        files: Path -> content.
        workloads: Their manifests.
        pods: Workload, as the comment names it -> how many pods it has to have.
    """

    branch: str
    files: Mapping[str, str]
    workloads: Sequence[Object]
    pods: Mapping[str, int]


@dataclass(frozen=True)
class Merged:
    """What is on ``main`` now, and what was said of it before.

    Attributes:
        asked: What was proposed.
        said: Workload -> its row in the gate's comment.
        commit: Of the merge.
    """

    asked: Asked
    said: Mapping[str, Row]
    commit: str


def propose(shapes: Sequence[tuple[str, int]], breakage: Breakage) -> Asked:
    """Open one pull request with a workload of each shape, of a new name and in a folder of its own.

    Args:
        shapes: In the words of features, and how many pods such a workload has.
        breakage: Takes it back.

    Raises:
        FaultHadNoEffect: The Git server did not list it.
    """
    stem = fresh_name("priced")
    made = [(workload(shape, f"{stem}-{number}"), pods) for number, (shape, pods) in enumerate(shapes, 1)]
    files = {f"apps/{one['metadata']['name']}/workload.yaml": yaml.safe_dump(one) for one, _ in made}
    fault = PullRequestProposed(branch=f"proposal-{stem}", title=f"Add {len(made)} workloads", files=dict(files))
    breakage.inject(fault)
    return Asked(fault.branch, files, [one for one, _ in made], {called(one): pods for one, pods in made})


def merge_as_priced(asked: Asked, breakage: Breakage) -> Merged:
    """Wait for the gate's good word, read its comment, and merge.

    Raises:
        ConditionTimeout: The gate found something, or nothing was heard of it, or there is no such comment.
        NeuroscaleError: The Git server refused.
    """
    platform = breakage.platform
    good = proposals.status_is("success", "nothing found", asked.branch, platform)
    eventually(good, platform.cluster, within=proposals.JUDGED_WITHIN)
    pull = platform.git_server.pull_request(asked.branch)
    if pull is None:
        raise PreconditionFailed(
            f"{asked.branch} should have an open pull request, but has none. Next: neuroscale status"
        )
    said = read(platform.git_server, pull)
    _, commit = proposals.merge(asked.branch, sorted(asked.files), breakage)
    return Merged(asked, said, commit)


def assert_said_is_seen(merged: Merged, platform: Platform) -> None:
    """Wait until all that was merged runs; then its pods ask for, and are limited to, what was said, exactly.

    Raises:
        ConditionTimeout: It does not run in time, or another figure was said than is seen.
    """
    pods = _wait_for_pods(merged, platform)
    verdict = evaluate_same(merged.said, pods, merged.asked.pods)
    assert_met("pods ask for what the gate's comment said", verdict, platform, pull_requests.AREA)


def _wait_for_pods(merged: Merged, platform: Platform) -> Pods:
    seen = dict[str, Sequence[Object]]()

    def evaluate() -> Verdict:
        waiting = []
        for one in merged.asked.workloads:
            verdict, seen[called(one)] = look(platform.cluster, one, merged.commit)
            waiting += [] if verdict else [f"{called(one)}: {verdict.observed}"]
        return pending("; ".join(waiting)) if waiting else met(f"{sum(map(len, seen.values()))} pods")

    runs = ProbeFunction(f"all of {merged.commit[:8]} runs, and none of its pods is on its way", evaluate, "gitops")
    eventually(runs, platform.cluster, within=_RUNS_WITHIN)
    return seen


def evaluate_same(said: Mapping[str, Row], seen: Pods, wanted: Mapping[str, int]) -> Verdict:
    """Of each workload there are as many pods as there must be, and of each figure as much was said as is seen.

    Args:
        said: Workload -> its row in the comment.
        seen: Workload -> its pods.
        wanted: Workload -> how many of them there must be.
    """
    wrong = [f"{name}: {what}" for name in wanted for what in _wrong(said.get(name), seen.get(name, ()), wanted[name])]
    if not wanted:
        return unrecoverable("nothing was asked for")
    return unrecoverable("; ".join(wrong)) if wrong else met(f"{len(wanted)} workloads, without a difference")


def _wrong(row: Row | None, pods: Sequence[Object], wanted: int) -> Iterator[str]:
    if len(pods) != wanted:
        yield f"{len(pods)} pods, and not {wanted}"
    if row is None:
        yield "the comment does not name it"
        return
    if row.get("what") != "added":
        yield f"said to be {row.get('what')!r}, and not added"
    if (replicas := f"– → {len(pods)}") != row.get("replicas"):
        yield f"replicas: said {row.get('replicas')!r}, seen {replicas!r}"
    for figure, amount in total(pods).items():
        words = row.get(figure, "")
        try:
            difference = quantity(words) - amount
        except Inconclusive:
            yield f"{figure}: said {words!r}, which is no figure"
            continue
        if difference:
            yield f"{figure}: said {words.removeprefix('+')}, seen {readable(figure, amount)}"
