"""Admission webhooks that fail closed: whoever cannot answer for one of them blocks what it is asked about."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object
from neuroscale.polling import Verdict, met, pending
from neuroscale.probes.certificates import evaluate_lasting, held_by, read
from neuroscale.probes.endpoints import belongs_to, ready

_KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True)
class CanBeAnswered:
    """Each webhook with failure policy Fail can be answered, and says within which time it must be.

    Attributes:
        namespaces: Of the Services that answer; if there are none, each webhook is meant, wherever it leads.
    """

    namespaces: tuple[str, ...] = ()
    area: str = "guardrails"

    @property
    def description(self) -> str:
        """The expectation."""
        whose = f"webhook of {', '.join(self.namespaces)}" if self.namespaces else "webhook"
        return f"each {whose} that fails closed has an endpoint, a certificate that its authority signed, and a limit"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each, with the endpoints and the certificates of its Service's namespace."""
        hooks = [hook for kind in _KINDS for one in cluster.list(kind) for hook in one.get("webhooks") or []]
        closed = [hook for hook in hooks if hook.get("failurePolicy") == "Fail" and self._is_meant(hook)]
        spaces = {service["namespace"] for service in map(_service, closed) if service}
        slices = {space: cluster.list("EndpointSlice", space) for space in spaces}
        secrets = {space: cluster.list("Secret", space) for space in spaces}
        verdicts = []
        for hook in closed:
            space = (_service(hook) or {}).get("namespace", "")
            verdicts.append(evaluate_hook(hook, slices.get(space, []), secrets.get(space, []), datetime.now(UTC)))
        wrong = [verdict.observed for verdict in verdicts if not verdict]
        if not closed:
            return pending("no webhook fails closed, so nothing can be said")
        return pending("; ".join(wrong)) if wrong else met(f"{len(closed)} webhooks: each can be answered")

    def _is_meant(self, hook: Object) -> bool:
        return not self.namespaces or (_service(hook) or {}).get("namespace") in self.namespaces


def evaluate_hook(hook: Object, slices: Sequence[Object], secrets: Sequence[Object], now: datetime) -> Verdict:
    """One webhook: endpoint, certificate, time limit."""
    name, service = hook["name"], _service(hook)
    if service is None:
        return pending(f"{name} leads out of the cluster")
    if not ready(part for part in slices if belongs_to(part, service["name"])):
        return pending(f"{name}: its Service {service['namespace']}/{service['name']} has no ready endpoint")
    if not 1 <= hook.get("timeoutSeconds", 0) <= 30:
        return pending(f"{name}: it has no time limit")
    return _evaluate_certificate(name, hook["clientConfig"].get("caBundle", ""), service, secrets, now)


def _service(hook: Object) -> Object | None:
    service: Object | None = hook["clientConfig"].get("service")
    return service


def _evaluate_certificate(name: str, bundle: str, service: Object, secrets: Sequence[Object], now: datetime) -> Verdict:
    """Of the certificates in the namespace's Secrets, one is for this Service, signed by the webhook's authority."""
    try:
        authorities = read(b64decode(bundle))
    except ValueError as error:
        return pending(f"{name}: its authority is no certificate: {error}")
    host = f"{service['name']}.{service['namespace']}.svc"
    found = [one for secret in secrets for one in held_by(secret) if host in _names(one)]
    signed = [(one, authority) for one in found for authority in authorities if _signed(one, authority)]
    if not signed:
        return pending(f"{name}: of {len(found)} certificates for {host} none is signed by its authority")
    verdicts = [evaluate_lasting(pair, now) for pair in signed]
    # A renewed one lies beside its predecessor for a while.
    best = next(filter(None, verdicts), verdicts[0])
    return Verdict(best.state, f"{name}: {best.observed}")


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return certificate == authority
    return True
