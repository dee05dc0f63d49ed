"""Who may do what at the Git server: users, their tokens, and what they may merge."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Literal

from neuroscale.git_server_api import API, GitServerApi
from neuroscale.settings import GIT_SERVER

#: Everybody who can merge, by what lets them.
Role = Literal["writer", "repository administrator", "site administrator"]


class GitServerMembers(GitServerApi):
    """The Git server's users, administered by the suite's own."""

    def issue_token(self, user: str, scopes: Sequence[str]) -> str:
        """A new token of a user who may write to the repository; the one before it ends.

        Args:
            user: Made if need be, with a password that nobody knows.
            scopes: What Gitea calls what the token may do.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        self.add_member(user, "writer")
        return self.token_of(user, scopes)

    def token_of(self, user: str, scopes: Sequence[str]) -> str:
        """A new token of a user who is there; the one before it ends.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        tokens = f"/api/v1/users/{user}/tokens"
        self._administer("DELETE", f"{tokens}/{user}", None, may=(404,))
        issued = self._administer("POST", tokens, {"name": user, "scopes": list(scopes)})
        return str(issued.json()["sha1"])

    def takes_token(self, token: str) -> bool:
        """Whether a token lets somebody in.

        Raises:
            NeuroscaleError: It answered neither yes nor no.
        """
        with self._api() as api:
            answer = api.get(API, headers={"Authorization": f"token {token}"})
        if answer.status_code not in (200, 401):
            raise self._unexpected("say whether a token lets somebody see", API, answer)
        return answer.is_success

    def add_member(self, user: str, role: Role) -> None:
        """Let somebody write to the repository, or administer it or all of the Git server.

        Args:
            user: Made if need be, with a password that nobody knows.
            role: What lets them merge.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        made = {"username": user, "email": f"{user}@{GIT_SERVER}.local", "must_change_password": False}
        made["password"] = secrets.token_urlsafe(24)
        self._administer("POST", "/api/v1/admin/users", made, may=(422,))  # who exists
        if role == "site administrator":
            self._administer(
                "PATCH", f"/api/v1/admin/users/{user}", {"login_name": user, "source_id": 0, "admin": True}
            )
        else:
            self.grant(user, "admin" if role == "repository administrator" else "write")

    def grant(self, user: str, permission: str) -> None:
        """What a user may do with the repository: ``read``, ``write`` or ``admin``.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        self._administer("PUT", f"{API}/collaborators/{user}", {"permission": permission})

    def member(self, user: str) -> bool:
        """Whether there is such a user.

        Raises:
            NeuroscaleError: The Git server did not say.
        """
        path = f"/api/v1/users/{user}"
        with self._api() as api:
            answer = api.get(path)
        if answer.status_code not in (200, 404):
            raise self._unexpected("say", path, answer)
        return answer.is_success

    def remove_member(self, user: str) -> None:
        """Remove a user, and what is theirs; nothing happens where there is none.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        self._administer("DELETE", f"/api/v1/admin/users/{user}?purge=true", None, may=(404,))

    def try_to_merge(self, number: int, how: Mapping[str, object], token: str) -> int:
        """Ask for a merge with somebody's token, as whoever may not would; returns the HTTP status.

        Args:
            number: Of the pull request.
            how: Gitea's words for it.
            token: Of whoever asks.
        """
        self._cluster.assert_writable(f"POST to {self.url}{API}/pulls/{number}/merge")
        with self._api() as api:
            headers = {"Authorization": f"token {token}"}
            return api.post(f"{API}/pulls/{number}/merge", json=dict(how), headers=headers).status_code

    def call_off_merge(self, number: int) -> None:
        """Call off a merge that waits for statuses; nothing happens where none waits.

        Raises:
            NeuroscaleError: The Git server answered with an error.
        """
        self._administer("DELETE", f"{API}/pulls/{number}/merge", None, may=(404,))
