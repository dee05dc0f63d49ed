"""Asking the portal as its front end does: signed in as a guest, by Backstage's own HTTP API."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Literal

import httpx

from neuroscale.cluster.state import load_state
from neuroscale.errors import NeuroscaleError, PreconditionFailed
from neuroscale.host import direct
from neuroscale.kubernetes.refs import Object
from neuroscale.settings import BUDGETS

TEMPLATE = "template:default/model-endpoint"
#: Where a guest is let in, and where the answer says as whom.
SIGN_IN, IDENTITY = "/api/auth/guest/refresh", "backstageIdentity"
_HERE = "Next: kubectl -n backstage logs deploy/neuroscale-backstage"


class BackstageError(NeuroscaleError):
    """The portal did not do what it was asked.

    Attributes:
        status: HTTP status of its answer, or ``None`` when there was none.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What the portal answered.

    Attributes:
        status: HTTP status.
        text: Its content.
    """

    status: int
    text: str


@dataclass(frozen=True)
class Task:
    """A run of a template.

    Attributes:
        status: As the scaffolder says it.
        output: What the template gives out; the links that its user sees.
        error: Why it failed, as its user sees it; empty for one that did not.
        ended_at: When it ended, by the clock of its database.
    """

    id: str
    status: Literal["open", "processing", "completed", "failed", "cancelled", "skipped"]
    output: Object
    error: str = ""
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Nothing more comes of it."""
        return self.status not in ("open", "processing")


@dataclass(frozen=True)
class Refusal:
    """Why a form was not taken.

    Attributes:
        fields: Those that its reasons name.
        said: The reasons, as its user sees them.
    """

    fields: frozenset[str]
    said: str


def _refusal(answer: httpx.Response) -> Refusal:
    """What the scaffolder says of a form: errors of its schema, each with the field that it is about."""
    errors = answer.json().get("errors") or []
    return Refusal(frozenset(map(_field, errors)), answer.text[:600])


def _field(error: Object) -> str:
    """What an error is about. A field that is missing, or that must not be there, is no part of what is there."""
    if error["path"]:
        return str(error["path"][0])
    return str(error["instance"] if error["name"] == "enum" else error["argument"])


class Backstage:
    """The portal at an address, as a guest of it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def entity(self, ref: str) -> Object | None:
        """An entity of the catalog by ``kind:namespace/name``, or ``None``.

        Raises:
            BackstageError: It did not say.
        """
        kind, _, rest = ref.partition(":")
        answer = self._request("GET", f"/api/catalog/entities/by-name/{kind}/{rest}", may=(404,))
        return None if answer.status_code == 404 else dict(answer.json())

    def locations(self) -> list[Object]:
        """Where the catalog reads, each with what it thinks of it.

        Raises:
            BackstageError: It did not say.
        """
        answer = self._request("GET", "/api/catalog/entities/by-query?filter=kind=location&limit=500")
        return [dict(entity) for entity in answer.json()["items"]]

    def create_task(self, values: Object, template: str = TEMPLATE) -> str:
        """Hand in a form; returns the task's id.

        Raises:
            BackstageError: It was refused; the text names the field.
        """
        answer = self._request("POST", "/api/scaffolder/v2/tasks", {"templateRef": template, "values": values})
        return str(answer.json()["id"])

    def task(self, task_id: str) -> Task:
        """How a task stands.

        Raises:
            BackstageError: It did not say.
        """
        status = self._request("GET", f"/api/scaffolder/v2/tasks/{task_id}").json()["status"]
        task = Task(task_id, status, {})
        if not task.ended:
            return task
        events = self._request("GET", f"/api/scaffolder/v2/tasks/{task_id}/events").json()
        ends = [event for event in events if event["type"] == "completion"]
        if not ends:
            return task
        body, at = ends[-1]["body"], ends[-1].get("createdAt")
        return replace(
            task,
            output=body.get("output") or {},
            error=(body.get("error") or {}).get("message", ""),
            ended_at=datetime.fromisoformat(at) if at else None,
        )

    def tasks(self, values: Object) -> list[Task]:
        """The tasks of forms with exactly these values, latest first.

        Raises:
            BackstageError: It did not say.
        """
        found = self._request("GET", "/api/scaffolder/v2/tasks?order=desc:created_at&limit=50").json()["tasks"]
        return [self.task(one["id"]) for one in found if one["spec"].get("parameters") == values]

    def refusal(self, values: Object, template: str = TEMPLATE) -> Refusal | None:
        """Hand in a form that should be refused; ``None`` when it was taken.

        Raises:
            BackstageError: It was neither.
        """
        answer = self._request(
            "POST", "/api/scaffolder/v2/tasks", {"templateRef": template, "values": values}, may=(400,)
        )
        return None if answer.is_success else _refusal(answer)

    def dry_run(self, template: Object, values: Object, files: Mapping[str, bytes]) -> Refusal | dict[str, str]:
        """Try a form without any trace.

        Args:
            template: The template, as it stands in Git.
            values: What the form holds.
            files: Path beside the template -> content.

        Returns:
            Why it is refused; or path -> content of what would be proposed.

        Raises:
            BackstageError: It was neither.
        """
        contents = [{"path": path, "base64Content": b64encode(file).decode()} for path, file in files.items()]
        body = {"template": template, "values": values, "secrets": {}, "directoryContents": contents}
        answer = self._request("POST", "/api/scaffolder/v2/dry-run", body, may=(400,))
        if not answer.is_success:
            return _refusal(answer)
        made = answer.json()["directoryContents"]
        return {file["path"]: b64decode(file["base64Content"]).decode() for file in made}

    def _request(self, method: str, path: str, body: Any = None, *, may: tuple[int, ...] = ()) -> httpx.Response:
        """Ask; an answer that is neither good nor among ``may`` is an error."""
        try:
            answer = self._http.request(method, path, json=body)
            if answer.status_code == 401:  # a guest's token lasts an hour, or until the portal is made anew
                self.__dict__.pop("_http").close()
                answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise BackstageError(
                f"The portal at {self.url} should answer {method} {path}, but: {type(error).__name__}: {error}. {_HERE}"
            ) from error
        if not answer.is_success and answer.status_code not in may:
            raise BackstageError(
                f"The portal at {self.url} should take {method} {path}, but answered {answer.status_code}: "
                f"{answer.text[:600]}. {_HERE}",
                answer.status_code,
            )
        return answer

    @cached_property
    def _http(self) -> httpx.Client:
        http = direct.client(base_url=self.url, seconds=BUDGETS.request)
        answer = http.post(SIGN_IN)
        if not answer.is_success or IDENTITY not in answer.text:
            http.close()
            raise BackstageError(
                f"The portal at {self.url} should let a guest in, but answered {answer.status_code}: "
                f"{answer.text[:300]}. {_HERE}",
                answer.status_code,
            )
        http.headers["Authorization"] = f"Bearer {answer.json()[IDENTITY]['token']}"
        return http


def ask_as_stranger(method: str, path: str) -> Answer:
    """Ask our portal as somebody who has not signed in; over a connection of its own, so that whoever is Ready answers.

    Raises:
        BackstageError: Nobody answered.
        PreconditionFailed: The cluster has no port for it.
    """
    url = backstage_url()
    try:
        with direct.client(base_url=url, seconds=BUDGETS.request) as http:
            answer = http.request(method, path)
    except httpx.HTTPError as error:
        raise BackstageError(
            f"The portal at {url} should answer {method} {path}, but: {type(error).__name__}: {error}. {_HERE}"
        ) from error
    return Answer(answer.status_code, answer.text)


def is_taken(url: str) -> bool:
    """Whether anybody takes connections at an address of this machine."""
    try:
        with direct.client(seconds=BUDGETS.request) as http:
            http.get(url)
    except httpx.ConnectError:
        return False
    except httpx.HTTPError:
        return True
    return True


def portal() -> Backstage:
    """The portal of our cluster; whoever asks again stays signed in.

    Raises:
        PreconditionFailed: The cluster has no port for it.
    """
    return _signed_in(backstage_url())


@cache
def _signed_in(url: str) -> Backstage:
    return Backstage(url)


def backstage_url() -> str:
    """Where this machine reaches the portal.

    Raises:
        PreconditionFailed: The cluster has no port for it.
    """
    state = load_state()
    if state is None or "backstage" not in (state.ports or {}):
        raise PreconditionFailed("The cluster should have a port for the portal, but has none. Next: neuroscale up")
    return f"http://127.0.0.1:{(state.ports or {})['backstage']}"
