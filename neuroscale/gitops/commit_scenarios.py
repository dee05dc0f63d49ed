"""Commits that change the platform on purpose, and how to see that the cluster followed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import yaml

from neuroscale.chaos.breakage import Breakage
from neuroscale.chaos.commits import PushedCommit, push
from neuroscale.chaos.edit_faults import is_asked_to_refresh
from neuroscale.cluster.client import Cluster
from neuroscale.cluster.watch import Watcher
from neuroscale.errors import ConditionTimeout, PreconditionFailed
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, duration, eventually, met, pending, unrecoverable
from neuroscale.probes import argo
from neuroscale.probes.probe_function import assert_met
from neuroscale.probes.reference_app import MANIFEST, NGINX, TEST_APP
from neuroscale.probes.workloads import evaluate_workload
from neuroscale.quantile import quantile
from neuroscale.results import Recorder
from neuroscale.settings import APPS_NAMESPACE, ARGOCD, BUDGETS
from neuroscale.slos import SLOS

_EXTRA = Ref("ConfigMap", "extra-by-commit", APPS_NAMESPACE)
#: A folder, its Application and its one object bear the same name.
NEWCOMER = "newcomer"
NEWCOMER_OBJECT = Ref("ConfigMap", NEWCOMER, APPS_NAMESPACE)


@dataclass(frozen=True)
class Replicas:
    """The test application has this many replicas, all ready."""

    count: int
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{NGINX} has {self.count} ready replicas"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        now = cluster.get(NGINX)
        if now is None or now["spec"].get("replicas") != self.count:
            return pending(f"it wants {now['spec'].get('replicas')} replicas" if now else "it does not exist")
        return evaluate_workload(now, ())


def commit_replicas(breakage: Breakage, count: int) -> PushedCommit:
    """Commit a number of replicas for the test application."""
    manifest = _read(breakage.platform, MANIFEST)
    old = re.search(r"^  replicas: (\d+)$", manifest, flags=re.MULTILINE)
    if old is None:
        raise PreconditionFailed(f"{MANIFEST} should hold a line `replicas: N`, but does not. Next: neuroscale up")
    changed = manifest.replace(old.group(0), f"  replicas: {count}")
    return push(
        breakage, f"Give {TEST_APP} {count} replicas", {MANIFEST: changed}, Replicas(count), Replicas(int(old.group(1)))
    )


def add_object(breakage: Breakage) -> PushedCommit:
    """Commit one more ConfigMap to the test application."""
    files = {"apps/test-app/extra.yaml": config_map(_EXTRA)}
    return push(breakage, f"Add a ConfigMap to {TEST_APP}", files, argo.Exists(_EXTRA), argo.Gone(_EXTRA))


def add_folder(breakage: Breakage) -> PushedCommit:
    """Commit a new folder under ``apps/``."""
    files = {f"apps/{NEWCOMER}/config.yaml": config_map(NEWCOMER_OBJECT)}
    gone = argo.Gone(argo.application(NEWCOMER))
    return push(breakage, f"Add the workload {NEWCOMER}", files, argo.good(NEWCOMER), gone)


def commit_in_turn(breakage: Breakage, recorder: Recorder, count: int) -> list[float | None]:
    """Push so many commits to the test application, each once it is synced to the one before.

    Returns:
        For each, the seconds from when the Git server had it until Argo CD was told, which asks for a refresh then;
        ``None`` if it never was. Who polls asks for none.

    Raises:
        ConditionTimeout: One was not synced within the pick-up budget.
    """
    platform, told = breakage.platform, list[float | None]()
    with Watcher(platform.cluster, argo.application(TEST_APP)) as watcher:
        for number in range(count):
            before = time.monotonic()
            pushed = _add_numbered(breakage, number)
            start = time.monotonic()
            eventually(argo.synced_to(TEST_APP, pushed.commit), platform.cluster, within=BUDGETS.pick_up, every=0.1)
            asked = next(
                (event.at for event in watcher.watch_events if event.at > before and is_asked_to_refresh(event.obj)),
                None,
            )
            told.append(None if asked is None else round(max(0.0, asked - start), 3))
            recorder.recovery(
                claim="push-noticed", fault=f"commit {pushed.commit[:8]} is pushed", subject="Argo CD is told of it",
                series="push to refresh", at=pushed.at, phases={"told": told[-1]}, seconds=told[-1],
                within=BUDGETS.pick_up,
            )  # fmt: skip
    return told


def _add_numbered(breakage: Breakage, number: int) -> PushedCommit:
    files = {"apps/test-app/extra.yaml": config_map(_EXTRA, f"by commit {number}")}
    return push(breakage, f"Change {TEST_APP}, no. {number}", files, argo.Exists(_EXTRA), argo.Gone(_EXTRA))


def assert_noticed(seconds: Sequence[float | None], platform: Platform) -> None:
    """Argo CD was told of each push, and of half of them within the SLO.

    Raises:
        ConditionTimeout: One took longer.
    """
    limit = SLOS["push-noticed"].at_most
    verdict = evaluate_noticed(seconds, limit)
    assert_met(f"Argo CD is told of each push, median within {duration(limit)}", verdict, platform, "gitops")


def evaluate_noticed(seconds: Sequence[float | None], limit: float) -> Verdict:
    """Told of every one, half of them within ``limit`` seconds."""
    known = [one for one in seconds if one is not None]
    seen = f"told after {', '.join('never' if one is None else duration(one) for one in seconds) or 'no push at all'}"
    median = quantile(sorted(known), 0.5)
    told = len(known) == len(seconds) and median is not None and median <= limit
    return met(seen) if told else unrecoverable(seen)


def _unparsable(manifest: str) -> str:
    return manifest + "\n  this: [is not YAML\n"


def _refused(manifest: str) -> str:
    return re.sub(r"^  replicas: \d+$", "  replicas: -1", manifest, flags=re.MULTILINE)


_DEFECTS: dict[str, tuple[Callable[[str], str], Probe]] = {
    "is not YAML": (_unparsable, argo.shows_error(TEST_APP, ("ComparisonError",), "Failed to unmarshal")),
    "the API server rejects": (
        _refused,
        argo.shows_error(TEST_APP, ("SyncError", "OperationFailed", "SyncFailed"), "replicas"),
    ),
}


def break_manifest(breakage: Breakage, defect: str) -> PushedCommit:
    """Commit a defect into the test application's Deployment."""
    spoil, error = _DEFECTS[defect]
    manifest = _read(breakage.platform, MANIFEST)
    message = f"Break {TEST_APP}: it {defect}"
    return push(breakage, message, {MANIFEST: spoil(manifest)}, error, argo.good(TEST_APP))


def revert(pushed: PushedCommit, platform: Platform) -> PushedCommit:
    """``git revert`` a commit; what held before must hold again."""
    commit = platform.git_server.revert(pushed.commit)
    return PushedCommit(commit, datetime.now(UTC), pushed.before, pushed.expects)


def arrived(pushed: PushedCommit, platform: Platform) -> PushedCommit:
    """Wait until the cluster followed, as the ground for what comes next.

    Raises:
        PreconditionFailed: It did not, so the scenario is not run.
    """
    try:
        eventually(pushed.expects, platform.cluster, within=BUDGETS.pick_up)
    except ConditionTimeout as error:
        raise PreconditionFailed(f"The commit that the scenario begins with did not arrive. {error}") from error
    return pushed


def wait_for_sync(
    pushed: PushedCommit, platform: Platform, recorder: Recorder, series: str = "commit to cluster"
) -> Probe:
    """Wait until the cluster followed a commit; keep apart how long it took to be noticed and to arrive.

    Args:
        pushed: The commit.
        platform: Where it is to arrive.
        recorder: Keeps the phases.
        series: What to keep them under; what is polled for is another thing than what Argo CD is told of.

    Returns:
        What the cluster now looks like, to be asked again.

    Raises:
        ConditionTimeout: It did not follow within the pick-up budget.
    """
    start, compared = time.monotonic() - (datetime.now(UTC) - pushed.at).total_seconds(), ComparedWith(pushed)
    phases: dict[str, float | None] = {"picked up": None, "arrived": None}
    try:
        eventually(compared, platform.cluster, within=BUDGETS.pick_up, every=0.1)
        phases["picked up"] = round(time.monotonic() - start, 3)
        eventually(pushed.expects, platform.cluster, within=BUDGETS.pick_up, every=0.1)
        phases["arrived"] = round(time.monotonic() - start, 3)
    finally:
        recorder.recovery(
            claim="git-pick-up",
            fault=f"commit {pushed.commit[:8]} is pushed",
            subject=pushed.expects.description,
            series=series,
            at=pushed.at,
            phases=phases,
            seconds=phases["arrived"],
            within=BUDGETS.pick_up,
        )
    return pushed.expects


@dataclass(frozen=True)
class ComparedWith:
    """The root Application, or the test application, was compared with a commit: Argo CD has noticed it."""

    pushed: PushedCommit
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"an Application was compared with commit {self.pushed.commit[:8]}"

    def check(self, cluster: Cluster) -> Verdict:
        """The revisions in the sync status of all Applications; any one will do."""
        apps = cluster.list("Application", ARGOCD)
        found = {app["metadata"]["name"]: argo.revision(app) for app in apps}
        ahead = sorted(name for name, revision in found.items() if revision == self.pushed.commit)
        if ahead:
            return met(f"compared: {', '.join(ahead)}")
        return pending("; ".join(f"{name} at {revision[:8]}" for name, revision in sorted(found.items())))


def _read(platform: Platform, path: str) -> str:
    content = platform.git_server.read(path)
    if content is None:
        raise PreconditionFailed(f"{path} should be on main, but is not. Next: neuroscale up")
    return content


def config_map(ref: Ref, made: str = "by a commit") -> str:
    """A file with an object that asks for nothing, and says how it was made."""
    obj: Object = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name},
        "data": {"made": made},
    }
    return yaml.safe_dump(obj)
