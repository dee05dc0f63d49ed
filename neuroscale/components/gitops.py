"""GitOps: the Git server, Argo CD, and the repository between them.

What is applied by hand is only what Argo CD cannot do;
``bootstrap/README.md`` says why for each.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from neuroscale.cluster.apply import apply_all
from neuroscale.cluster.ports import Port
from neuroscale.components.application_sets import refresh_after_error
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.git_server_api import BOT, CREDENTIALS
from neuroscale.kubernetes.objects import secret, secret_values
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.kustomize import documents, kustomize
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import applications, argo, expected, nodes
from neuroscale.probes.certificates import ApiServerCertificateLasts, CertificatesLast
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.probes.git_server import GITEA, GitServerAnswers, PushHookActive
from neuroscale.probes.kinds import KindsServed
from neuroscale.probes.workloads import AllAvailable, ImagesPulled
from neuroscale.settings import APPLICATION_SET, ARGOCD, GIT_SERVER, ROOT_APPLICATION
from neuroscale.supply.contract import Demand

_NAMESPACES = (ARGOCD, GIT_SERVER)
_REDIS = Ref("Secret", "argocd-redis", ARGOCD)
_SETTINGS = Ref("Secret", "argocd-secret", ARGOCD)
#: What signs the Git server's hooks, as Argo CD calls it: of the two that it understands, Gitea speaks like Gogs.
_HOOK_KEY = "webhook.gogs.secret"


def steady_state(platform: Platform) -> Iterable[Probe]:
    """Argo CD runs, and all that it relies on; each Application that Git describes is good at the latest commit."""
    yield nodes.NodesFit()
    yield ImagesPulled()
    # Without TLS, as behind `kubectl proxy`, there is no certificate to ask about.
    if platform.cluster.server.startswith("https:"):
        yield ApiServerCertificateLasts()
    yield nodes.ClusterServicesReady()
    yield ServicesResolved(_NAMESPACES, area="gitops")
    yield _git_server_ready()
    yield GitServerAnswers(platform.git_server.url, area="gitops")
    yield PushHookActive(platform.git_server)
    yield argo.workloads_ready()
    yield CertificatesLast((ARGOCD,), area="gitops")
    yield applications.ApplicationsExist(expected.applications(platform.git_server))
    yield applications.each_as_in_git(platform.git_server)


def _git_server_ready() -> AllAvailable:
    return AllAvailable("the Git server", (GITEA,), area="gitops")


def _forge(platform: Platform, tree: Path) -> None:
    cluster = platform.cluster
    objects = kustomize(tree / "bootstrap" / "forge")
    apply_all(cluster, (obj for obj in objects if obj["kind"] == "Namespace"))
    if cluster.get(CREDENTIALS) is None:
        cluster.create(secret(CREDENTIALS, {"username": BOT, "password": secrets.token_urlsafe(24)}))
    apply_all(cluster, objects)


def _argocd(platform: Platform, tree: Path) -> None:
    cluster, objects = platform.cluster, kustomize(tree / "bootstrap" / "argocd")
    apply_all(cluster, (obj for obj in objects if obj["kind"] == "Namespace"))
    # Argo CD would make this Secret in an init container, and its other pods would back off until it is there.
    if cluster.get(_REDIS) is None:
        cluster.create(secret(_REDIS, {"auth": secrets.token_urlsafe(16)}))
    _stamp_settings(objects)
    apply_all(cluster, objects)


def _stamp_settings(objects: list[Object]) -> None:
    """Pods read most settings once, at their start; a digest in the template rolls them when a setting changes."""
    settings = [obj.get("data") for obj in objects if obj["kind"] == "ConfigMap"]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
    for obj in objects:
        if obj["kind"] in ("Deployment", "StatefulSet"):
            template = obj["spec"]["template"]["metadata"]
            template["annotations"] = {**(template.get("annotations") or {}), "neuroscale.io/settings": digest}


def _repository(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - it is made empty
    platform.git_server.ensure_repository()


def _push_hook(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - it is no manifest
    known = secret_values(platform.cluster.get(_SETTINGS)).get(_HOOK_KEY)
    shared = known or secrets.token_urlsafe(24)
    if not known:
        # No server-side apply: the next one of Argo CD's manifests, which have this Secret empty, would take it away.
        platform.cluster.patch(_SETTINGS, {"data": secret(_SETTINGS, {_HOOK_KEY: shared})["data"]})
    platform.git_server.provide_push_hook(shared, anew=not known)


def _gitops(platform: Platform, tree: Path) -> None:
    platform.git_server.fill(tree, "Platform as in the checkout")
    for file in ("projects.yaml", "root-app.yaml"):
        apply_all(platform.cluster, documents((tree / "bootstrap" / file).read_text(encoding="utf-8")))


COMPONENT = Component(
    name="gitops",
    milestone="a",
    title="GitOps and drift self-heal",
    namespaces=_NAMESPACES,
    workloads=(*argo.WORKLOADS, GITEA),
    applications=(ROOT_APPLICATION, APPLICATION_SET, "neuroscale-default-namespace-resources"),
    folders=("apps/test-app", "bootstrap", "infrastructure/namespaces/default"),
    demand=Demand(archives=("images-a",), manifests={"argocd": "argocd-files"}),
    ports=(
        Port("forge", "Git server", 3300, 30300),
        Port("argocd", "Argo CD", 8081, 30443, scheme="https"),
    ),
    steady_state=steady_state,
    stages=(
        Stage("cluster DNS", lambda *_: None, lambda _: [nodes.ClusterServicesReady()]),
        Stage(
            "Git server",
            _forge,
            lambda platform: [_git_server_ready(), GitServerAnswers(platform.git_server.url)],
        ),
        Stage("Argo CD", _argocd, lambda _: [argo.workloads_ready()]),
        Stage("Argo CD's kinds", lambda *_: None, lambda _: [KindsServed()]),
        # What was made is there: nothing is left to wait for.
        Stage("repository", _repository, lambda _: [], after=("Git server",)),
        Stage(
            "push hook",
            _push_hook,
            lambda platform: [PushHookActive(platform.git_server)],
            after=("repository", "Argo CD's kinds"),
        ),
        Stage(
            "GitOps",
            _gitops,
            steady_state,
            after=("repository", "Argo CD's kinds"),
            refresh=refresh_after_error(APPLICATION_SET),
        ),
    ),
    evidence=Evidence(
        kinds=(("argoproj.io/v1alpha1", "Application"), ("argoproj.io/v1alpha1", "ApplicationSet")),
        logs=(
            argo.CONTROLLER,
            argo.REPO_SERVER,
            argo.APPLICATION_SET_CONTROLLER,
        ),
    ),
)
