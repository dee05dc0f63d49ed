"""A Deployment's pods by rollout: those of the newest ReplicaSet say what becomes of it, whatever the others do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.kubernetes.objects import is_ready
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.workloads import Rollout, rollout_of

_LOG_SECONDS, _LOG_BYTES = 900, 65536


@dataclass(frozen=True)
class Held:
    """A rollout does not go on: its pod runs and is not Ready, and one of the rollout before still serves."""

    ref: Ref
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the new pod of {self.ref} is not Ready, and the old one still serves"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return evaluate_held(rollout_of(cluster, self.ref))


def evaluate_held(rollout: Rollout) -> Verdict:
    """Whether there are new pods, none of them Ready, and an old one that is."""
    new = {pod["metadata"]["name"]: is_ready(pod) for pod in rollout.new}
    old = {pod["metadata"]["name"]: is_ready(pod) for pod in rollout.old}
    seen = f"new pods: {_said(new)}; old ones: {_said(old)}"
    return met(seen) if new and not any(new.values()) and any(old.values()) else pending(seen)


def _said(pods: dict[str, bool]) -> str:
    return ", ".join(f"{name} {'Ready' if ready else 'not Ready'}" for name, ready in pods.items()) or "none"


@dataclass(frozen=True)
class NewPodSays:
    """A new pod's own log holds these words."""

    ref: Ref
    container: str
    words: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the new pod of {self.ref} logs {self.words!r}"

    def check(self, cluster: Cluster) -> Verdict:
        """Read the log of each; one that has not begun has none."""
        names = []
        for pod in rollout_of(cluster, self.ref).new:
            names.append(pod["metadata"]["name"])
            try:
                log = cluster.logs(Ref.to(pod), self.container, since_seconds=_LOG_SECONDS, limit_bytes=_LOG_BYTES)
            except ApiError as error:
                if error.status not in (400, 404):
                    raise
                continue
            if line := next((line for line in log.splitlines() if self.words in line), None):
                return met(f"pod {names[-1]}: {line[:300]}")
        return pending(f"no such line in the log of the new pods: {', '.join(names) or 'none'}")


@dataclass(frozen=True)
class NewPodHasEvent:
    """An event about a new pod has this reason and these words."""

    ref: Ref
    reason: str
    words: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"an event {self.reason} is about the new pod of {self.ref} and says {self.words!r}"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return evaluate_event(
            rollout_of(cluster, self.ref).new, cluster.list("Event", self.ref.namespace), self.reason, self.words
        )


def evaluate_event(pods: Sequence[Object], events: Sequence[Object], reason: str, words: str) -> Verdict:
    """Whether one of the events is about one of the pods, for that reason and with those words."""
    uids = {pod["metadata"]["uid"] for pod in pods}
    about = [one for one in events if one["involvedObject"].get("uid", "") in uids]
    for event in about:
        if event.get("reason") == reason and words in (event.get("message") or ""):
            return met(event["message"][:300])
    said = dict.fromkeys(f"{one.get('reason')} ({(one.get('message') or '')[:150]})" for one in about)
    return pending(f"events: {', '.join(said) or 'none'}")


@dataclass(frozen=True)
class NewPodKilled:
    """A container of a new pod was ended for this reason, now or the last time."""

    ref: Ref
    reason: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"a container of the new pod of {self.ref} was ended for {self.reason}"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return evaluate_killed(rollout_of(cluster, self.ref).new, self.reason)


def evaluate_killed(pods: Sequence[Object], reason: str) -> Verdict:
    """Whether a container's state, or the one before, is that it was ended for this reason."""
    seen = []
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            ends = [(status.get(state) or {}).get("terminated") or {} for state in ("state", "lastState")]
            said = [f"{end['reason']} with {end.get('exitCode')}" for end in ends if end.get("reason")]
            here = f"pod {pod['metadata']['name']}: {status['name']}: {', '.join(said) or 'never ended'}"
            here += f", {status.get('restartCount', 0)} restarts"
            if any(end.get("reason") == reason for end in ends):
                return met(here)
            seen.append(here)
    return pending("; ".join(seen) or "no container of a new pod")
