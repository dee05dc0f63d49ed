"""What an operator sees while serving is broken: each a question whose answer is yes as long as the trouble lasts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuroscale.cluster.client import Cluster
from neuroscale.errors import ApiError
from neuroscale.inference_client import (
    Endpoint,
    InferenceResponse,
    ask,
    endpoint_of,
    evaluate_not_found,
    gateway_url,
)
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.model_store import expected_predictions
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes import argo
from neuroscale.probes.endpoints import ready, slices_of
from neuroscale.probes.knative_resources import condition, fetch, inference_service
from neuroscale.probes.workloads import pods_of

#: The first one with its namespace.
_OWNERS = re.compile(r"is part of applications (\S+) and (\S+)")
#: Seconds. Whoever replays an incident waits longer than this from the last sync of one replay to the next replay.
_LATELY = 10.0


@dataclass(frozen=True)
class Shows:
    """An object has a condition of this type, with this status and, if given, this reason and these words."""

    ref: Ref
    condition: str
    status: Collection[str]
    reason: str = ""
    words: str = ""
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        why = f" for {self.reason}" if self.reason else ""
        said = f" with {self.words!r}" if self.words else ""
        return f"{self.ref} shows {self.condition} {' or '.join(self.status)}{why}{said}"

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        return evaluate_shown(fetch(cluster, self.ref), self.condition, self.status, self.reason, self.words)


def evaluate_shown(obj: Object | None, kind: str, status: Collection[str], reason: str, words: str = "") -> Verdict:
    """Whether the condition is there as expected."""
    if obj is None:
        return pending("it does not exist")
    found = condition(obj, kind)
    seen = f"{kind}={found.get('status', 'nothing')} ({found.get('reason', '')}: {found.get('message', '')[:300]})"
    good = found.get("status") in status and reason in (found.get("reason", ""), "")
    return met(seen) if good and words in found.get("message", "") else pending(seen)


@dataclass(frozen=True)
class HasEvent:
    """An event about an object has this reason and, if some are given, these words."""

    ref: Ref
    reason: str
    words: str = ""
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        said = f" and says {self.words!r}" if self.words else ""
        return f"an event {self.reason} is about {self.ref}{said}"

    def check(self, cluster: Cluster) -> Verdict:
        """List the events about the object that has this name now: those of a namesake before it stay for an hour."""
        uid = (fetch(cluster, self.ref) or {"metadata": {"uid": None}})["metadata"]["uid"]
        events = cluster.list("Event", self.ref.namespace)
        about = [event for event in events if event["involvedObject"].get("uid", "") == uid]
        said = [(event.get("reason", ""), event.get("message") or "") for event in about]
        found = next((what for reason, what in said if reason == self.reason and self.words in what), None)
        if found is not None:
            return met(found)
        # What each says is needed where a reason stands for many things.
        seen = (f"{reason} ({what[:300]})" if self.words else reason for reason, what in said)
        return pending(f"events: {', '.join(dict.fromkeys(seen)) or 'none'}")


@dataclass(frozen=True)
class ImageMissing:
    """A container of a workload's pod waits for an image that cannot be had."""

    ref: Ref
    container: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the container {self.container} of {self.ref} waits for its image"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge the pods."""
        obj = cluster.get(self.ref)
        return evaluate_image_missing(pods_of(cluster, obj) if obj else [], self.container)


def evaluate_image_missing(pods: Sequence[Object], container: str) -> Verdict:
    """Whether a container of that name waits because of its image."""
    seen = []
    for pod in pods:
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            waiting = (status.get("state") or {}).get("waiting") or {}
            if status["name"] == container and waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff"):
                return met(f"pod {pod['metadata']['name']}: {waiting['reason']}: {waiting.get('message', '')[:300]}")
            seen.append(f"{status['name']} {waiting.get('reason', 'does not wait')}")
    return pending(f"containers: {', '.join(seen) or 'none'}")


@dataclass(frozen=True)
class NoEndpoint:
    """Nobody answers for a Service: it has no ready endpoint."""

    ref: Ref
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"{self.ref} has no ready endpoint"

    def check(self, cluster: Cluster) -> Verdict:
        """Count over its slices."""
        slices = slices_of(cluster, self.ref)
        if not slices:
            return pending("it has no slice of endpoints, so nothing can be said")
        ends = ready(slices)
        return pending(f"{len(ends)} ready endpoints") if ends else met("none of its endpoints is ready")


@dataclass(frozen=True)
class WouldBeRejected:
    """The API server would reject this new object, in these words; asked in a dry run."""

    manifest: Object
    words: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"a new {self.manifest['kind']} is rejected with {self.words!r}"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask."""
        try:
            cluster.create(self.manifest, dry_run=True)
        except ApiError as error:
            return met(str(error)) if self.words in str(error) else pending(str(error))
        return pending("it would be taken")


@dataclass(frozen=True)
class LeadsTo:
    """The URL of an InferenceService lies below a domain."""

    name: str
    domain: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'the URL of "{self.name}" lies below {self.domain}'

    def check(self, cluster: Cluster) -> Verdict:
        """Fetch and judge."""
        isvc = fetch(cluster, inference_service(self.name))
        url = str(((isvc or {}).get("status") or {}).get("url", ""))
        return (met if urlsplit(url).netloc.endswith(f".{self.domain}") else pending)(f"its URL is {url or 'not set'}")


@dataclass(frozen=True)
class NotFound:
    """The gateway answers 404: at the URL of an InferenceService, or at a host that it used to have."""

    name: str
    host: str = ""
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'the gateway knows nothing of "{self.name}" at {self.host or "its URL"}'

    def check(self, cluster: Cluster) -> Verdict:
        """Ask once."""
        gateway = gateway_url(cluster)
        known = endpoint_of(fetch(cluster, inference_service(self.name)), gateway)
        where = Endpoint(gateway, self.host, self.name) if self.host else known
        if where is None:
            return pending("it has no URL")
        return evaluate_not_found(ask(where, expected_predictions().inputs["the reference rows"]))


@dataclass(frozen=True)
class Redirected:
    """Who asks a model is sent on to HTTPS, by somebody in the gateway's place (a symptom of incident C7)."""

    name: str
    area: str = "serving"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'a request to "{self.name}" is redirected to HTTPS by somebody who is not the gateway'

    def check(self, cluster: Cluster) -> Verdict:
        """Ask once."""
        where = endpoint_of(fetch(cluster, inference_service(self.name)), gateway_url(cluster))
        if where is None:
            return pending("it has no URL")
        return evaluate_redirected(ask(where, expected_predictions().inputs["the reference rows"]), where.host)


def evaluate_redirected(answer: InferenceResponse, host: str) -> Verdict:
    """A redirect to the same host by HTTPS, whose sender does not call itself Envoy."""
    to = urlsplit(answer.location)
    seen = f"{answer.status} of {answer.by or 'somebody'}, Location {answer.location or 'not set'}"
    redirected = answer.status in (301, 302, 307, 308) and (to.scheme, to.netloc) == ("https", host)
    return met(seen) if redirected and answer.by != "envoy" else pending(seen)


@dataclass(frozen=True)
class SyncsAgain:
    """Self-heal has synced an Application so many times at one commit, and the last time a moment ago.

    Argo CD counts on for minutes after the drift is over: the count alone may tell of an earlier one.
    """

    name: str
    attempts: int
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f'Application "{self.name}" is healed {self.attempts} times at one commit'

    def check(self, cluster: Cluster) -> Verdict:
        """Ask its latest operation."""
        app = cluster.get(argo.application(self.name)) or {}
        count, ago = argo.attempts(app), argo.since_last_sync(app)
        last = "under way" if ago is None else f"{ago:.0f} s ago"
        seen = f"{count} attempts, the last {last}; {argo.describe(app)}"
        return met(seen) if count >= self.attempts and (ago or 0.0) <= _LATELY else pending(seen)


@dataclass(frozen=True)
class SharedResource:
    """Argo CD warns that an object belongs to both of two Applications: whichever applied it last has it."""

    names: tuple[str, str]
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"Argo CD warns that an object belongs to both {' and '.join(self.names)}"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask both: it is the one that lost the object who says so."""
        return evaluate_shared({name: cluster.get(argo.application(name)) for name in self.names})


def evaluate_shared(apps: Mapping[str, Object | None]) -> Verdict:
    """Whether one of them has the warning, and names the other."""
    seen = []
    for name, app in apps.items():
        verdict = argo.evaluate_error_shown(app, ("SharedResourceWarning",), "is part of applications")
        owners = _OWNERS.search(verdict.observed)
        if verdict and owners and {owner.rpartition("/")[2] for owner in owners.groups()} == set(apps):
            return met(f"{name}: {verdict.observed}")
        seen.append(f"{name}: {verdict.observed}")
    return pending("; ".join(seen))
