"""Backstage: the portal in which a form becomes a pull request, and the PostgreSQL behind it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

from neuroscale.backstage_client import portal
from neuroscale.cluster.ports import Port
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.components.credentials import provide_secret, restart_readers
from neuroscale.host import packages
from neuroscale.kubernetes.objects import secret_values
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import applications, backstage
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.settings import PORTAL_USER
from neuroscale.supply.contract import Demand

_NAMESPACES = (backstage.NAMESPACE,)


def steady_state(platform: Platform) -> Iterable[Probe]:
    """The portal runs, lets guests in, takes what Git describes, and offers its form."""
    yield applications.each_as_in_git(platform.git_server)
    yield backstage.workloads_ready()
    yield ServicesResolved(_NAMESPACES, area="backstage")
    yield backstage.guest_admitted()
    yield backstage.template_offered(portal())
    yield backstage.LocationsRead(portal())


def _credentials(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - Git has no secrets
    """What the portal must know and Git must not: made once, and again when the Git server takes it no longer."""
    cluster, git_server = platform.cluster, platform.git_server
    known = secret_values(cluster.get(backstage.SECRET))
    if not known or not git_server.takes_token(known["GITEA_TOKEN"]):
        values = {
            "GITEA_TOKEN": git_server.issue_token(PORTAL_USER, ("write:repository",)),
            "POSTGRES_PASSWORD": known.get("POSTGRES_PASSWORD") or secrets.token_urlsafe(24),
        }
        provide_secret(cluster, backstage.SECRET, values, [backstage.BACKSTAGE])
    restart_readers(cluster, backstage.SECRET, [backstage.BACKSTAGE])


COMPONENT = Component(
    name="backstage",
    milestone="c",
    title="the golden path: from a form to a model that answers",
    namespaces=_NAMESPACES,
    workloads=backstage.WORKLOADS,
    applications=(backstage.APPLICATION,),
    folders=("backstage", "infrastructure/apps/backstage.yaml", "infrastructure/backstage"),
    demand=Demand(archives=("images-c",), own_archives=("images-c-own",)),
    ports=(Port("backstage", "portal", 7007, 30707),),
    steady_state=steady_state,
    stages=(
        Stage("portal's credentials", _credentials, lambda _: [], after=("repository",), before=("GitOps",)),
        Stage("portal", lambda *_: None, steady_state),
    ),
    evidence=Evidence(kinds=(("apps/v1", "Deployment"), ("apps/v1", "StatefulSet")), logs=backstage.WORKLOADS),
    tools={packages.BROWSER: "a browser"},
)
