"""A workload of known requests runs for a while; what is shown back is what it asked for, by the API server's account.

The account shares nothing with OpenCost: which pods there were, what they request and since when they run is the API
server's word, read all along; what that costs is computed from the price file in Git.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.faults import ObjectCreated
from neuroscale.cluster.client import Cluster
from neuroscale.cost_scenarios.seen import effective
from neuroscale.cost_scenarios.shapes import load
from neuroscale.fresh_names import fresh_name
from neuroscale.kubernetes.quantities import exact
from neuroscale.kubernetes.refs import Object
from neuroscale.metering.opencost import UNALLOCATED, OpenCost
from neuroscale.metering.prometheus import SCRAPE_SECONDS
from neuroscale.metering.showback import LABELS, Showback, showback
from neuroscale.metering.window import RESOLUTION, Window
from neuroscale.platform import Platform
from neuroscale.polling import Verdict, consistently, eventually, met, pending, unrecoverable
from neuroscale.prices import Prices
from neuroscale.probes import cost, expected
from neuroscale.probes.knative_resources import MODEL_LABEL
from neuroscale.probes.probe_function import ProbeFunction, assert_met
from neuroscale.settings import APPS_NAMESPACE, BUDGETS

#: Registered, and nobody's but in scenarios.
TEAM = {"owner": "ml-platform", "cost-center": "cc-ml"}
#: Until Prometheus has scraped a workload that just began to run and OpenCost has a step with it; as long again until
#: both have the end of the window.
_LEAD = SCRAPE_SECONDS + RESOLUTION
#: How often the API server is asked for its pods, in seconds. What lives shorter is missed here, and by OpenCost too.
_EVERY = 5.0


@dataclass
class Account:
    """The API server's account of pods.

    Attributes:
        pods: UID -> a pod as it was seen last.
        last_seen: UID -> when.
    """

    pods: dict[str, Object] = field(default_factory=dict)
    last_seen: dict[str, datetime] = field(default_factory=dict)

    def note(self, pods: Collection[Object], at: datetime) -> None:
        """Keep what there is."""
        for pod in pods:
            if cost.running_since(pod) is not None:
                self.pods[pod["metadata"]["uid"]] = pod
                self.last_seen[pod["metadata"]["uid"]] = at

    def seconds(self, uid: str, window: Window) -> timedelta:
        """For how long a pod ran within a window: from its container's start until it was last seen."""
        since = cost.running_since(self.pods[uid])
        return timedelta(0) if since is None else window.shared_with(since, self.last_seen[uid])

    def throughout(self, window: Window) -> list[Object]:
        """Pods that ran all through a window."""
        whole = timedelta(seconds=window.seconds)
        return [pod for uid, pod in self.pods.items() if self.seconds(uid, window) == whole]


@dataclass(frozen=True)
class Used:
    """What ran.

    Attributes:
        window: In which the workload of the team ran.
        account: Of all pods.
        prices: Of Git.
    """

    window: Window
    account: Account
    prices: Prices


def use(cpu: str, memory: str, seconds: float, breakage: Breakage) -> Used:
    """Let a workload of a team that has no other run for a while.

    Args:
        cpu: What it requests.
        memory: What it requests.
        seconds: How long the window is; it runs a little longer, before and after.
        breakage: Takes it back.

    Raises:
        ConditionTimeout: It does not run, or not all the time.
    """
    platform, name = breakage.platform, fresh_name("cost")
    breakage.inject(ObjectCreated(manifest=load(name, TEAM, cpu, memory)))
    account = Account()
    runs = ProbeFunction(
        f"the one pod of {name} runs, and is the same all the time",
        lambda: _look(platform.cluster, account, name),
        cost.AREA,
    )
    eventually(runs, platform.cluster, within=BUDGETS.provision)
    consistently(runs, platform.cluster, lasting=seconds + RESOLUTION + 2 * _LEAD, every=_EVERY)
    window = Window.ending(datetime.now(UTC) - timedelta(seconds=_LEAD), seconds)
    return Used(window, account, expected.prices(platform.git_server))


def _look(cluster: Cluster, account: Account, name: str) -> Verdict:
    account.note(cluster.list("Pod"), datetime.now(UTC))
    own = [pod for pod in account.pods.values() if pod["metadata"].get("labels", {}).get("app") == name]
    return evaluate_one(own)


def evaluate_one(pods: Sequence[Object]) -> Verdict:
    """There was one pod, and it has not restarted."""
    if not pods:
        return pending("no pod runs")
    restarts = sum(one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"])
    if len(pods) > 1 or restarts:
        return unrecoverable(f"there were {len(pods)} pods, with {restarts} restarts")
    return met("one pod runs")


@exact()
def asked_for(used: Used, label: str) -> Decimal:
    """What the pods of the team cost by the API server's account: requests × price × seconds."""
    total = Decimal(0)
    for uid, pod in used.account.pods.items():
        if pod["metadata"].get("labels", {}).get(label) == TEAM[label]:
            hours = Decimal(used.account.seconds(uid, used.window) / timedelta(microseconds=1)) / 3_600_000_000
            requests = effective(pod)
            cpu, gib = requests["requests.cpu"], requests["requests.memory"] / 2**30
            total += hours * (cpu * used.prices.hourly["cpu"] + gib * used.prices.hourly["memory"])
    return total


def assert_shown_back(used: Used, percent: int, platform: Platform) -> None:
    """The showback of the window is what was asked for, by each label.

    Args:
        used: What ran.
        percent: By how much of what was asked for the showback may be off.
        platform: Where.

    Raises:
        ConditionTimeout: It is not.
        Inconclusive: Prometheus has not seen all of the window.
    """
    for label in LABELS:
        shown = showback(platform.cluster, used.window, label)
        verdict = evaluate_shown(shown, TEAM[label], asked_for(used, label), percent)
        assert_met(f"the showback by {label} is what {TEAM[label]} asked for", verdict, platform, cost.AREA)


def evaluate_shown(shown: Showback, team: str, asked: Decimal, percent: int) -> Verdict:
    """A team pays for what it asked for, a little more or less.

    Args:
        shown: What is shown back.
        team: Whose.
        asked: What requests × price × seconds come to.
        percent: How much a little is.
    """
    paid = Decimal(shown.of(team).cost)
    if not asked:
        return unrecoverable("nothing was asked for")
    error = (paid - asked) / asked
    said = f"{shown.label} {team}: {paid:.7f} shown, {asked:.7f} asked for, {100 * error:+.2f} %, from {shown.window}"
    return met(said) if 100 * abs(error) <= percent else unrecoverable(said)


def assert_found(used: Used, platform: Platform) -> None:
    """Each tenant's pod that ran all the time is in OpenCost's allocation with its labels, and no other; so are models.

    Raises:
        ConditionTimeout: One is missing, or somebody else's, or has no owner or no model.
    """
    opencost = OpenCost(platform.cluster)
    by = ("namespace", "pod", *(f"label:{label}" for label in (*LABELS, MODEL_LABEL)))
    found = {one.key[1:] for one in opencost.allocations(used.window, *by) if one.key[0] == APPS_NAMESPACE}
    models = expected.inference_services(platform.git_server)
    for description, verdict in (
        ("each workload is found with its labels, and no other", evaluate_workloads(found, used)),
        ("each model is found, and no other", evaluate_models(found, models)),
    ):
        assert_met(description, verdict, platform, cost.AREA)


def evaluate_workloads(found: Collection[tuple[str, ...]], used: Used) -> Verdict:
    """Both ways: what ran all the time must be there, what is there must have run at some time; and all have labels.

    Args:
        found: Pod, owner, cost center and model, as OpenCost has them.
        used: What ran.
    """
    throughout, ever = _keys(used.account.throughout(used.window)), _keys(used.account.pods.values())
    wrong = [f"{'/'.join(one)} ran and is not found" for one in sorted(throughout - set(found))]
    wrong += [f"{'/'.join(one)} is found and did not run" for one in sorted(set(found) - ever)]
    wrong += [f"{one[0]} is nobody's" for one in sorted(found) if UNALLOCATED in one[1:3]]
    if not throughout:
        return unrecoverable("no pod ran all the time")
    said = f"{len(found)} pods found, {len(throughout)} of them all the time"
    return unrecoverable("; ".join(wrong)) if wrong else met(said)


def _keys(pods: Collection[Object]) -> set[tuple[str, ...]]:
    """Of tenants' pods, as OpenCost is asked for them."""
    wanted = (*LABELS, MODEL_LABEL)
    return {
        (pod["metadata"]["name"], *(pod["metadata"].get("labels", {}).get(label, UNALLOCATED) for label in wanted))
        for pod in pods
        if pod["metadata"]["namespace"] == APPS_NAMESPACE
    }


def evaluate_models(found: Collection[tuple[str, ...]], models: Collection[str]) -> Verdict:
    """The models that are found are those of Git.

    Args:
        found: Pod, owner, cost center and model, as OpenCost has them.
        models: Names of those that Git describes.
    """
    there = {one[3] for one in found} - {UNALLOCATED}
    wrong = [f"{name} is not found" for name in sorted(set(models) - there)]
    wrong += [f"{name} is found and not in Git" for name in sorted(there - set(models))]
    if not models:
        return unrecoverable("Git describes no model")
    return unrecoverable("; ".join(wrong)) if wrong else met(f"{', '.join(sorted(there))}: each found")
