"""Checks on pull requests: a Job judges each commit that one proposes, and ``main`` takes none without its word."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neuroscale.components.application_sets import refresh_after_error
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.components.credentials import provide_secret, restart_readers
from neuroscale.kubernetes.objects import secret_values
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import pull_requests
from neuroscale.settings import GATE_REPORTER, GATE_WATCHER
from neuroscale.supply.contract import Demand

#: Who sets statuses -> what the token is for; the first comments as well.
SCOPES = {GATE_REPORTER: ("write:issue", "write:repository"), GATE_WATCHER: ("write:repository",)}


def steady_state(platform: Platform) -> Iterable[Probe]:
    """Somebody watches, and ``main`` is protected."""
    yield pull_requests.workloads_ready()
    yield pull_requests.main_protected(platform.git_server)


def _credentials(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - Git has no secrets
    """A token for each who sets statuses: made once, and again when the Git server takes it no longer, or for more."""
    cluster, git_server = platform.cluster, platform.git_server
    for user, scopes in SCOPES.items():
        token, readers = pull_requests.token(user), pull_requests.WORKLOADS if user == GATE_WATCHER else ()
        known = secret_values(cluster.get(token))
        good = known.get("SCOPES") == " ".join(scopes) and git_server.takes_token(known.get("TOKEN", ""))
        if not good:
            values = {"TOKEN": git_server.issue_token(user, scopes), "SCOPES": " ".join(scopes)}
            provide_secret(cluster, token, values, readers)
        restart_readers(cluster, token, readers)


def _protect(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - the rule is the Git server's
    if not pull_requests.main_protected(platform.git_server).check(platform.cluster):
        platform.git_server.protect_main()


COMPONENT = Component(
    name="pull_requests",
    milestone="c",
    title="the golden path: from a form to a model that answers",
    namespaces=(pull_requests.NAMESPACE,),
    workloads=pull_requests.WORKLOADS,
    applications=(pull_requests.APPLICATION,),
    folders=("infrastructure/apps/pull-requests.yaml", "infrastructure/pull-requests"),
    demand=Demand(own_archives=("images-gate-own",)),
    steady_state=steady_state,
    stages=(
        Stage("gate's credentials", _credentials, lambda _: [], after=("repository",), before=("GitOps",)),
        Stage("protection of main", _protect, lambda _: [], after=("gate's credentials",)),
        Stage(
            "pull-request gate", lambda *_: None, steady_state, refresh=refresh_after_error(pull_requests.APPLICATION)
        ),
    ),
    evidence=Evidence(kinds=(("batch/v1", "Job"),), logs=pull_requests.WORKLOADS),
)
