"""Certificates of the platform: those in Secrets, and the one that the API server shows. Each must last for a while."""

from __future__ import annotations

import ssl
import warnings
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from neuroscale.cluster.client import Cluster
from neuroscale.kubernetes.refs import Object, Ref
from neuroscale.polling import Verdict, met, pending, unrecoverable

#: Whoever renews a certificate does so before less is left of it than this share of its lifetime and this time: Knative
#: with one day of seven left, Kyverno with 15 days, what renews KServe's with 90, and k3s at a start with months.
_SHARE_LEFT, _LEFT = 0.05, timedelta(days=7)
_HANDSHAKE_SECONDS = 5.0


def evaluate_lasting(certificates: Sequence[x509.Certificate], now: datetime) -> Verdict:
    """All of them, such as one and its authority, are valid for so long that they must have been renewed before."""
    for one in certificates:
        ends, lifetime = one.not_valid_after_utc, one.not_valid_after_utc - one.not_valid_before_utc
        if ends <= now:
            return pending(f"its certificate has expired at {ends:%Y-%m-%d}")
        if ends - now < min(lifetime * _SHARE_LEFT, _LEFT):
            hours = (ends - now).total_seconds() / 3600
            return pending(f"its certificate expires in {hours:.1f} h, at {ends:%Y-%m-%d}, and nobody has renewed it")
    return met(f"valid until {min(one.not_valid_after_utc for one in certificates):%Y-%m-%d}")


def read(pem: bytes) -> list[x509.Certificate]:
    """The certificates in a text.

    Raises:
        ValueError: There is none in it, or it is damaged.
    """
    with warnings.catch_warnings():
        # What makes KServe's numbers its own authority 0, which no RFC allows.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return x509.load_pem_x509_certificates(pem)


def held_by(secret: Object) -> list[x509.Certificate]:
    """The certificates in a Secret, whatever its keys are called."""
    texts = [b64decode(value) for value in (secret.get("data") or {}).values()]
    return [one for text in texts if b"BEGIN CERTIFICATE" in text for one in read(text)]


@dataclass(frozen=True)
class CertificatesLast:
    """Each certificate in the Secrets of some namespaces is valid, and will be for a while."""

    namespaces: tuple[str, ...]
    area: str

    @property
    def description(self) -> str:
        """The expectation."""
        return f"no certificate of {', '.join(self.namespaces)} is about to expire"

    def check(self, cluster: Cluster) -> Verdict:
        """Judge each."""
        now = datetime.now(UTC)
        secrets = [secret for namespace in self.namespaces for secret in cluster.list("Secret", namespace)]
        verdicts = {Ref.to(secret): evaluate_lasting(found, now) for secret in secrets if (found := held_by(secret))}
        bad = [f"{ref}: {verdict.observed}" for ref, verdict in verdicts.items() if not verdict]
        if not verdicts:
            return pending("there is no certificate yet")
        return pending("; ".join(bad)) if bad else met(f"{len(verdicts)} Secrets with certificates that last")


@dataclass(frozen=True)
class ApiServerCertificateLasts:
    """The certificate that the API server shows is valid, and will be for a while."""

    area: str = "gitops"

    @property
    def description(self) -> str:
        """The expectation."""
        return "the API server's certificate is not about to expire"

    def check(self, cluster: Cluster) -> Verdict:
        """Shake hands."""
        where = urlsplit(cluster.server)
        if where.scheme != "https":
            return unrecoverable(f"{cluster.server} is asked without TLS, and shows no certificate")
        address = (where.hostname or "", where.port or 443)
        try:
            shown = ssl.get_server_certificate(address, timeout=_HANDSHAKE_SECONDS)
        except OSError as error:
            return pending(f"no certificate: {type(error).__name__}: {error}")
        return evaluate_lasting(read(shown.encode()), datetime.now(UTC))
