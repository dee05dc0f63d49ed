"""The portal: its workloads, its catalog, and a form that somebody could fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroscale.backstage_client import (
    SIGN_IN,
    TEMPLATE,
    Answer,
    Backstage,
    BackstageError,
    Task,
    ask_as_stranger,
    portal,
)
from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending, unrecoverable
from neuroscale.probes.workloads import AllAvailable

NAMESPACE = "backstage"
CONTAINER = "backstage"
APPLICATION = "neuroscale-backstage"
BACKSTAGE = Ref("Deployment", "backstage", NAMESPACE)
#: Made at run time; Git has no secrets.
SECRET = Ref("Secret", "backstage", NAMESPACE)
POSTGRESQL = Ref("StatefulSet", "backstage-postgresql", NAMESPACE)
WORKLOADS = (BACKSTAGE, POSTGRESQL)


def workloads_ready() -> AllAvailable:
    """The portal and its database run."""
    return AllAvailable("the portal", WORKLOADS, area="backstage")


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
        try:
            return evaluate_entity(self.backstage.entity(self.ref), self.spec)
        except BackstageError as error:
            return pending(str(error))


def evaluate_entity(entity: Object | None, spec: Mapping[str, str]) -> Verdict:
    """An entity is there, and its spec says what it should."""
    if entity is None:
        return pending("it is not there")
    found = entity.get("spec") or {}
    wrong = [f"{key} is {found.get(key)!r} and not {value!r}" for key, value in spec.items() if found.get(key) != value]
    return pending("; ".join(wrong)) if wrong else met(", ".join(f"{key} {value}" for key, value in spec.items()))


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
        try:
            return evaluate_failed(portal().tasks(dict(self.values)), self.words)
        except BackstageError as error:
            return pending(str(error))


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
        try:
            return evaluate_answer(ask_as_stranger(self.method, self.path), self.status, self.words)
        except BackstageError as error:
            return pending(str(error))


def evaluate_answer(answer: Answer, status: int, words: str) -> Verdict:
    """The status, and the words somewhere in the content."""
    # What lets somebody in is a secret.
    said = "" if answer.status == 200 else f": {answer.text[:300]}"
    good = answer.status == status and words in answer.text
    return (met if good else pending)(f"it answered {answer.status}{said}")


def guest_admitted() -> Answers:
    """Somebody can sign in."""
    return Answers("POST", SIGN_IN, 200)
