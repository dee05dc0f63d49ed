"""Guardrails: Kyverno, and the policies that it and the API server enforce."""

from __future__ import annotations

from collections.abc import Iterable

from neuroscale.components.component import Component, Evidence, Stage
from neuroscale.platform import Platform
from neuroscale.polling import Probe
from neuroscale.probes import applications, expected, guardrails
from neuroscale.probes.certificates import CertificatesLast
from neuroscale.probes.cluster_dns import ServicesResolved
from neuroscale.probes.webhooks import CanBeAnswered
from neuroscale.supply.contract import Demand

_NAMESPACES = ("kyverno",)


def steady_state(platform: Platform) -> Iterable[Probe]:
    """Kyverno runs, and each policy that Git describes is enforced in both places."""
    yield applications.each_as_in_git(platform.git_server)
    yield guardrails.workloads_ready()
    yield ServicesResolved(_NAMESPACES, area="guardrails")
    yield CertificatesLast(_NAMESPACES, area="guardrails")
    yield CanBeAnswered(_NAMESPACES)
    yield guardrails.AllEnforced(expected.policies(platform.git_server))


COMPONENT = Component(
    name="guardrails",
    milestone="d",
    title="guardrails that cannot be bypassed, at admission and in CI",
    namespaces=_NAMESPACES,
    workloads=guardrails.WORKLOADS,
    applications=(guardrails.APPLICATION,),
    folders=("infrastructure/apps/policy-guardrails.yaml", "infrastructure/kyverno"),
    demand=Demand(archives=("images-d",), manifests={"kyverno": "kyverno-files"}),
    steady_state=steady_state,
    stages=(Stage("guardrails", lambda *_: None, steady_state),),
    evidence=Evidence(
        kinds=(
            ("policies.kyverno.io/v1beta1", "ValidatingPolicy"),
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ),
        logs=guardrails.WORKLOADS,
    ),
)
