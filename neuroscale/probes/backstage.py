"""The portal: its workloads, its catalog, and a form that somebody could fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from neuroscale.backstage_client import (
    IDENTITY,
    SIGN_IN,
    TEMPLATE,
    Answer,
    Backstage,
    BackstageError,
    Task,
    ask_as_stranger,
    is_taken,
    portal,
)
from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.workloads import AllAvailable

NAMESPACE = "backstage"
CONTAINER = "backstage"
APPLICATION = "neuroscale-backstage"
BACKSTAGE = Ref("Deployment", "neuroscale-backstage", NAMESPACE)
#: Made at run time; Git has no secrets.
SECRET = Ref("Secret", "backstage", NAMESPACE)
POSTGRESQL = Ref("StatefulSet", "backstage-postgresql", NAMESPACE)
WORKLOADS = (BACKSTAGE, POSTGRESQL)


def workloads_ready() -> AllAvailable:
    """The portal and its database run."""
    return AllAvailable("the portal", WORKLOADS, area="backstage")


def heard(evaluate: Callable[[], Verdict]) -> Verdict:
    """What is to be said of the portal's answer; a portal that gives none may do so later."""
    try:
        return evaluate()
    except BackstageError as error:
        return pending(str(error))


@dataclass(frozen=True)
class CatalogKnows:
    """The catalog has an entity, as Git describes it.

    Attributes:
        backstage: Signs in once, however often it is asked.
        ref: ``kind:namespace/name``.
        spec: What its ``spec`` says at least.
    """

    backstage: Backstage
    ref: str
    spec: Mapping[str, str]
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the portal's catalog has {self.ref}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Ask as a guest."""
        return heard(lambda: evaluate_entity(self.backstage.entity(self.ref), self.spec))


def evaluate_entity(entity: Object | None, spec: Mapping[str, str]) -> Verdict:
    """An entity is there, and its spec says what it should."""
    if entity is None:
        return pending("it is not there")
    found = entity.get("spec") or {}
    wrong = [f"{key} is {found.get(key)!r} and not {value!r}" for key, value in spec.items() if found.get(key) != value]
    return pending("; ".join(wrong)) if wrong else met(", ".join(f"{key} {value}" for key, value in spec.items()))


@dataclass(frozen=True)
class PageSendsTo:
    """The portal's page tells the browser to ask for everything at this address."""

    url: str
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the portal's page sends the browser to {self.url}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Fetch the page."""
        return heard(lambda: evaluate_page(ask_as_stranger("GET", "/"), self.url))


def evaluate_page(answer: Answer, url: str) -> Verdict:
    """Whether the configuration in a page names this address for the backend."""
    configs = _configurations(answer)
    if configs is None:
        return pending(_without_configuration(answer))
    named = [one.get("backend", {}).get("baseUrl") for one in configs]
    last = next((one for one in reversed(named) if one), "nowhere")
    return (met if last == url else pending)(f"it sends the browser to {last}")


@dataclass(frozen=True)
class PageUntitled:
    """The portal's page tells the browser no title of the app, which it cannot do without."""

    area: str = "backstage"
    description: str = "the portal's page has no app.title for the browser"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Fetch the page."""
        return heard(lambda: evaluate_untitled(ask_as_stranger("GET", "/")))


def evaluate_untitled(answer: Answer) -> Verdict:
    """Whether none of the configurations in a page has a title."""
    configs = _configurations(answer)
    if configs is None:
        return pending(_without_configuration(answer))
    titles = [title for one in configs if (title := one.get("app", {}).get("title")) is not None]
    keys = sorted({key for one in configs for key in one.get("app", {})})
    return pending(f"its title is {titles[-1]!r}") if titles else met(f"of app it has {', '.join(keys) or 'nothing'}")


#: As the front end finds it. What comes later in the list is on top of what comes before.
_CONFIG = re.compile(r'<script type="backstage\.io/config">(.*?)</script>', re.DOTALL)


def _configurations(answer: Answer) -> list[Object] | None:
    """What a page tells the browser."""
    found = _CONFIG.search(answer.text) if answer.status == 200 else None
    return [one["data"] for one in json.loads(found[1])] if found else None


def _without_configuration(answer: Answer) -> str:
    said = f": {answer.text[:300]}" if answer.status != 200 else ", and no configuration in its page"
    return f"it answered {answer.status}{said}"


@dataclass(frozen=True)
class NobodyAt:
    """At this address of this machine nobody takes a connection."""

    url: str
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"nobody answers at {self.url}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - this machine is asked
        """Knock."""
        return pending("somebody answers") if is_taken(self.url) else met("nobody takes the connection")


@dataclass(frozen=True)
class FormFailed:
    """The latest task of a form has failed, and says this.

    Attributes:
        values: What the form holds.
        words: Somewhere in what its user is told.
    """

    values: Mapping[str, str | int]
    words: str
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the form for {self.values['name']} has failed and says {self.words!r}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Ask for its tasks."""
        return heard(lambda: evaluate_failed(portal().tasks(dict(self.values)), self.words))


def evaluate_failed(tasks: Sequence[Task], words: str) -> Verdict:
    """Whether the latest task failed with these words; one that has ended will not change."""
    if not tasks:
        return pending("no such form was handed in")
    task = tasks[0]
    seen = f"its task is {task.status}" + (f": {task.error}" if task.error else "")
    if task.status == "failed" and words in task.error:
        return met(seen)
    return unrecoverable(seen) if task.ended else pending(seen)


def template_offered(backstage: Backstage) -> CatalogKnows:
    """The form for a model endpoint can be filled in."""
    return CatalogKnows(backstage, TEMPLATE, {"type": "model-endpoint", "owner": "group:default/platform-team"})


@dataclass(frozen=True)
class LocationsRead:
    """The catalog has read each place that it is filled from, and took what it found there."""

    backstage: Backstage
    area: str = "backstage"
    description: str = "the portal's catalog takes all that its locations hold"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Ask as a guest."""
        return heard(lambda: evaluate_locations(self.backstage.locations()))


def evaluate_locations(locations: Sequence[Object]) -> Verdict:
    """There are some, and none has an error. What it had read before stays in the catalog meanwhile."""
    if not locations:
        return pending("there are no locations")
    said = [error for location in locations for error in _errors(location)]
    return pending("; ".join(said)) if said else met(f"{len(locations)} locations, none with an error")


def _errors(entity: Object) -> list[str]:
    items = (entity.get("status") or {}).get("items") or []
    name = entity["metadata"]["name"]
    return [f"location {name}: {one.get('message', '')[:400]}" for one in items if one.get("level") == "error"]


@dataclass(frozen=True)
class LocationRefused:
    """The catalog does not take what one of its locations holds, and says this."""

    words: str
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the portal's catalog refuses what a location holds and says {self.words!r}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Ask as a guest."""
        return heard(lambda: evaluate_refused(portal().locations(), self.words))


def evaluate_refused(locations: Sequence[Object], words: str) -> Verdict:
    """Whether one has an error with these words."""
    said = [error for location in locations for error in _errors(location)]
    found = next((error for error in said if words in error), None)
    return met(found) if found else pending("; ".join(said) or f"{len(locations)} locations, none with an error")


@dataclass(frozen=True)
class Answers:
    """The portal answers whoever has not signed in like this.

    Attributes:
        method: Of the request.
        path: Of the request.
        status: HTTP status of the answer.
        words: What the answer holds.
    """

    method: str
    path: str
    status: int
    words: str = ""
    area: str = "backstage"

    @property
    def description(self) -> str:
        """The expectation."""
        said = f" and says {self.words!r}" if self.words else ""
        return f"the portal answers {self.method} {self.path} with {self.status}{said}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Ask once."""
        return heard(lambda: evaluate_answer(ask_as_stranger(self.method, self.path), self.status, self.words))


def evaluate_answer(answer: Answer, status: int, words: str) -> Verdict:
    """The status, and the words somewhere in the content."""
    if answer.status == 200:  # what lets somebody in is a secret
        said = "" if words in answer.text else f", without {words!r}"
    else:
        said = f": {answer.text[:300]}"
    good = answer.status == status and words in answer.text
    return (met if good else pending)(f"it answered {answer.status}{said}")


def guest_admitted() -> Answers:
    """Somebody can sign in: the answer says as whom, which nobody else's page does."""
    return Answers("POST", SIGN_IN, 200, f'"{IDENTITY}"')
