"""Serving: KServe, Knative and Kourier, the models, and the store that models are fetched from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neuroscale import kserve_client
from neuroscale.cluster.ports import Port
from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.inference_client import gateway_url
from neuroscale.model_store import ensure_models
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import applications, expected, serving
from neuroscale.probes.certificates import CertificatesLast
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.probes.gateway import GatewayReached
from neuroscale.probes.webhooks import CanBeAnswered
from neuroscale.supply.contract import Demand

_WITH_WEBHOOKS = ("knative-serving", "kserve")
_NAMESPACES = (*_WITH_WEBHOOKS, "kourier-system")


def steady_state(platform: Platform) -> Iterable[Probe]:
    """Every model that Git describes is served, and so is what serves it."""
    # Nothing is served for long that is not reconciled: an incident of serving may begin and end in Argo CD.
    yield applications.each_as_in_git(platform.git_server)
    yield serving.workloads_ready()
    yield ServicesResolved(_NAMESPACES, area="serving")
    yield GatewayReached()
    yield CertificatesLast(_WITH_WEBHOOKS, area="serving")
    yield CanBeAnswered(_WITH_WEBHOOKS, area="serving")
    yield serving.KServeLeads()
    uris = expected.inference_services(platform.git_server)
    yield serving.NoOtherModels(frozenset(uris))
    yield serving.AllReady(frozenset(uris))
    yield serving.AllGenerated(frozenset(uris))
    yield serving.AllAnswer(uris, gateway_url(platform.cluster))


def _models(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - models are not in the tree
    ensure_models(platform.git_server)


def _kserve_client(platform: Platform, tree: Path) -> None:  # noqa: ARG001 - it is installed on this machine
    kserve_client.provide()


COMPONENT = Component(
    name="serving",
    milestone="b",
    title="models that answer through the gateway, and keep answering",
    namespaces=_NAMESPACES,
    workloads=serving.WORKLOADS,
    applications=(serving.APPLICATION, "neuroscale-kserve-runtimes"),
    folders=(
        "apps/ai-model-alpha",
        "apps/demo-iris-2",
        "infrastructure/apps/kserve-runtimes.yaml",
        "infrastructure/apps/serving-stack.yaml",
        "infrastructure/kserve",
        "infrastructure/serving-stack",
    ),
    demand=Demand(
        archives=("images-b",), own_archives=("images-own",), manifests={"serving-stack": "serving-stack-files"}
    ),
    ports=(Port("gateway", "inference gateway", 8082, 80),),
    steady_state=steady_state,
    stages=(
        # Before the models that are fetched from it. What was uploaded is there: nothing is left to wait for.
        Stage("model store", _models, lambda _: [], after=("repository",), before=("GitOps",)),
        # Nothing of the platform: what its users install, before the first scenario that uses it.
        Stage("KServe client", _kserve_client, lambda _: ()),
        Stage("serving", lambda *_: None, steady_state),
    ),
    evidence=Evidence(
        kinds=(
            ("serving.kserve.io/v1beta1", "InferenceService"),
            ("serving.knative.dev/v1", "Service"),
            ("serving.knative.dev/v1", "Configuration"),
            ("serving.knative.dev/v1", "Revision"),
            ("serving.knative.dev/v1", "Route"),
            ("networking.internal.knative.dev/v1alpha1", "Ingress"),
        ),
        logs=serving.WORKLOADS,
    ),
)
