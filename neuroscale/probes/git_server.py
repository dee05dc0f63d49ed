"""The Git server, as this machine sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import httpx

from neuroscale.cluster.client import Cluster
from neuroscale.errors import NeuroscaleError
from neuroscale.git_server import GitServer
from neuroscale.host import direct
from neuroscale.inference_client import IN_A_ROW, evaluate_in_a_row
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending
from neuroscale.settings import GIT_SERVER

GITEA = Ref("Deployment", "gitea", GIT_SERVER)
#: Of the images that Gitea publishes, as in ``gitea/gitea:1.25.4-rootless``.
_TAG = re.compile(r":(\d+\.\d+\.\d+)(?:[-@]|$)")


@dataclass(frozen=True)
class GitServerAnswers:
    """The Git server answers on the mapped port of this machine, and nobody else does."""

    url: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the Git server answers at {self.url}"

    def check(self, cluster: Cluster) -> Verdict:
        """Ask for its version, again and again over connections of their own, for each of which the Service chooses."""
        fresh = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))
        try:
            with direct.client(base_url=self.url, seconds=2, transport=fresh) as http:
                answers = [http.get("/api/v1/version") for _ in range(IN_A_ROW)]
        except httpx.HTTPError as error:
            return pending(f"{type(error).__name__}: {error}")
        if version := deployed_version(cluster.get(GITEA)):
            return evaluate_in_a_row(answers, partial(evaluate_version, version))
        return pending(f"{GITEA} does not say which version it runs")


def deployed_version(deployment: Object | None) -> str:
    """The version of Gitea that a Deployment runs, by the tag of its image; empty where nothing tells it."""
    containers = deployment["spec"]["template"]["spec"]["containers"] if deployment else []
    found = (_TAG.search(container["image"]) for container in containers)
    return next((match[1] for match in found if match), "")


def evaluate_version(version: str, answer: httpx.Response) -> Verdict:
    """It is what Gitea says of itself in this version, and nothing else."""
    try:
        said = answer.json() if answer.is_success else None
    except ValueError:
        said = None
    if said == {"version": version}:
        return met(f"Gitea {version}")
    return pending(f"HTTP {answer.status_code} and {answer.text[:80]!r}, which is not Gitea {version}")


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
        except NeuroscaleError as error:
            return pending(f"{type(error).__name__}: {error}")
        if hook is None:
            return pending("it has no hook for it")
        return met(f"hook {hook['id']} is active") if hook["active"] else pending(f"hook {hook['id']} is switched off")
