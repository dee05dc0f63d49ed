"""The stages of a bootstrap, in order. Each applies something by hand and has a gate of probes behind it.

What is applied by hand is only what Argo CD cannot do itself; ``bootstrap/README.md`` says why for each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from neuroscale.bootstrap import refresh
from neuroscale.bootstrap.render import documents, kustomize
from neuroscale.cluster.client import Cluster
from neuroscale.git_server import BOT, CREDENTIALS
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.milestones import probes_of
from neuroscale.platform import Platform
from neuroscale.polling import Probe, Verdict, met, pending
from neuroscale.probes import argo
from neuroscale.probes.workloads import AllAvailable, Available
from neuroscale.serving.models import ensure_models
from neuroscale.settings import ARGOCD, GIT_SERVER

_REDIS = Ref("Secret", "argocd-redis", ARGOCD)
#: Kinds that other objects of the same apply depend on.
_FIRST = ("Namespace", "CustomResourceDefinition", "AppProject")
#: Requests under way at once.
_AT_ONCE = 4


@dataclass(frozen=True)
class Stage:
    """One step of the bootstrap.

    Attributes:
        apply: Does it, given the platform and the tree that goes to the forge.
        gate: What must be met for the stage to be done.
        after: Stages that must be done before this one may begin; the others come up at the same time.
        milestone: Whose components it brings up.
        nudge: Helps along while the gate is waited for, every few seconds; says what it did.
    """

    name: str
    apply: Callable[[Platform, Path], None]
    gate: Callable[[Platform], Iterable[Probe]]
    after: tuple[str, ...] = ()
    milestone: str = "a"
    nudge: Callable[[Platform], Iterable[str]] = lambda _: ()


def _forge(platform: Platform, tree: Path) -> None:
    cluster = platform.cluster
    objects = kustomize(tree / "bootstrap" / "forge")
    apply_all(cluster, (obj for obj in objects if obj["kind"] == "Namespace"))
    if cluster.get(CREDENTIALS) is None:
        cluster.create(_secret(CREDENTIALS, {"username": BOT, "password": secrets.token_urlsafe(24)}))
    apply_all(cluster, objects)


def _argocd(platform: Platform, tree: Path) -> None:
    cluster, objects = platform.cluster, kustomize(tree / "bootstrap" / "argocd")
    apply_all(cluster, (obj for obj in objects if obj["kind"] == "Namespace"))
    # Argo CD would make this Secret in an init container, and its other pods would back off until it is there.
    if cluster.get(_REDIS) is None:
        cluster.create(_secret(_REDIS, {"auth": secrets.token_urlsafe(16)}))
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


def _models(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - models are not in the tree
    ensure_models(platform.git_server)


def _gitops(platform: Platform, tree: Path) -> None:
    platform.git_server.fill(tree, "Platform as in the checkout")
    for file in ("projects.yaml", "root-app.yaml"):
        apply_all(platform.cluster, documents((tree / "bootstrap" / file).read_text(encoding="utf-8")))


STAGES = (
    Stage("cluster DNS", lambda *_: None, lambda _: [Available(Ref("Deployment", "coredns", "kube-system"))]),
    Stage(
        "forge",
        _forge,
        lambda platform: [
            AllAvailable("the forge", (Ref("Deployment", "gitea", GIT_SERVER),)),
            GitServerAnswers(platform.git_server.url),
        ],
    ),
    Stage("Argo CD", _argocd, lambda _: [argo.workloads_ready()]),
    # What was made or uploaded is there: for these two the gate is in the deed.
    Stage("repository", _repository, lambda _: [], after=("forge",)),
    # Before the models that are fetched from it.
    Stage("model store", _models, lambda _: [], after=("repository",), milestone="b"),
    Stage(
        "GitOps",
        _gitops,
        partial(probes_of, "a"),
        after=("repository",),
        nudge=refresh.request_refresh,
    ),
    Stage("serving", lambda *_: None, partial(probes_of, "b"), milestone="b"),
    Stage("guardrails", lambda *_: None, partial(probes_of, "d"), milestone="d"),
)


def apply_all(cluster: Cluster, objects: Iterable[Object]) -> None:
    """Server-side apply: dependencies first, then the others side by side. What is as it should be is not changed."""
    others: list[Object] = []
    for obj in objects:
        if obj["kind"] in _FIRST:
            cluster.apply(obj)
        else:
            others.append(obj)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="apply") as pool:
        list(pool.map(cluster.apply, others))


def _secret(ref: Ref, values: dict[str, str]) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "data": data,
    }


@dataclass(frozen=True)
class GitServerAnswers:
    """The forge answers on the mapped port of this machine."""

    url: str
    area: str = "all"

    @property
    def description(self) -> str:
        """The expectation."""
        return f"the forge answers at {self.url}"

    def check(self, cluster: Cluster) -> Verdict:  # noqa: ARG002 - asks over HTTP
        """Its health page."""
        try:
            answer = httpx.get(f"{self.url}/api/healthz", timeout=2)
        except httpx.HTTPError as error:
            return pending(f"{type(error).__name__}: {error}")
        return met("healthy") if answer.is_success else pending(f"HTTP {answer.status_code}")
