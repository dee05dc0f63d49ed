"""The Git server, as this machine sees it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from neuroscale.cluster.client import Cluster
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server import GitServer
from neuroscale.host import direct
from neuroscale.polling import Verdict, met, pending


@dataclass(frozen=True)
class GitServerAnswers:
    """The Git server answers on the mapped port of this machine."""

    url: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the Git server answers at {self.url}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Its health page."""
        try:
            with direct.client(seconds=2) as http:
                answer = http.get(f"{self.url}/api/healthz")
        except httpx.HTTPError as error:
            return pending(f"{type(error).__name__}: {error}")
        return met("healthy") if answer.is_success else pending(f"HTTP {answer.status_code}")


@dataclass(frozen=True)
class PushHookActive:
    """The Git server has the hook that tells Argo CD of each push, and calls it."""

    git_server: GitServer
    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the Git server tells Argo CD of each push"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """What it says of its hook."""
        try:
            hook = self.git_server.push_hook()
        except (NeuroscaleError, httpx.HTTPError) as error:
            return pending(f"{type(error).__name__}: {error}")
        if hook is None:
            return pending("it has no hook for it")
        return met(f"hook {hook['id']} is active") if hook["active"] else pending(f"hook {hook['id']} is switched off")
