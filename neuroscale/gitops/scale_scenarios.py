"""Many app folders: how long Argo CD takes to deploy them, and by what law that grows with their number."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from neuroscale import growth_law
from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import Committed, Frozen
from neuroscale.gitops.commit_scenarios import config_map
from neuroscale.kubernetes.refs import Ref
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, duration, eventually, met, pause, pending, unrecoverable
from neuroscale.probes import expected
from neuroscale.probes.applications import ApplicationsExist, EachApplication
from neuroscale.probes.argo import REPO_SERVER
from neuroscale.probes.git_server import GITEA
from neuroscale.probes.probe_function import assert_met
from neuroscale.quantile import quantile
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE, ARGOCD, BUDGETS

#: Seconds for one commit of hundreds of folders, and between two looks at hundreds of Applications.
_DEPLOYED_WITHIN, _EVERY = 600.0, 0.5
#: What Argo CD relies on, as people call it.
FROZEN = {
    "the Git server": Frozen(workload=GITEA),
    "the repo-server": Frozen(workload=REPO_SERVER),
    "the API server": Frozen(),
}
#: So many folders that come alone say how long one takes: a comparison of all that is due may be in the way of two.
_ALONE = 5


@dataclass(frozen=True)
class Deployed:
    """The folders that one commit added.

    Attributes:
        folders: How many.
        in_all: How many there were afterwards.
        seconds: From the push until the Application of each was Synced and Healthy.
    """

    folders: int
    in_all: int
    seconds: float


def deploy_in_turn(breakage: Breakage, recorder: Recorder, totals: Sequence[int]) -> list[Deployed]:
    """Commit new folders until there are so many in all, each commit once the one before is deployed.

    Raises:
        ConditionTimeout: A folder did not become an Application that is Synced and Healthy.
    """
    platform, done = breakage.platform, list[Deployed]()
    for total in totals:
        there = len(platform.git_server.folders("apps"))
        names = [f"many-{number:04}" for number in range(there + 1, total + 1)]
        files = {f"apps/{name}/config.yaml": config_map(Ref("ConfigMap", name, APPS_NAMESPACE)) for name in names}
        pushed = breakage.inject(Committed(message=f"Add app folders up to {total}", files=files))
        good = EachApplication(frozenset(names))
        eventually(good, platform.cluster, within=_DEPLOYED_WITHIN, every=_EVERY)
        done.append(Deployed(len(names), total, time.monotonic() - pushed.at))
        recorder.figure(
            claim="folders-deployed", fault=f"{len(names)} app folders are added", subject="the Application of each",
            series=f"{len(names)} more, {total} in all", at=pushed.clock, seconds=done[-1].seconds,
            facts={"MiB of Argo CD": round(_memory(platform) / 2**20)},
        )  # fmt: skip
    return done


def _memory(platform: Platform) -> int:
    """Bytes that the pods of Argo CD hold, as the kubelets measured them some seconds ago."""
    nodes = [node["metadata"]["name"] for node in platform.cluster.list("Node")]
    summaries = [platform.cluster.read(f"/api/v1/nodes/{node}/proxy/stats/summary") for node in nodes]
    return sum(
        int((pod.get("memory") or {}).get("workingSetBytes", 0))
        for summary in summaries
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == ARGOCD
    )


def freeze_in_turn(breakage: Breakage, whom: Sequence[str], durations: Sequence[float]) -> dict[str, str]:
    """Freeze each of them for each of the times, and let it go on.

    Args:
        breakage: The platform and its journal; each cut is undone before the next one.
        whom: Of :data:`FROZEN`.
        durations: Seconds.

    Returns:
        Name of each Application -> its UID, before all of that.
    """
    platform, before = breakage.platform, _uids(breakage.platform)
    for name in whom:
        for seconds in durations:
            with Breakage(platform, breakage.journal) as cut:
                cut.inject(FROZEN[name])
                pause(seconds)
    return before


def assert_none_deleted(before: dict[str, str], platform: Platform) -> None:
    """Each Application is the one that it was: none was deleted and made anew.

    Raises:
        ConditionTimeout: One is not.
    """
    verdict = evaluate_same(before, _uids(platform))
    assert_met(f"each of the {len(before)} Applications is the one that it was", verdict, platform, "gitops")


def evaluate_same(before: dict[str, str], now: dict[str, str]) -> Verdict:
    """None is missing or has another UID."""
    lost = [
        f"{name} {'is another one' if name in now else 'is gone'}" for name in before if now.get(name) != before[name]
    ]
    return unrecoverable(f"{len(lost)} of {len(before)}: {', '.join(lost[:5])}") if lost else met("none was deleted")


def _uids(platform: Platform) -> dict[str, str]:
    found = platform.cluster.list("Application", ARGOCD)
    return {
        one["metadata"]["name"]: one["metadata"]["uid"] for one in found if "deletionTimestamp" not in one["metadata"]
    }


def assert_exact(platform: Platform) -> None:
    """Each folder has its Application, Synced and Healthy, and there is no other Application.

    Raises:
        ConditionTimeout: It is not so.
    """
    names = expected.applications(platform.git_server)
    eventually(ApplicationsExist(names), platform.cluster, within=BUDGETS.recover)
    eventually(EachApplication(names), platform.cluster, within=BUDGETS.recover, every=_EVERY)


def assert_growth(done: Sequence[Deployed], at_most: float, platform: Platform) -> None:
    """The time grows with the number of folders by no larger exponent, with 95 % confidence.

    Raises:
        ConditionTimeout: It may grow faster.
    """
    wanted = f"the time to deploy app folders grows with their number by an exponent of at most {at_most}"
    assert_met(wanted, evaluate_growth(done, at_most), platform, "gitops")


def evaluate_growth(done: Sequence[Deployed], at_most: float) -> Verdict:
    """Folders that come alone after all others have another question to answer, and would hide a steep law."""
    done = done[: len(done) - len(_alone(done[::-1]))]
    return growth_law.evaluate_growth([(one.folders, one.seconds) for one in done], at_most)


def assert_one_more(done: Sequence[Deployed], times: float, platform: Platform) -> None:
    """A folder that came alone took at most so many times as long at the end as at the beginning.

    Raises:
        ConditionTimeout: It took longer.
    """
    wanted = f"one more folder takes at most {times:g} times as long with {done[-1].in_all} as with {done[0].in_all}"
    assert_met(wanted, evaluate_one_more(done, times), platform, "gitops")


def evaluate_one_more(done: Sequence[Deployed], times: float) -> Verdict:
    """Of the commits of one folder before all larger ones, and of those after them; the median, since Argo CD polls."""
    first, last = _alone(done), _alone(done[::-1])
    if min(len(first), len(last)) < _ALONE or len(first) == len(done):
        return unrecoverable(f"{len(first)} folders came alone before the others and {len(last)} after them")
    early, late = quantile(sorted(first), 0.5), quantile(sorted(last), 0.5)
    seen = f"{_told(first)}, then {_told(last)}"
    return met(seen) if early and late and late <= times * early else pending(seen)


def _alone(done: Sequence[Deployed]) -> list[float]:
    """Seconds of the commits of one folder with which it begins."""
    return [one.seconds for one in takewhile(lambda one: one.folders == 1, done)]


def _told(seconds: Sequence[float]) -> str:
    return ", ".join(map(duration, seconds))
