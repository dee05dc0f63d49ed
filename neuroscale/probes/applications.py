"""The Applications of the platform together: those that Git describes, no others, and each of them good."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from neuroscale.cluster.client import Cluster
from neuroscale.git_server import GitServer
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes import argo, expected
from neuroscale.settings import ARGOCD


@dataclass(frozen=True)
class ApplicationsExist:
    """Exactly these Applications exist."""

    names: frozenset[str]
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"exactly the {len(self.names)} Applications that Git describes exist"

    def check(self, cluster: Cluster) -> Verdict:
        """Compare names."""
        return evaluate_names({app["metadata"]["name"] for app in cluster.list("Application", ARGOCD)}, self.names)


@dataclass(frozen=True)
class EachApplication:
    """Each of these Applications is good, at this commit if one is given.

    Attributes:
        same: Whether a folder is the same in two commits. One that is made from a single folder is not compared for a
            commit elsewhere until it is due, and is as good before.
    """

    names: frozenset[str]
    commit: str | None = None
    area: str = "gitops"
    same: Callable[[str, str, str], bool] = lambda *_: False

    @property
    def description(self) -> str:
        """The expectation."""
        at = f" at {self.commit[:8]}" if self.commit else ""
        return f"each of the {len(self.names)} Applications that Git describes is Synced and Healthy{at}"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each."""
        apps = {app["metadata"]["name"]: app for app in cluster.list("Application", ARGOCD)}
        return evaluate_each({name: apps.get(name) for name in self.names}, datetime.now(UTC), self.commit, self.same)


def evaluate_names(found: Collection[str], names: Collection[str]) -> Verdict:
    """None missing, none too many."""
    if not names:
        return unrecoverable("Git describes no Application, so nothing can be said")
    trouble = []
    if missing := sorted(set(names) - set(found)):
        trouble.append(f"missing: {', '.join(missing)}")
    if extra := sorted(set(found) - set(names)):
        trouble.append(f"not described by Git: {', '.join(extra)}")
    return pending("; ".join(trouble)) if trouble else met(f"{len(found)} Applications: {', '.join(sorted(found))}")


def each_as_in_git(git_server: GitServer) -> EachApplication:
    """Each Application that Git describes is good, at the latest commit."""
    return EachApplication(expected.applications(git_server), git_server.head(), same=git_server.same_folder)


def evaluate_each(
    apps: Mapping[str, Object | None],
    now: datetime,
    commit: str | None = None,
    same: Callable[[str, str, str], bool] = lambda *_: False,
) -> Verdict:
    """All good, or which are not and why; for ``same`` see :class:`EachApplication`."""
    verdicts = {
        name: argo.evaluate_at(app, now, None if app and commit and _same_for(app, commit, same) else commit)
        for name, app in sorted(apps.items())
    }
    bad = [f"{name}: {verdict.observed}" for name, verdict in verdicts.items() if not verdict]
    if not verdicts:
        return unrecoverable("there is no Application to judge")
    return pending("; ".join(bad)) if bad else met(f"all {len(verdicts)} are Synced and Healthy")


def _same_for(app: Object, commit: str, same: Callable[[str, str, str], bool]) -> bool:
    """Whether it is made from a single folder, which this commit has as the one that it was compared with."""
    compared, annotations = argo.revision(app), app["metadata"].get("annotations") or {}
    # Git is asked only about one that lags behind: this is looked at four times a second.
    if compared == commit or argo.PATHS not in annotations:
        return False
    return same(app["spec"]["source"]["path"], compared, commit)
