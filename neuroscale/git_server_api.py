"""Gitea's own HTTP API, as the suite asks it: what is no commit and no pull request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Protocol

import httpx

from neuroscale.errors import ClusterUnreachable, NeuroscaleError
from neuroscale.host import direct
from neuroscale.kubernetes.objects import secret_values
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.settings import ARGOCD, BUDGETS, GATE_REPORTER, GATE_STATUS, GIT_SERVER

OWNER, REPOSITORY, BRANCH = "neuroscale", "platform", "main"
BOT = "neuroscale-bot"
CREDENTIALS = Ref("Secret", "gitea-bot", GIT_SERVER)
#: Where Argo CD hears of pushes; ``bootstrap/forge/app.ini`` allows the Git server to go there.
PUSH_HOOK_URL = f"https://argocd-server.{ARGOCD}.svc.cluster.local/api/webhook"

#: Gitea's rule for ``main``. A status can be set by everybody who may push, so the reporter's approval is asked for as
#: well: it counts for the commit that it was given to, and for no other.
PROTECTION: Object = {
    "rule_name": BRANCH,
    "enable_push": True,
    "enable_push_whitelist": True,
    "push_whitelist_usernames": [BOT],
    "enable_status_check": True,
    "status_check_contexts": [GATE_STATUS],
    "required_approvals": 1,
    "enable_approvals_whitelist": True,
    "approvals_whitelist_username": [GATE_REPORTER],
    "dismiss_stale_approvals": True,
    "ignore_stale_approvals": True,
    "block_admin_merge_override": True,
}

#: Where the cluster reaches it.
SERVICE_URL = f"http://gitea.{GIT_SERVER}.svc.cluster.local:3000"
API = f"/api/v1/repos/{OWNER}/{REPOSITORY}"


class Keeper(Protocol):
    """Where the Git server runs, as far as it matters to whoever asks it: a cluster, or this machine."""

    def assert_writable(self, what: str) -> None:
        """Return if a write may go out.

        Raises:
            WriteForbidden: It may not.
        """
        ...

    def get(self, ref: Ref) -> Object | None:
        """The Secret with the password of the one who administers it."""
        ...


class GitServerApi:
    """The Git server, asked as the one who administers it."""

    def __init__(self, cluster: Keeper, url: str) -> None:
        self.url = url
        self._cluster = cluster

    # --- who is told of pushes

    def push_hook(self) -> Object | None:
        """The hook that tells Argo CD of each push to ``main``, as Gitea describes it; or ``None``.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        with self._api() as api:
            answer = api.get(f"{API}/hooks", auth=(BOT, self._password))
        if not answer.is_success:
            raise self._unexpected("list", f"{API}/hooks", answer)
        return next((hook for hook in answer.json() if hook["config"]["url"] == PUSH_HOOK_URL), None)

    def provide_push_hook(self, signed_with: str, *, anew: bool) -> None:
        """Have Argo CD told of each push to ``main``.

        Args:
            signed_with: The secret that Argo CD knows.
            anew: A hook that is there goes first. *Measured* with Gitea 1.25.4: an edit leaves its secret as it was.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        known = self.push_hook()
        if known and not anew:
            if not known["active"]:
                self.switch_push_hook(active=True)
            return
        if known:
            self._administer("DELETE", f"{API}/hooks/{known['id']}", None)
        config = {"url": PUSH_HOOK_URL, "content_type": "json", "secret": signed_with}
        hook = {"type": "gitea", "config": config, "events": ["push"], "branch_filter": BRANCH, "active": True}
        self._administer("POST", f"{API}/hooks", hook)

    def switch_push_hook(self, *, active: bool) -> None:
        """Let the hook be called, or not; nothing happens where there is none.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        if known := self.push_hook():
            self._administer("PATCH", f"{API}/hooks/{known['id']}", {"active": active})

    # --- what main takes

    def protection(self) -> Object | None:
        """The rule that protects ``main``, as Gitea describes it; or ``None``.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        path = f"{API}/branch_protections/{BRANCH}"
        with self._api() as api:
            answer = api.get(path, auth=(BOT, self._password))
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise self._unexpected("say", path, answer)
        rule: Object = answer.json()
        return rule

    def protect_main(self, **changed: object) -> None:
        """Let ``main`` take no pull request without the gate's word, and no push but the suite's own.

        Args:
            changed: Fields of Gitea's rule that shall be otherwise.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        rule = PROTECTION | changed
        if self.protection() is None:
            self._administer("POST", f"{API}/branch_protections", rule)
        else:
            self._administer("PATCH", f"{API}/branch_protections/{BRANCH}", rule)

    # --- who signs in with an account of it

    def register_client(self, name: str, redirect: str) -> tuple[str, str]:
        """A program in which people sign in with their account here (OpenID Connect); its ID and its secret.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        asked = {"name": name, "redirect_uris": [redirect], "confidential_client": True}
        made = self._administer("POST", "/api/v1/user/applications/oauth2", asked).json()
        return str(made["client_id"]), str(made["client_secret"])

    # --- packages

    def has_package(self, path: str) -> bool:
        """Whether the package registry has a file (``/api/packages/…``).

        Raises:
            NeuroscaleError: It answered neither yes nor no.
        """
        with self._api() as api, api.stream("GET", path) as answer:
            if answer.status_code not in (200, 404):
                raise self._unexpected("say whether it has", path, answer)
            return answer.status_code == 200

    def upload_package(self, path: str, content: bytes) -> None:
        """Put a file into the package registry; one that is there already stays as it is.

        Raises:
            NeuroscaleError: The registry refused it.
        """
        self._cluster.assert_writable(f"PUT to {self.url}{path}")
        with self._api() as api:
            answer = api.put(path, content=content, auth=(BOT, self._password))
        if answer.status_code not in (201, 409):  # the latter says that it exists
            raise self._unexpected("take", path, answer)

    # --- how

    def _administer(self, method: str, path: str, body: object, *, may: tuple[int, ...] = ()) -> httpx.Response:
        self._cluster.assert_writable(f"{method} to {self.url}{path}")
        with self._api() as api:
            answer = api.request(method, path, json=body, auth=(BOT, self._password))
        if not answer.is_success and answer.status_code not in may:
            raise self._unexpected(f"take {method}", path, answer)
        return answer

    @contextmanager
    def _api(self) -> Iterator[httpx.Client]:
        with direct.client(base_url=self.url, seconds=BUDGETS.request) as api:
            try:
                yield api
            except httpx.HTTPError as error:
                raise NeuroscaleError(
                    f"The Git server should answer at {self.url}, but: {type(error).__name__}: {error}. "
                    "Next: neuroscale check gitops"
                ) from error

    def _unexpected(self, verb: str, path: str, answer: httpx.Response) -> NeuroscaleError:
        said = answer.read()[:300].decode(errors="replace")
        return NeuroscaleError(
            f"The Git server at {self.url} should {verb} {path}, but answered {answer.status_code}: {said}. "
            f"Next: kubectl -n {GIT_SERVER} logs deploy/gitea"
        )

    @cached_property
    def _password(self) -> str:
        values = secret_values(self._cluster.get(CREDENTIALS))
        if not values:
            raise ClusterUnreachable(
                f"{CREDENTIALS} should hold the Git server's password, but is missing. Next: neuroscale up"
            )
        return values["password"]
