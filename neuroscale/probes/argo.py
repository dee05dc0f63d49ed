"""Argo CD: its workloads, its Applications, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.workloads import AllAvailable
from neuroscale.settings import APPLICATION_SET, ARGOCD

#: Half as long again as Argo CD may take to look again (decision 0022); older is "not compared".
COMPARED_WITHIN = timedelta(seconds=90)
#: Attempts of self-heal at one commit after which the next one is still quick.
_QUICK_ATTEMPTS = 2

#: What says which folder an Application is made from (decision 0018).
PATHS = "argocd.argoproj.io/manifest-generate-paths"

REPO_SERVER = Ref("Deployment", "argocd-repo-server", ARGOCD)
CONTROLLER = Ref("StatefulSet", "argocd-application-controller", ARGOCD)
APPLICATION_SET_CONTROLLER = Ref("Deployment", "argocd-applicationset-controller", ARGOCD)
#: The workloads of the upstream manifest, without dex (bootstrap/argocd/without-dex.yaml).
WORKLOADS = (
    CONTROLLER,
    APPLICATION_SET_CONTROLLER,
    Ref("Deployment", "argocd-notifications-controller", ARGOCD),
    Ref("Deployment", "argocd-redis", ARGOCD),
    REPO_SERVER,
    Ref("Deployment", "argocd-server", ARGOCD),
)


def application(name: str) -> Ref:
    """The Application of that name."""
    return Ref("Application", name, ARGOCD)


def workloads_ready() -> AllAvailable:
    """Argo CD itself runs."""
    return AllAvailable("Argo CD", WORKLOADS, area="gitops")


# --- judgements on one Application


def describe(app: Object) -> str:
    """``Synced/Healthy`` and what is wrong, in one line."""
    status = app.get("status") or {}
    parts = [f"{_sync(app)}/{_health(app)}"]
    operation = status.get("operationState") or {}
    if operation.get("phase") in ("Failed", "Error", "Running"):
        parts.append(f"operation {operation['phase']}: {operation.get('message', '')[:300]}")
    parts += [f"{c['type']}: {c.get('message', '')[:300]}" for c in status.get("conditions") or []]
    troubled = [r for r in status.get("resources") or [] if r.get("status") != "Synced"]
    if troubled:
        first = troubled[0]
        parts.append(
            f"{len(troubled)} resources not Synced, first: {first['kind']} {first['name']} {first.get('status')}"
        )
    return "; ".join(parts)


def evaluate_good(app: Object | None, now: datetime, compared_within: timedelta = COMPARED_WITHIN) -> Verdict:
    """Synced with each object, Healthy, no condition, no operation under way or failed for good, and compared recently.

    A controller that is dead leaves yesterday's ``Synced`` standing, hence the age.
    """
    if app is None:
        return pending("it does not exist")
    status = app.get("status") or {}
    seen = describe(app)
    # An object of a kind that Argo CD no longer watches is Unknown; its Application stays Synced and Healthy.
    blind = any(resource.get("status") != "Synced" for resource in status.get("resources") or [])
    if _sync(app) != "Synced" or _health(app) != "Healthy" or status.get("conditions") or blind:
        return pending(seen)
    if idle := _heals_nothing(app):
        return pending(f"{seen}, {idle}")
    compared = status.get("reconciledAt")
    if compared is None:
        return pending(f"{seen}, but it was never compared")
    age = now - _time(compared)
    if age > compared_within:
        return pending(f"{seen}, but last compared {age.total_seconds():.0f} s ago")
    return met(f"{seen}, compared {max(0.0, age.total_seconds()):.0f} s ago")


def _heals_nothing(app: Object) -> str:
    """Why Argo CD would leave a drift as it is: an operation is under way, or has failed and is not begun again."""
    operation = (app.get("status") or {}).get("operationState") or {}
    if operation.get("phase") == "Running":
        return "but an operation is under way, and until it ends nothing is healed"
    # Not again at the commit that it failed at, nor at any that leaves the folder as it is, if Argo CD knows that.
    by_folder = PATHS in (app["metadata"].get("annotations") or {})
    failed_at = (operation.get("syncResult") or {}).get("revision")
    if operation.get("phase") in ("Failed", "Error") and (by_folder or failed_at == revision(app)):
        return f"so nothing is healed until somebody syncs it (argocd app sync {app['metadata']['name']})"
    return ""


def evaluate_at(app: Object | None, now: datetime, commit: str | None) -> Verdict:
    """Good, and compared with this commit if one is given."""
    verdict = evaluate_good(app, now)
    if verdict and app is not None and commit and revision(app) != commit:
        return pending(f"{verdict.observed}, but at {revision(app)[:8]}")
    return verdict


def evaluate_in_charge(app: Object | None) -> Verdict:
    """Self-heal, and nothing else, would mend a drift, and soon.

    The last operation succeeded at the commit that is compared with now, and self-heal made at most two attempts at it:
    Argo CD begins the first, second, third, fourth attempt at a commit 0, 2, 6, 18 … s after the last operation ended.
    The 6 s of the third are nearly over when a scenario that watched its heal for ``BUDGETS.stable`` is followed by the
    next; the 18 s of the fourth are not.
    """
    if app is None:
        return pending("it does not exist")
    operation = (app.get("status") or {}).get("operationState") or {}
    synced = (operation.get("syncResult") or {}).get("revision", "")
    seen = (
        f"last synced at {synced[:8] or 'no commit'} ({operation.get('phase')}), {attempts(app)} attempts of self-heal"
    )
    if operation.get("phase") == "Succeeded" and synced == revision(app) and attempts(app) <= _QUICK_ATTEMPTS:
        return met(seen)
    return pending(f"{seen}, compared with {revision(app)[:8]}")


def evaluate_uncomparable(app: Object | None) -> Verdict:
    """``Unknown`` with a ComparisonError: Argo CD cannot compare. ``OutOfSync`` is something else: it did compare."""
    if app is None:
        return pending("it does not exist")
    types = {condition["type"] for condition in (app.get("status") or {}).get("conditions") or []}
    seen = describe(app)
    return met(seen) if _sync(app) == "Unknown" and "ComparisonError" in types else pending(seen)


def evaluate_out_of_sync(app: Object | None) -> Verdict:
    """Compared, and different."""
    if app is None:
        return pending("it does not exist")
    return met(describe(app)) if is_out_of_sync(app) else pending(describe(app))


def evaluate_error_shown(app: Object | None, kinds: Collection[str], words: str) -> Verdict:
    """The Application carries a condition of one of these types, or a failed operation, whose text has the words."""
    if app is None:
        return pending("it does not exist")
    status = app.get("status") or {}
    said = [(c["type"], c.get("message", "")) for c in status.get("conditions") or []]
    operation = status.get("operationState") or {}
    if operation.get("phase") in ("Failed", "Error") or operation.get("retryCount"):
        said.append(("OperationFailed", operation.get("message", "")))
        results = (operation.get("syncResult") or {}).get("resources") or []
        said += [("SyncFailed", r.get("message", "")) for r in results if r.get("status") == "SyncFailed"]
    for kind, message in said:
        if kind in kinds and words in message:
            return met(f"{kind}: {message[:300]}")
    return pending(f"{describe(app)}; no {' or '.join(kinds)} with {words!r}")


def revision(app: Object) -> str:
    """Commit that the Application was last compared with."""
    return str(((app.get("status") or {}).get("sync") or {}).get("revision", ""))


def attempts(app: Object) -> int:
    """How many times self-heal synced this revision in a row (``autoHealAttemptsCount``)."""
    operation = ((app.get("status") or {}).get("operationState") or {}).get("operation") or {}
    return int((operation.get("sync") or {}).get("autoHealAttemptsCount", 0))


def backs_off(app: Object) -> bool:
    """Whether self-heal would wait before its next attempt: it has made more than two, and nobody else synced since."""
    return attempts(app) > _QUICK_ATTEMPTS


def evaluate_prompt(app: Object | None) -> Verdict:
    """Synced and Healthy, and the next drift is mended at once."""
    verdict = evaluate_good(app, datetime.now(UTC))
    if verdict and app is not None and ("operation" in app or backs_off(app)):
        return pending(f"{verdict.observed}, but after {attempts(app)} attempts of self-heal")
    return verdict


def since_last_sync(app: Object) -> float | None:
    """Seconds since the last operation ended, or ``None`` when there was none."""
    finished = ((app.get("status") or {}).get("operationState") or {}).get("finishedAt")
    return (datetime.now(UTC) - _time(finished)).total_seconds() if finished else None


def is_out_of_sync(app: Object) -> bool:
    """Compared, and different."""
    return _sync(app) == "OutOfSync"


def started_after(app: Object, moment: datetime) -> bool:
    """An operation is asked for, or its state says that one began at or after this second."""
    return "operation" in app or began_after((app.get("status") or {}).get("operationState") or {}, moment)


def began_after(operation: Object, moment: datetime) -> bool:
    """Whether an operation (``operationState``) began at or after this second."""
    started = operation.get("startedAt")
    return bool(started and _time(started) >= moment.replace(microsecond=0))


def _sync(app: Object) -> str:
    return str(((app.get("status") or {}).get("sync") or {}).get("status", "Unknown"))


def _health(app: Object) -> str:
    return str(((app.get("status") or {}).get("health") or {}).get("status", "Unknown"))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- probes


@dataclass(frozen=True)
class ApplicationProbe:
    """One question about one Application; ``judge`` answers it."""

    name: str
    expectation: str
    evaluate: Callable[[Object | None], Verdict]
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'Application "{self.name}" {self.expectation}'

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return self.evaluate(cluster.get(application(self.name)))


def good(name: str) -> ApplicationProbe:
    """Synced, Healthy, no conditions, compared recently."""
    return ApplicationProbe(name, "is Synced and Healthy", lambda app: evaluate_good(app, datetime.now(UTC)))


def good_at(name: str, commit: str) -> ApplicationProbe:
    """Good, and at this commit."""
    evaluate = lambda app: evaluate_at(app, datetime.now(UTC), commit)  # noqa: E731 - the clock is read at each look
    return ApplicationProbe(name, f"is Synced and Healthy at {commit[:8]}", evaluate)


def synced_to(name: str, commit: str) -> ApplicationProbe:
    """Synced, and what it was compared with is this commit."""
    evaluate = partial(evaluate_synced_to, commit=commit)
    return ApplicationProbe(name, f"is Synced to {commit[:8]}", evaluate)


def evaluate_synced_to(app: Object | None, commit: str) -> Verdict:
    """Synced to exactly this commit, whatever its health."""
    if app is None:
        return pending("it does not exist")
    reached = _sync(app) == "Synced" and revision(app) == commit
    return met(describe(app)) if reached else pending(f"{describe(app)}, at {revision(app)[:8] or 'no commit'}")


def uncomparable(name: str) -> ApplicationProbe:
    """Unknown, with a ComparisonError."""
    return ApplicationProbe(name, "is Unknown with a ComparisonError", evaluate_uncomparable)


def shows_error(name: str, kinds: Collection[str], words: str) -> ApplicationProbe:
    """The Application says what is wrong."""
    evaluate = partial(evaluate_error_shown, kinds=kinds, words=words)
    return ApplicationProbe(name, f"shows {' or '.join(kinds)} with {words!r}", evaluate)


@dataclass(frozen=True)
class OwnedByApplicationSet:
    """An Application was generated, not made by hand."""

    name: str
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'Application "{self.name}" is owned by ApplicationSet "{APPLICATION_SET}"'

    def check(self, cluster: Cluster) -> Verdict:
        """The controller reference names the ApplicationSet that exists now, by UID."""
        app, owner = cluster.get(application(self.name)), cluster.get(Ref("ApplicationSet", APPLICATION_SET, ARGOCD))
        return evaluate_owner(app, owner)


def evaluate_owner(app: Object | None, owner: Object | None) -> Verdict:
    """Whether ``app`` has a controller reference with the UID of ``owner``."""
    if app is None or owner is None:
        return pending(f"{'the Application' if app is None else 'the ApplicationSet'} does not exist")
    references = app["metadata"].get("ownerReferences") or []
    seen = ", ".join(f"{r['kind']} {r['name']}" for r in references) or "nobody"
    owned = any(r["uid"] == owner["metadata"]["uid"] and r.get("controller") for r in references)
    return met(f"owned by {seen}") if owned else pending(f"owned by {seen}")


@dataclass(frozen=True)
class Exists:
    """An object exists."""

    ref: Ref
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.ref} exists"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch."""
        now = cluster.get(self.ref)
        return met(f"it exists with UID {now['metadata']['uid']}") if now else pending("it does not exist")


@dataclass(frozen=True)
class Gone:
    """An object does not exist."""

    ref: Ref
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.ref} is gone"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch."""
        obj = cluster.get(self.ref)
        if obj is None:
            return met("it does not exist")
        return pending("it is being deleted" if obj["metadata"].get("deletionTimestamp") else "it exists")
